import { type ErrorValues, LogqError } from "./base.js";

/** The bytes needed exceed what one memory or this machine can hold. */
export class MemoryLimitError extends LogqError {
  static readonly code = "LOGQ_MEMORY_LIMIT";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(MemoryLimitError.code, message, values, options);
  }
}
