import { type ErrorValues, LogqError } from "./base.js";

/** A loss that corrects by log Q was given candidates without log Q. */
export class MissingLogQError extends LogqError {
  static readonly code = "LOGQ_MISSING_LOG_Q";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(MissingLogQError.code, message, values, options);
  }
}
