import { type ErrorValues, LogqError } from "./base.js";

/** An option is unknown, of the wrong type, out of its range, or contradicts another. */
export class OptionError extends LogqError {
  static readonly code = "LOGQ_OPTION";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(OptionError.code, message, values, options);
  }
}
