/** A group of threads (or just the caller's) that executes commands of one program, one at a time. */
export interface Crew<Command> {
  /** Threads that run units; 0 and 1 may mean that the caller's thread does it alone. */
  readonly workers: number;
  /**
   * Executes a command on every member and waits until all have finished. Rejects with the first error; the crew is unusable after one.
   * @param meanwhile what the caller does before members leave the command's first phase: while they work, where the caller is one of them
   */
  run(command: Command, meanwhile?: () => void): Promise<void>;
  /** Asks the running command to end after its current step. */
  requestStop(): void;
  /** Where the milliseconds of each worker went, live: see `readProfile`. */
  readonly profiles: readonly Float64Array[];
  close(): Promise<void>;
}

/** A crew that the caller's thread is a member of, and that therefore can do without promises. */
export interface SyncCrew<Command> extends Crew<Command> {
  /** The same as `run`, at once. Only after one `run` has ended. */
  runSync(command: Command, meanwhile?: () => void): void;
}

/** What members execute. `stopRequested` is looked at by one unit a step, so that all members agree. */
export interface Program<Command> {
  execute(command: Command, stopRequested: () => boolean): void;
}
