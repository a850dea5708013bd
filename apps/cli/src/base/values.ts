import type { PropensityLaw } from "@logq/trainers";
import { InvalidArgumentError } from "commander";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite decimal number. The forms of JavaScript that are none of those (NaN, Infinity, 0x10, an empty text) are refused. */
export function number(text: string): number {
  const value = Number(text);
  if (!NUMBER.test(text) || !Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

/** A whole number: 1000, 1e6. */
export function integer(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return value;
}

/** A whole number above 0. */
export function positiveInteger(text: string): number {
  const value = integer(text);
  if (value < 1) throw new InvalidArgumentError(`"${text}" is not above 0.`);
  return value;
}

/** A number above 0. */
export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError(`"${text}" is not above 0.`);
  return value;
}

/** 1, 2, 4, 8, … */
export function powerOfTwo(text: string): number {
  const value = positiveInteger(text);
  if (!Number.isInteger(Math.log2(value))) throw new InvalidArgumentError(`"${text}" is not a power of two.`);
  return value;
}

export function yesNo(text: string): boolean {
  if (text === "yes") return true;
  if (text === "no") return false;
  throw new InvalidArgumentError(`It is yes or no, not "${text}".`);
}

/** Widths of layers: 256,128. */
export function widths(text: string): number[] {
  return text.split(",").map(positiveInteger);
}

/** The constants of propensities: 0.55,1.5. */
export function propensity(text: string): PropensityLaw {
  const [A, B, ...more] = text.split(",").map(number);
  if (A === undefined || B === undefined || more.length > 0) {
    throw new InvalidArgumentError(`It takes two numbers A,B such as 0.55,1.5, not "${text}".`);
  }
  return { A, B };
}

/** A seed: a whole number, or any text. */
export function seed(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** A column: a position from 0, or a name. */
export function column(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

/** For options that may be given several times: all of their values. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
