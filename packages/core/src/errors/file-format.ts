import { type ErrorValues, LogqError } from "./base.js";

/** A file was found, but its content is not what its format promises. */
export class FileFormatError extends LogqError {
  static readonly code = "LOGQ_FILE_FORMAT";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(FileFormatError.code, message, values, options);
  }
}
