import { type ErrorValues, LogqError } from "./base.js";

/** A file or folder that was named does not exist or cannot be read. */
export class MissingFileError extends LogqError {
  static readonly code = "LOGQ_MISSING_FILE";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(MissingFileError.code, message, values, options);
  }
}
