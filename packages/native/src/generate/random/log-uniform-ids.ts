import type { Assembler } from "../../assembler/assembler.js";
import { argument, argumentNumbers } from "../arguments.js";
import { joinHalves } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import type { PhiloxWords } from "./philox.js";
import { portableExponentials } from "./portable-exponential.js";
import { DRAWN_WORDS, type Draw, writeDrawn } from "./turn.js";
import { cutWords, FACTOR, halfOfUniforms, REGISTERS, type WordPair } from "./uniforms.js";

/** `factor` is log(n + 1)·ULP, a float64; `last` is n − 1. */
export const LOG_UNIFORM_IDS = argumentNumbers(["factor", "factorHigh", "last", ...DRAWN_WORDS]);

/** Registers that drawing leaves alone. In the first two stand exponents of a turn's first blocks while its others are drawn. */
const [EARLIER, SPARE, LAST] = [[11, 12], 13, 14] as const;

/** `DrawKernels.logUniformIds`. A turn makes two vectors, by four of float64 side by side. */
export function generateLogUniformIds(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    v.op("vbroadcastsd", FACTOR, -1, argument(LOG_UNIFORM_IDS.factor));
    v.broadcast(LAST, argument(LOG_UNIFORM_IDS.last));
    writeDrawn(
      v,
      LOG_UNIFORM_IDS,
      (lane) => lane,
      (draw) => turnOfIds(v, draw),
    );
  }, []);
}

/** Answers with the registers of two vectors of ids. */
function turnOfIds(v: Vectors, draw: Draw): readonly number[] {
  const earlier = draw("first");
  exponents(v, earlier, EARLIER, earlier.free[0]!);
  const { words, free } = draw("first");
  const [low, high, scratch] = free as [number, number, number];
  exponents(v, { words }, [low, high], scratch);
  // Keys are free behind the last round.
  const spare = [...words, ...REGISTERS.key, scratch, SPARE];
  const values = [...EARLIER, low, high].map((value, i) => {
    return { value, power: spare[2 * i]!, remainder: spare[2 * i + 1]! };
  });
  portableExponentials(v, values);
  floorsInRange(v, EARLIER, scratch);
  floorsInRange(v, [low, high], scratch);
  return [EARLIER[0], low];
}

/** Two vectors of float64 ← u·log(n + 1), u the first uniforms of blocks. */
function exponents(
  v: Vectors,
  { words: [upper, lower] }: Pick<PhiloxWords, "words">,
  halves: readonly [number, number],
  scratch: number,
): void {
  const first: WordPair = [upper, lower];
  cutWords(v, first);
  for (const half of [0, 1] as const) halfOfUniforms(v, half, halves[half], first, scratch, FACTOR);
}

/**
 * The first of two registers ← (⌊x⌋ − 1) mod n, int32, of what stands in them as float64. As e^(u·log(n + 1)) lies in [1, n + 1) and x is at most 1e-14 of
 * it away, and not below 1, where each term of the exponential is positive, ⌊x⌋ − 1 lies in [0, n]: a remainder is another number for n alone.
 */
function floorsInRange(v: Vectors, [low, high]: readonly [number, number], scratch: number): void {
  // What is converted is not negative, so that truncating is ⌊ ⌋.
  for (const half of [low, high]) v.op("vcvttpd2dq", half, -1, half);
  joinHalves(v, low, low, high);
  v.op("vpaddd", low, low, v.wordInMemory(-1));
  v.whereNotBelow(low, LAST, low, scratch);
}
