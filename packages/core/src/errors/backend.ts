import { type ErrorValues, LogqError } from "./base.js";

/** A back-end that was asked for by name cannot be loaded here. */
export class BackendError extends LogqError {
  static readonly code = "LOGQ_BACKEND";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(BackendError.code, message, values, options);
  }
}
