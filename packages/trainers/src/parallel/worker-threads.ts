import { availableParallelism } from "node:os";
import { WorkerError } from "@logq/core";
import { Piscina } from "piscina";
import { commandPackr } from "./command-packr.js";
import { AGAIN, createControl, poison, type SharedControl, WORD } from "./control.js";
import { fromPlainError, type PlainError } from "./errors.js";
import { PROFILE_LENGTH } from "./profile.js";

/** What a worker is given once, at its start. */
export interface WorkerTask<Spec> {
  readonly spec: Spec;
  /** Its place in the team. */
  readonly index: number;
  /** Members of the team. */
  readonly size: number;
  /** Members that are threads of their own: all, or all but the caller. */
  readonly threads: number;
  readonly cores: number;
  readonly control: SharedControl;
  readonly profile: Float64Array;
}

/** What a worker's task answers when it ends. */
export type WorkerResult = { readonly error: PlainError | undefined };

/** Where the milliseconds of a member go, in memory that all see. */
export function createProfiles(members: number): Float64Array[] {
  return Array.from(
    { length: members },
    () => new Float64Array(new SharedArrayBuffer(PROFILE_LENGTH * Float64Array.BYTES_PER_ELEMENT)),
  );
}

/**
 * The worker threads of a crew, each in one long Piscina task, and the mailbox in shared memory that commands travel through: there are no
 * messages within or between steps. The first failure of any member ends them all.
 */
export class WorkerThreads<Command> {
  readonly control: SharedControl;
  readonly #pool: Piscina;
  /** Rejects with the first failure; resolves when all threads have left in peace. */
  readonly ended: Promise<void>;
  #failure: Error | undefined;
  #last: Command | undefined;

  /** Starts a thread for each profile from `first` on. @param spec structured-cloneable; handed to the worker file's program */
  constructor(filename: string, spec: unknown, profiles: readonly Float64Array[], first: number) {
    const threads = profiles.length - first;
    this.control = createControl(profiles.length);
    this.#pool = new Piscina({
      filename,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Workers sleep in Atomics.wait of their own; Piscina's would only delay its messages.
      atomics: "disabled",
    });
    const cores = availableParallelism();
    const tasks = profiles.slice(first).map((profile, i) => {
      const index = first + i;
      const { control } = this;
      const task: WorkerTask<unknown> = { spec, index, size: profiles.length, threads, cores, control, profile };
      return this.#pool.run(task).then(
        (result: WorkerResult) => {
          if (result.error !== undefined) this.fail(fromPlainError(result.error));
        },
        (cause) =>
          this.fail(new WorkerError(`worker ${index} went away: ${String(cause)}`, { worker: index }, { cause })),
      );
    });
    this.ended = Promise.all(tasks).then(() => {
      if (this.#failure !== undefined) throw this.#failure;
    });
    // A failure is reported by the next command; a crew that is closed without one must not raise an unhandled rejection.
    this.ended.catch(() => {});
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Hands a command to every thread. The same object again costs no packing. @throws WorkerError if it does not fit the mailbox */
  send(command: Command): void {
    const { words } = this.control;
    const bytes = command === this.#last ? AGAIN : this.#post(command);
    this.#last = command;
    Atomics.store(words, WORD.stopRequested, 0);
    Atomics.store(words, WORD.finished, 0);
    this.#announce(bytes);
  }

  /** Answers how many bytes of the mailbox it takes. */
  #post(command: Command): number {
    const { mailbox } = this.control;
    const bytes = commandPackr.pack(command);
    if (bytes.length > mailbox.length) {
      throw new WorkerError(`a command of ${bytes.length} bytes does not fit the mailbox of ${mailbox.length}`, {
        bytes: bytes.length,
        limit: mailbox.length,
      });
    }
    mailbox.set(bytes);
    return bytes.length;
  }

  /**
   * Waits until `count` threads have added themselves to a word of the control, or throws the first failure. The event loop goes on.
   */
  async until(word: typeof WORD.finished | typeof WORD.ready, count: number): Promise<void> {
    // Atomics.waitAsync does not keep the process alive; this timer does.
    const alive = setInterval(() => {}, 60_000);
    try {
      await Promise.race([this.#reached(word, count), this.ended]);
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      clearInterval(alive);
    }
  }

  async #reached(word: number, count: number): Promise<void> {
    const { words } = this.control;
    for (;;) {
      const reached = Atomics.load(words, word);
      if (reached === count || this.#failure !== undefined) return;
      const wait = Atomics.waitAsync(words, word, reached);
      if (wait.async) await wait.value;
    }
  }

  requestStop(): void {
    Atomics.store(this.control.words, WORD.stopRequested, 1);
  }

  /** Keeps the first failure, and makes every member leave. */
  fail(error: Error): void {
    // Those that only noticed the poison say so with a WorkerError of their own; the first failure is the cause.
    this.#failure ??= error;
    poison(this.control.words);
  }

  /** Lets the threads leave, once. No command may be under way. */
  async leave(): Promise<void> {
    if (this.#failure === undefined) {
      // A command of no bytes means: leave.
      this.#announce(0);
      await this.ended.catch(() => {});
    }
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }

  #announce(bytes: number): void {
    const { words } = this.control;
    Atomics.store(words, WORD.commandBytes, bytes);
    Atomics.add(words, WORD.command, 1);
    Atomics.notify(words, WORD.command);
  }
}
