import { type Key, type StreamId, stepLow, streamWord } from "@logq/core";
import type { BoundKernel } from "./bind.js";
import { FIRST_WORD } from "./generate/arguments.js";
import type { AddressNumbers } from "./generate/random/philox.js";

/** Writes arguments of a kernel, by their names. */
export interface Teller<Name extends string> {
  word(name: Name, value: number): void;
  float(name: Name, value: number): void;
  /** In the place of two words, the first of which has an even number. */
  double(name: Name, value: number): void;
}

export function teller<Name extends string>(
  { words, floats, doubles }: BoundKernel,
  numbers: Readonly<Record<Name, number>>,
): Teller<Name> {
  return {
    word(name, value) {
      words[FIRST_WORD + numbers[name]] = value;
    },
    float(name, value) {
      floats[FIRST_WORD + numbers[name]] = value;
    },
    double(name, value) {
      doubles[(FIRST_WORD + numbers[name]) / 2] = value;
    },
  };
}

/** Says which blocks of Philox a kernel draws, but for their numbers. */
export function tellAddress(
  { words }: BoundKernel,
  numbers: AddressNumbers,
  key: Key,
  stream: StreamId,
  step: number,
  item: number,
): void {
  words[FIRST_WORD + numbers.item] = item;
  words[FIRST_WORD + numbers.step] = stepLow(step);
  words[FIRST_WORD + numbers.stream] = streamWord(stream, step);
  words[FIRST_WORD + numbers.keyLow] = key.low;
  words[FIRST_WORD + numbers.keyHigh] = key.high;
}
