import { WorkerError } from "@logq/core";
import { WORD } from "./control.js";
import type { Crew } from "./crew.js";
import { createProfiles, WorkerThreads } from "./worker-threads.js";

/**
 * W worker threads do the work, and the caller's thread stays free: it waits with Atomics.waitAsync, so signals, timers and the death of a
 * worker still arrive.
 */
export class WorkerCrew<Command> implements Crew<Command> {
  readonly workers: number;
  readonly profiles: readonly Float64Array[];
  readonly #threads: WorkerThreads<Command>;
  /** The command under way; the mailbox holds one. */
  #running: Promise<void> | undefined;
  #closed = false;

  /** @param spec structured-cloneable; handed to the worker file's program. */
  constructor(filename: string, spec: unknown, workers: number) {
    this.workers = workers;
    this.profiles = createProfiles(workers);
    this.#threads = new WorkerThreads(filename, spec, this.profiles, 0);
  }

  async run(command: Command, meanwhile?: () => void): Promise<void> {
    const { failure } = this.#threads;
    if (failure !== undefined) throw failure;
    if (this.#closed) throw new WorkerError("the crew is closed: it takes no more commands", { workers: this.workers });
    if (this.#running !== undefined) {
      throw new WorkerError("the crew is busy: one command at a time", { workers: this.workers });
    }
    meanwhile?.();
    this.#running = this.#execute(command);
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #execute(command: Command): Promise<void> {
    this.#threads.send(command);
    await this.#threads.until(WORD.finished, this.workers);
  }

  requestStop(): void {
    this.#threads.requestStop();
  }

  /** Waits for the command under way. Any number of calls. */
  async close(): Promise<void> {
    const first = !this.#closed;
    this.#closed = true;
    await this.#running?.catch(() => {});
    if (first) await this.#threads.leave();
    await this.#threads.destroy();
  }
}
