import { type ErrorValues, LogqError } from "./base.js";

/** Two shapes that must agree do not, or a buffer is too short for its shape. */
export class ShapeError extends LogqError {
  static readonly code = "LOGQ_SHAPE";

  constructor(message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(ShapeError.code, message, values, options);
  }
}
