import { EXIT, Interrupted } from "./exit-codes.js";
import { type Io, note } from "./io.js";

/**
 * Runs work that can be stopped. The first Ctrl-C (or SIGTERM) aborts the signal that the work is given, the second leaves at once.
 * @param what is told after the first: what happens next
 */
export async function interruptible<T>(io: Io, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    note(io, `\n${what}; Ctrl-C again leaves at once`);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** @throws Interrupted if the signal was aborted */
export function checkInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted();
}
