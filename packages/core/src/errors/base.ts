/** The values that made a call fail, by name: everything needed to understand the error without a debugger. */
export type ErrorValues = Readonly<Record<string, unknown>>;

/**
 * The root of every error logq throws on purpose.
 *
 * `code` is stable across versions and is what programs should test; `message` is for people and carries the
 * values; `values` carries them for programs.
 */
export class LogqError extends Error {
  readonly code: string;
  readonly values: ErrorValues;

  constructor(code: string, message: string, values: ErrorValues = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.values = values;
  }

  /** True for any error of logq, also one that crossed a worker boundary and lost its prototype. */
  static isInstance(value: unknown): value is LogqError {
    return value instanceof Error && typeof (value as Partial<LogqError>).code === "string" && "values" in value;
  }
}
