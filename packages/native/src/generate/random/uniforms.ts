import type { Memory } from "../../assembler/operands.js";
import { type Half, joinHalves, widenHalf } from "../doubles.js";
import type { Vectors } from "../vectors.js";
import type { PhiloxRegisters } from "./philox.js";

/** 53 bits of two words: (a >> 5)·2^26 + (b >> 6). */
const LOST_BITS = [5, 6] as const;
const TWO_26 = 2 ** 26;

/** What 53 bits are multiplied with to be a uniform. */
export const ULP = 2 ** -53;

/** Vector registers of generators of uniforms: those of their blocks, of numbers of blocks, and of a factor. v15 is the tail's. */
export const REGISTERS: PhiloxRegisters = { counter: [0, 1, 2, 3], key: [7, 8], free: [4, 5, 6] };
export const BLOCKS = 9;
export const FACTOR = 10;

/** Two words of blocks, as vectors; changed by `cutWords`. */
export type WordPair = readonly [number, number];

/** Brings two words of blocks to the bits of them that a uniform takes. Once before `halfOfUniforms`. */
export function cutWords(v: Vectors, words: WordPair): void {
  for (const [i, word] of words.entries()) v.asm.vpsrld(v.bytes, word, word, LOST_BITS[i]!);
}

/**
 * destination ← factor times the 53 bits of words that have been cut, of one half of the lanes, float64: uniforms if it is ULP, and as exactly u·range
 * rounded if it is ULP·range. Changes `scratch`.
 */
export function halfOfUniforms(
  v: Vectors,
  half: Half,
  destination: number,
  words: WordPair,
  scratch: number,
  factor: number | Memory,
): void {
  widenHalf(v, half, scratch, words[0], "vcvtdq2pd");
  widenHalf(v, half, destination, words[1], "vcvtdq2pd");
  v.op("vfmadd231pd", destination, scratch, v.doubleInMemory(TWO_26));
  v.op("vmulpd", destination, destination, factor);
}

/** destination ← ⌊u·range⌋, int32, of the uniforms that two words make, where FACTOR holds ULP·range. Changes the words and `free`. */
export function floorsOfUniforms(
  v: Vectors,
  destination: number,
  words: WordPair,
  free: readonly [number, number],
): void {
  const halves = [destination, free[0]] as const;
  cutWords(v, words);
  for (const half of [0, 1] as const) {
    halfOfUniforms(v, half, halves[half], words, free[1], FACTOR);
    // What is converted is not negative, so that truncating is ⌊ ⌋.
    v.op("vcvttpd2dq", halves[half], -1, halves[half]);
  }
  joinHalves(v, destination, halves[0], halves[1]);
}
