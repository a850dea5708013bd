import { availableParallelism } from "node:os";
import { WorkerError } from "@logq/core";
import { Piscina } from "piscina";
import { commandPackr } from "./command-packr.js";
import { createControl, poison, type SharedControl, WORD } from "./control.js";
import type { Crew } from "./crew.js";
import { fromPlainError, type PlainError } from "./errors.js";
import { PROFILE_LENGTH } from "./profile.js";

/** What a worker is given once, at its start. */
export interface WorkerTask<Spec> {
  readonly spec: Spec;
  readonly index: number;
  readonly size: number;
  readonly cores: number;
  readonly control: SharedControl;
  readonly profile: Float64Array;
}

/** What a worker's task answers when it ends. */
export type WorkerResult = { readonly error: PlainError | undefined };

/**
 * W worker threads, each in one long Piscina task. Commands travel through a mailbox in shared memory; there are no messages within or between
 * steps. The main thread never blocks: it waits with Atomics.waitAsync, so signals, timers and the death of a worker still arrive.
 */
export class WorkerCrew<Command> implements Crew<Command> {
  readonly workers: number;
  readonly profiles: readonly Float64Array[];
  readonly #control = createControl();
  readonly #pool: Piscina;
  /** Rejects with the first failure of any worker; resolves when all have left in peace. */
  readonly #ended: Promise<void>;
  #failure: Error | undefined;
  /** The command under way; the mailbox holds one. */
  #running: Promise<void> | undefined;
  #closed = false;

  /** @param spec structured-cloneable; handed to the worker file's program. */
  constructor(filename: string, spec: unknown, workers: number) {
    this.workers = workers;
    this.profiles = Array.from(
      { length: workers },
      () => new Float64Array(new SharedArrayBuffer(PROFILE_LENGTH * Float64Array.BYTES_PER_ELEMENT)),
    );
    this.#pool = new Piscina({
      filename,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Workers sleep in Atomics.wait of their own; Piscina's would only delay its messages.
      atomics: "disabled",
    });
    const cores = availableParallelism();
    const tasks = this.profiles.map((profile, index) => {
      const task: WorkerTask<unknown> = { spec, index, size: workers, cores, control: this.#control, profile };
      return this.#pool.run(task).then(
        (result: WorkerResult) => {
          if (result.error !== undefined) this.#fail(fromPlainError(result.error));
        },
        (cause) =>
          this.#fail(new WorkerError(`worker ${index} went away: ${String(cause)}`, { worker: index }, { cause })),
      );
    });
    this.#ended = Promise.all(tasks).then(() => {
      if (this.#failure !== undefined) throw this.#failure;
    });
    // A failure is reported by `run`; a crew that is closed without running must not raise an unhandled rejection.
    this.#ended.catch(() => {});
  }

  async run(command: Command): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new WorkerError("the crew is closed: it takes no more commands", { workers: this.workers });
    if (this.#running !== undefined) {
      throw new WorkerError("the crew is busy: one command at a time", { workers: this.workers });
    }
    this.#running = this.#execute(command);
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #execute(command: Command): Promise<void> {
    const { words, mailbox } = this.#control;
    const bytes = commandPackr.pack(command);
    if (bytes.length > mailbox.length) {
      throw new WorkerError(`a command of ${bytes.length} bytes does not fit the mailbox of ${mailbox.length}`, {
        bytes: bytes.length,
        limit: mailbox.length,
      });
    }
    mailbox.set(bytes);
    Atomics.store(words, WORD.stopRequested, 0);
    Atomics.store(words, WORD.finished, 0);
    Atomics.store(words, WORD.commandBytes, bytes.length);
    Atomics.add(words, WORD.command, 1);
    Atomics.notify(words, WORD.command);
    // Atomics.waitAsync does not keep the process alive; this timer does.
    const alive = setInterval(() => {}, 60_000);
    try {
      await Promise.race([this.#finished(), this.#ended]);
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      clearInterval(alive);
    }
  }

  async #finished(): Promise<void> {
    const { words } = this.#control;
    for (;;) {
      const finished = Atomics.load(words, WORD.finished);
      if (finished === this.workers || this.#failure !== undefined) return;
      const wait = Atomics.waitAsync(words, WORD.finished, finished);
      if (wait.async) await wait.value;
    }
  }

  requestStop(): void {
    Atomics.store(this.#control.words, WORD.stopRequested, 1);
  }

  /** Waits for the command under way. Any number of calls. */
  async close(): Promise<void> {
    const { words } = this.#control;
    const first = !this.#closed;
    this.#closed = true;
    await this.#running?.catch(() => {});
    if (first && this.#failure === undefined) {
      // A command of no bytes means: leave.
      Atomics.store(words, WORD.commandBytes, 0);
      Atomics.add(words, WORD.command, 1);
      Atomics.notify(words, WORD.command);
      await this.#ended.catch(() => {});
    }
    await this.#pool.destroy();
  }

  #fail(error: Error): void {
    // Those that only noticed the poison say so with a WorkerError of their own; the first failure is the cause.
    this.#failure ??= error;
    poison(this.#control.words);
  }
}
