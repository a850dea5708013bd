import { type ErrorValues, LogqError } from "./base.js";

/** A loss, a logit or a gradient became NaN or infinite; the step that found it changed nothing. */
export class DivergenceError extends LogqError {
  static readonly code = "LOGQ_DIVERGENCE";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(DivergenceError.code, message, values, options);
  }
}
