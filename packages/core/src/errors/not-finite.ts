import { type ErrorValues, LogqError } from "./base.js";

/** A number that must be finite is NaN or infinite. */
export class NotFiniteError extends LogqError {
  static readonly code = "LOGQ_NOT_FINITE";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(NotFiniteError.code, message, values, options);
  }
}
