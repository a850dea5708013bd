import { NotFiniteError } from "./errors/not-finite.js";
import { OptionError } from "./errors/option.js";
import { ShapeError } from "./errors/shape.js";

/** Returns `value` if it is an integer in [minimum, maximum], else throws OptionError. */
export function requireInteger(name: string, value: unknown, minimum = 0, maximum = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < minimum || value > maximum) {
    throw new OptionError(`${name} must be an integer in [${minimum}, ${maximum}], not ${show(value)}`, {
      name,
      value,
      minimum,
      maximum,
    });
  }
  return value;
}

/** Returns `value` if it is a finite number in [minimum, maximum], else throws OptionError. */
export function requireNumber(name: string, value: unknown, minimum = -Infinity, maximum = Infinity): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < minimum || value > maximum) {
    throw new OptionError(`${name} must be a number in [${minimum}, ${maximum}], not ${show(value)}`, {
      name,
      value,
      minimum,
      maximum,
    });
  }
  return value;
}

/** Returns `value` if it is a finite number above 0, else throws OptionError. */
export function requirePositive(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
    throw new OptionError(`${name} must be a number above 0, not ${show(value)}`, { name, value });
  }
  return value;
}

/** Returns `value` if it is one of `allowed`, else throws OptionError that lists them. */
export function requireOneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new OptionError(`${name} must be one of ${allowed.join(", ")}, not ${show(value)}`, { name, value, allowed });
  }
  return value as T;
}

/** Throws ShapeError unless `actual` equals `expected` (lengths, counts of elements). */
export function requireLength(name: string, actual: number, expected: number, shape: string): void {
  if (actual !== expected) {
    throw new ShapeError(`${name} must have ${expected} elements, shape ${shape}, but has ${actual}`, {
      name,
      actual,
      expected,
      shape,
    });
  }
}

/** Throws NotFiniteError that names the first index at which `values` holds NaN or an infinity. */
export function requireAllFinite(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new NotFiniteError(`${name}[${i}] is ${values[i]}; every value must be finite`, {
        name,
        index: i,
        value: values[i],
      });
    }
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
