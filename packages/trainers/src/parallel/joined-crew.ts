import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { WorkerError } from "@logq/core";
import { commandPackr } from "./command-packr.js";
import { leftError, WORD } from "./control.js";
import type { Program, SyncCrew } from "./crew.js";
import { asLogqError, fromPlainError, type PlainError, PoisonedError } from "./errors.js";
import { Profile } from "./profile.js";
import { type Team, WorkerTeam } from "./team.js";
import { createProfiles, WorkerThreads } from "./worker-threads.js";

/**
 * The caller's thread and W − 1 worker threads. A command begins and ends without a message or an event: the caller writes it into the mailbox,
 * does its share, and is there when the last unit ends. It blocks meanwhile, so this is for short commands that follow each other closely.
 */
export class JoinedCrew<Command> implements SyncCrew<Command> {
  readonly workers: number;
  readonly profiles: readonly Float64Array[];
  readonly #threads: WorkerThreads<Command>;
  readonly #team: WorkerTeam;
  readonly #program: Program<Command>;
  #ready = false;
  #closed = false;

  /** @param spec structured-cloneable; the worker file makes of it the program that `createProgram` makes here. @param workers at least 2 */
  constructor(filename: string, spec: unknown, workers: number, createProgram: (team: Team) => Program<Command>) {
    this.workers = workers;
    this.profiles = createProfiles(workers);
    this.#threads = new WorkerThreads(filename, spec, this.profiles, 1);
    const { words } = this.#threads.control;
    const profile = new Profile(this.profiles[0]);
    this.#team = new WorkerTeam(0, workers, words, profile, availableParallelism(), () => this.#requireThreads());
    this.#program = createProgram(this.#team);
  }

  async run(command: Command, meanwhile?: () => void): Promise<void> {
    // Threads start by messages, for which the caller's event loop must be free.
    if (!this.#ready) await this.#threads.until(WORD.ready, this.workers - 1);
    this.#ready = true;
    this.runSync(command, meanwhile);
  }

  runSync(command: Command, meanwhile?: () => void): void {
    const { failure, control } = this.#threads;
    if (failure !== undefined) throw failure;
    if (this.#closed) throw new WorkerError("the crew is closed: it takes no more commands", { workers: this.workers });
    this.#threads.send(command);
    try {
      // No barrier opens without the caller.
      meanwhile?.();
      this.#program.execute(command, () => Atomics.load(control.words, WORD.stopRequested) !== 0);
      this.#team.awaitFinished();
    } catch (error) {
      this.#threads.fail(error instanceof PoisonedError ? this.#whatWasLeft() : asLogqError(error));
      throw this.#threads.failure;
    }
  }

  requestStop(): void {
    this.#threads.requestStop();
  }

  /** Any number of calls. */
  async close(): Promise<void> {
    const first = !this.#closed;
    this.#closed = true;
    if (first) await this.#threads.leave();
    await this.#threads.destroy();
  }

  /** The failure of the member that poisoned the others. */
  #whatWasLeft(): Error {
    const packed = leftError(this.#threads.control);
    if (packed === undefined) return new WorkerError("a worker went away", {});
    return fromPlainError(commandPackr.unpack(packed) as PlainError);
  }

  /** A thread that died (out of memory, say) opens no barrier and, while the caller blocks, can send no message. Linux tells which live. */
  #requireThreads(): void {
    const { threads } = this.#threads.control;
    for (let worker = 1; worker < this.workers; worker++) {
      const thread = threads[worker]!;
      if (thread === 0 || existsSync(`/proc/self/task/${thread}`)) continue;
      throw new WorkerError(`worker ${worker} went away: its thread ${thread} has ended`, { worker });
    }
  }
}
