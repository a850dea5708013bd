import { CLAIM_STRIDE, WORD } from "./control.js";
import { PoisonedError } from "./errors.js";
import { type PhaseName, Profile } from "./profile.js";

/**
 * One worker's membership in a team that runs the same program. A phase is a number of units of work. Each worker has a share of them, the same in every
 * phase, so that it finds in its cache what it wrote there; whoever is done with its own claims those of others, and nobody leaves the phase before all
 * units are done. What a unit computes may not depend on who runs it.
 */
export interface Team {
  /** this worker's place, in [0, size) */
  readonly index: number;
  readonly size: number;
  /** where this member's time goes */
  readonly profile: Profile;
  /** Runs the units 0 … units−1, each exactly once across the team, then waits for everybody. `name` is the phase's row in the profile. */
  phase(name: PhaseName, units: number, run: (unit: number) => void): void;
}

/** A team of one: units run in order, in the caller's thread, and nothing waits. */
export class SoloTeam implements Team {
  readonly index = 0;
  readonly size = 1;
  readonly profile: Profile;

  constructor(profile: Profile = new Profile()) {
    this.profile = profile;
  }

  phase(name: PhaseName, units: number, run: (unit: number) => void): void {
    this.profile.begin(name);
    for (let unit = 0; unit < units; unit++) run(unit);
    this.profile.wait();
  }
}

/**
 * Spinning costs a core but saves the tens to hundreds of microseconds of a sleep and its end; a barrier of a step, or the next command, comes within
 * this many looks, or we sleep.
 */
export const SPINS = 20_000;

/** Milliseconds of sleep between two looks at whether those whom one waits for still live. */
const LOOK_EVERY = 500;

/** A member of a team of worker threads that meet at an Atomics barrier. */
export class WorkerTeam implements Team {
  readonly index: number;
  readonly size: number;
  readonly #words: Int32Array;
  readonly profile: Profile;
  readonly #spins: number;
  readonly #look: (() => void) | undefined;

  /**
   * @param cores more workers than cores never spin: the one they wait for may need theirs
   * @param look is called now and then in a long wait, and throws if it is in vain; undefined: somebody else looks
   */
  constructor(index: number, size: number, words: Int32Array, profile: Profile, cores: number, look?: () => void) {
    this.index = index;
    this.size = size;
    this.#words = words;
    this.profile = profile;
    this.#spins = size <= cores ? SPINS : 0;
    this.#look = look;
  }

  phase(name: PhaseName, units: number, run: (unit: number) => void): void {
    const words = this.#words;
    this.profile.begin(name);
    for (let other = 0; other < this.size; other++) {
      const owner = (this.index + other) % this.size;
      const claims = WORD.claims + CLAIM_STRIDE * owner;
      const first = Math.floor((units * owner) / this.size);
      const own = Math.floor((units * (owner + 1)) / this.size) - first;
      for (let unit = Atomics.add(words, claims, 1); unit < own; unit = Atomics.add(words, claims, 1))
        run(first + unit);
    }
    this.profile.wait();
    this.#barrier();
    this.profile.end();
  }

  /**
   * The last to arrive resets the claims before it opens the barrier: nobody claims a unit of the next phase earlier. Whoever poisons
   * sets the word first and bumps the generation after, so a member that has read the new generation finds the poison before it waits for
   * one that will not come.
   */
  #barrier(): void {
    const words = this.#words;
    const generation = Atomics.load(words, WORD.generation);
    this.#leaveIfPoisoned();
    if (Atomics.add(words, WORD.arrived, 1) === this.size - 1) {
      Atomics.store(words, WORD.arrived, 0);
      for (let owner = 0; owner < this.size; owner++) Atomics.store(words, WORD.claims + CLAIM_STRIDE * owner, 0);
      Atomics.add(words, WORD.generation, 1);
      Atomics.notify(words, WORD.generation);
    } else {
      this.#waitWhile(WORD.generation, generation);
    }
    this.#leaveIfPoisoned();
  }

  /** Waits until all other members have finished the command. */
  awaitFinished(): void {
    for (;;) {
      const finished = Atomics.load(this.#words, WORD.finished);
      if (finished === this.size - 1) return;
      this.#waitWhile(WORD.finished, finished);
      this.#leaveIfPoisoned();
    }
  }

  #waitWhile(word: number, value: number): void {
    const words = this.#words;
    let spins = this.#spins;
    while (spins-- > 0 && Atomics.load(words, word) === value);
    while (Atomics.load(words, word) === value) {
      const waited = Atomics.wait(words, word, value, this.#look === undefined ? undefined : LOOK_EVERY);
      if (waited === "timed-out") this.#look?.();
    }
  }

  #leaveIfPoisoned(): void {
    if (Atomics.load(this.#words, WORD.poison) !== 0) throw new PoisonedError();
  }
}
