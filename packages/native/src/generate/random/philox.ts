import { type Memory, RAX } from "../../assembler/operands.js";
import { argument } from "../arguments.js";
import type { Vectors } from "../vectors.js";

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;

/** vpermilps: the upper word of each pair of lanes in both, or the lower one. */
const UPPER = 0xf5;
const LOWER = 0xa0;

/** The lanes with an odd number: a mask register of AVX-512, and an immediate of AVX2. */
const ODD_MASK = 3;
const ODD_LANES = 0xaa;

type Four = readonly [number, number, number, number];

/** Vector registers of a Philox in lanes. All are changed. */
export interface PhiloxRegisters {
  /** Words 0 to 3 of the counters of as many blocks as there are lanes. */
  readonly counter: Four;
  /** Both words of the key, the same in each lane. */
  readonly key: readonly [number, number];
  readonly free: readonly [number, number, number];
}

/** A kernel's arguments that say which blocks it draws, but for their numbers: the other words of the counter, and the key. */
export const ADDRESS_WORDS = ["item", "step", "stream", "keyLow", "keyHigh"] as const;

export type AddressNumbers = Readonly<Record<(typeof ADDRESS_WORDS)[number], number>>;

/** Which words of blocks are wanted: those of the first uniform, words 0 and 1, cost a product less in the last round. */
export type Wanted = "all" | "first";

/** The answer of `philoxOf`. */
export interface PhiloxWords {
  /** The registers that hold words 0 to 3 of the blocks. Where the first are wanted, the last two hold nothing. */
  readonly words: Four;
  /** Those that are free. */
  readonly free: readonly number[];
}

/** Once before `philoxOf`: AVX-512 keeps the odd lanes in mask k3. Changes RAX. */
export function setOddLanes({ set, asm }: Vectors): void {
  if (set !== "avx512") return;
  asm.movConstant(RAX, 0xaaaa);
  asm.kmovToMask(ODD_MASK, RAX);
}

/** The blocks whose numbers are the lanes of `blocks`, which stay; what else addresses them are arguments. */
export function philoxOf(
  v: Vectors,
  registers: PhiloxRegisters,
  blocks: number,
  numbers: AddressNumbers,
  wanted: Wanted = "all",
): PhiloxWords {
  const { counter, key } = registers;
  v.move(counter[0], blocks);
  for (const [i, name] of ADDRESS_WORDS.entries())
    v.broadcast([counter[1], counter[2], counter[3], key[0], key[1]][i]!, argument(numbers[name]));
  return philox(v, registers, wanted);
}

/** Philox 4x32-10 (Salmon and others 2011), as in @logq/core, a block a lane. */
function philox(v: Vectors, { counter, key, free }: PhiloxRegisters, wanted: Wanted): PhiloxWords {
  const multipliers = MULTIPLIERS.map((word) => v.wordInMemory(word));
  let [x0, x1, x2, x3] = counter;
  let [odd, low0, low1] = free;
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) for (const i of [0, 1] as const) v.op("vpaddd", key[i], key[i], v.wordInMemory(WEYL[i]));
    multiplyInPlace(v, x2, low1, odd, multipliers[1]!);
    v.xorBoth(x2, x1, key[0]);
    if (wanted === "all" || round < ROUNDS - 1) {
      multiplyInPlace(v, x0, low0, odd, multipliers[0]!);
      v.xorBoth(x0, x3, key[1]);
    }
    [x0, x1, x2, x3, low0, low1] = [x2, low1, x0, low0, x1, x3];
  }
  return { words: [x0, x1, x2, x3], free: [odd, low0, low1] };
}

/** 64-bit products of the lanes of x: their upper words to x, the lower ones to `low`. Products are made of even lanes alone. */
function multiplyInPlace(v: Vectors, x: number, low: number, odd: number, multiplier: Memory): void {
  v.op("vpermilps", odd, -1, x, UPPER);
  v.op("vpmuludq", low, x, multiplier);
  v.op("vpmuludq", odd, odd, multiplier);
  v.op("vpermilps", x, -1, low, UPPER);
  if (v.set === "avx512") {
    v.asm.evex("vmovups", 64, x, -1, odd, { mask: ODD_MASK });
    v.asm.evex("vpermilps", 64, low, -1, odd, { mask: ODD_MASK, immediate: LOWER });
  } else {
    v.op("vblendps", x, x, odd, ODD_LANES);
    v.op("vpermilps", odd, -1, odd, LOWER);
    v.op("vblendps", low, low, odd, ODD_LANES);
  }
}
