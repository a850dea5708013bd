import { type ErrorValues, LogqError } from "./base.js";

/** A sampler cannot draw what is asked of it (S > n without replacement, a law without mass, ids that do not fit). */
export class SamplerError extends LogqError {
  static readonly code = "LOGQ_SAMPLER";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(SamplerError.code, message, values, options);
  }
}
