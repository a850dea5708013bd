import { type ErrorValues, LogqError } from "./base.js";

/** A worker thread failed or went away. */
export class WorkerError extends LogqError {
  static readonly code = "LOGQ_WORKER";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(WorkerError.code, message, values, options);
  }
}
