import { type ErrorValues, LogqError } from "./base.js";

/** An input holds nothing to work on. */
export class EmptyInputError extends LogqError {
  static readonly code = "LOGQ_EMPTY_INPUT";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(EmptyInputError.code, message, values, options);
  }
}
