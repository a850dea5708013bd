import { type ErrorValues, LogqError } from "./base.js";

/** A class id lies outside [0, n). */
export class ClassIdError extends LogqError {
  static readonly code = "LOGQ_CLASS_ID";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(ClassIdError.code, message, values, options);
  }
}
