import { DivergenceError, type ErrorValues, LogqError, WorkerError } from "@logq/core";

/** Thrown to leave a crew that another member's failure has poisoned. It never reaches a caller: that member's error does. */
export class PoisonedError extends Error {
  constructor() {
    super("another member of the crew failed");
    this.name = "PoisonedError";
  }
}

/** An error as plain data: classes and fields do not survive the way between threads. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly values: ErrorValues;
  readonly stack: string | undefined;
}

export function toPlainError(error: unknown): PlainError {
  if (LogqError.isInstance(error)) {
    return { code: error.code, message: error.message, values: error.values, stack: error.stack };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: WorkerError.code, message: `a worker failed: ${String(error)}`, values: {}, stack };
}

export function fromPlainError(plain: PlainError): LogqError {
  const cause = { stack: plain.stack };
  if (plain.code === DivergenceError.code) return new DivergenceError(plain.message, plain.values, { cause });
  if (plain.code === WorkerError.code) return new WorkerError(plain.message, plain.values, { cause });
  return new LogqError(plain.code, plain.message, plain.values, { cause });
}

/** What is no error of ours, a mistake in a program, becomes a WorkerError that names it. */
export function asLogqError(error: unknown): LogqError {
  return LogqError.isInstance(error) ? error : fromPlainError(toPlainError(error));
}
