import type { Program, SyncCrew } from "./crew.js";
import { PROFILE_LENGTH, Profile } from "./profile.js";
import { SoloTeam, type Team } from "./team.js";

/** Runs commands in the caller's thread: for serving, for small jobs, and for `stepSync`. Same units, same order of sums, same bits. */
export class InlineCrew<Command> implements SyncCrew<Command> {
  readonly workers = 0;
  readonly profiles = [new Float64Array(PROFILE_LENGTH)];
  readonly #program: Program<Command>;
  #stop = false;

  constructor(createProgram: (team: Team) => Program<Command>) {
    this.#program = createProgram(new SoloTeam(new Profile(this.profiles[0])));
  }

  runSync(command: Command, meanwhile?: () => void): void {
    meanwhile?.();
    this.#stop = false;
    this.#program.execute(command, () => this.#stop);
  }

  async run(command: Command, meanwhile?: () => void): Promise<void> {
    this.runSync(command, meanwhile);
  }

  requestStop(): void {
    this.#stop = true;
  }

  async close(): Promise<void> {}
}
