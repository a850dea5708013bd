import type { VectorOperation } from "./lanes.js";
import { nan32 } from "./rounding.js";

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** The bits of the bfloat16 nearest to a float32, ties to even; what is below 2^−126 in size becomes 0 with its sign. */
function narrow(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  if ((bits & 0x7f800000) === 0) return (bits >>> 16) & 0x8000;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** A float32 from its bits; what is below 2^−126 in size counts as 0. */
function flushed(bits: number): number {
  scratchBits[0] = (bits & 0x7f800000) === 0 ? bits & 0x80000000 : bits;
  return scratch[0]!;
}

/** sum + a · b of bfloat16 a and b, rounded once to float32; subnormal numbers count, and come out, as 0. Bits. */
export function addProduct(sum: number, a: number, b: number): number {
  const [x, y] = [a << 16, b << 16];
  // Exact in float64, and so near to a float32 or so far from halfway between two that rounding twice is rounding once.
  const result = Math.fround(flushed(x) * flushed(y) + flushed(sum));
  return Number.isNaN(result) ? nan32(x, y, sum) : settled(result);
}

/** a + b of float32, the same way. Bits. */
export function addFlushed(a: number, b: number): number {
  const result = Math.fround(flushed(a) + flushed(b));
  return Number.isNaN(result) ? nan32(a, b) : settled(result);
}

function settled(result: number): number {
  scratch[0] = Math.abs(result) < 2 ** -126 ? 0 * Math.sign(result) : result;
  return scratchBits[0]!;
}

/** The second source becomes the lower half, the first one the upper. */
const narrowTwo: VectorOperation = {
  crosses: true,
  make({ words, halves }, n) {
    return (d, a, b) => {
      for (let i = 0; i < n; i++) {
        const [low, high] = [narrow(words[b + i]!), narrow(words[a + i]!)];
        halves[2 * d + i] = low;
        halves[2 * d + n + i] = high;
      }
    };
  },
};

/** Sums of products of pairs: the upper ones first. */
const sumPairs: VectorOperation = {
  fused: true,
  make({ words, halves }, n) {
    return (d, a, b) => {
      for (let i = 0; i < n; i++) {
        let sum = words[d + i]!;
        for (const half of [1, 0]) sum = addProduct(sum, halves[2 * (a + i) + half]!, halves[2 * (b + i) + half]!);
        words[d + i] = sum;
      }
    };
  },
};

/** Halves of the second source by numbers that stand in the first. */
const permuteHalves: VectorOperation = {
  crosses: true,
  make({ halves }, n) {
    return (d, a, b) => {
      for (let i = 0; i < 2 * n; i++) halves[2 * d + i] = halves[2 * b + (halves[2 * a + i]! & (2 * n - 1))]!;
    };
  },
};

/** The halves in the upper or lower part of 128 bits, of both sources in turns. */
function interleaveHalves(upper: boolean): VectorOperation {
  return {
    crosses: true,
    make({ halves }, n) {
      return (d, a, b) => {
        for (let i = 0; i < 2 * n; i++) {
          const from = (i & ~7) + ((i & 7) >> 1) + (upper ? 4 : 0);
          halves[2 * d + i] = halves[2 * ((i & 1) === 0 ? a : b) + from]!;
        }
      };
    },
  };
}

export const BFLOAT16: Record<string, VectorOperation> = {
  vcvtne2ps2bf16: narrowTwo,
  vdpbf16ps: sumPairs,
  vpermw: permuteHalves,
  vpunpcklwd: interleaveHalves(false),
  vpunpckhwd: interleaveHalves(true),
};
