import { DivergenceError, LogqError, MemoryLimitError, WorkerError } from "@logq/core";
import { CommanderError } from "commander";
import { withFlags } from "./flag-names.js";
import { bytes } from "./format.js";

/** What the process answers the shell. */
export const EXIT = { ok: 0, failure: 1, usage: 2, training: 3, interrupted: 130 } as const;

/** For the help of every command. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  unexpected failure (a full disk, a defect)
  2  wrong usage, option or input
  3  training diverged, or a worker failed
  130  interrupted (Ctrl-C)`;

/** The user asked to stop, and the command has stopped before its end. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/** Codes of the system's errors that say: this path was a wrong one. */
const WRONG_PATH = new Set(["ENOENT", "EACCES", "EPERM", "ENOTDIR", "EISDIR", "EROFS", "EEXIST", "ENAMETOOLONG"]);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (LogqError.isInstance(error)) {
    return error.code === DivergenceError.code || error.code === WorkerError.code ? EXIT.training : EXIT.usage;
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && WRONG_PATH.has(code) ? EXIT.usage : EXIT.failure;
}

/** An error as one line for people, without "logq: " before it. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = withFlags(text.trim().replaceAll(/\s*\n\s*/g, " "));
  if (!LogqError.isInstance(error)) return line;
  if (error.code === MemoryLimitError.code) return withSizes(line);
  return error.code === DivergenceError.code ? `${line}; nothing was saved` : line;
}

/** Bytes of five digits and more in units that people read. */
function withSizes(line: string): string {
  return line.replaceAll(/\b(\d{5,})(?: bytes)?\b/g, (_, digits: string) => bytes(Number(digits)));
}
