import type { LaneFunction, VectorOperation } from "./lanes.js";
import type { Machine } from "./machine.js";
import { nearestEven } from "./rounding.js";

/** What a conversion to an integer of 32 bits gives where there is none. */
const INDEFINITE = -(2 ** 31);

/** To an integer of 32 bits, by rounding to the nearest or towards 0. */
function toInteger(value: number, truncate: boolean): number {
  if (!(Math.abs(value) < 2 ** 40)) return INDEFINITE;
  const rounded = truncate ? Math.trunc(value) : nearestEven(value);
  return rounded >= -(2 ** 31) && rounded < 2 ** 31 ? rounded : INDEFINITE;
}

/** From float64 to float32; a NaN keeps its sign and the upper bits of its payload, and becomes quiet. */
function narrow(m: Machine, to: number, from: number): void {
  const value = m.doubles[from >> 1]!;
  if (!Number.isNaN(value)) {
    m.floats[to] = value;
    return;
  }
  const [lo, hi] = [m.words[from]!, m.words[from + 1]!];
  m.words[to] = (hi & 0x80000000) | 0x7fc00000 | ((hi & 0x7ffff) << 3) | (lo >>> 29);
}

function widen(m: Machine, to: number, from: number): void {
  const value = m.floats[from]!;
  const bits = m.words[from]!;
  if (!Number.isNaN(value)) {
    m.doubles[to >> 1] = value;
    return;
  }
  m.words[to] = bits << 29;
  m.words[to + 1] = (bits & 0x80000000) | 0x7ff80000 | ((bits & 0x3fffff) >>> 3);
}

/** Lanes of 32 bits become as many of 64. */
function toLong(convert: (m: Machine, to: number, from: number) => void, scalar = false): VectorOperation {
  return {
    scalar,
    crosses: true,
    make: (m, n) => (d, _, b) => {
      for (let w = 0; w < n; w += 2) convert(m, d + w, b + (w >> 1));
    },
  };
}

/** Lanes of 64 bits become as many of 32: half a vector, but of 128 bits at least, with zeros behind. */
function toShort(convert: (m: Machine, to: number, from: number) => void): VectorOperation {
  return {
    crosses: true,
    words: (i) => Math.max(4, i.bytes / 8),
    make(m, n, i) {
      return (d, _, b) => {
        for (let w = 0; w < n; w++) {
          if (8 * w < i.bytes) convert(m, d + w, b + 2 * w);
          else m.words[d + w] = 0;
        }
      };
    },
  };
}

/** Lanes of fewer bytes become lanes of more. */
function extend(fromBytes: number, signed: boolean): VectorOperation {
  return {
    crosses: true,
    make(m, n, i) {
      const unused = 32 - 8 * fromBytes;
      const step = i.elementBytes / 4;
      const source = (b: number, lane: number): number => {
        if (fromBytes === 4) return m.words[b + lane]!;
        return fromBytes === 2 ? m.halves[2 * b + lane]! : m.bytes[4 * b + lane]!;
      };
      return (d, _, b) => {
        for (let w = 0; w < n; w += step) {
          const value = source(b, w / step);
          const word = signed ? (value << unused) >> unused : value;
          m.words[d + w] = word;
          if (step === 2) m.words[d + w + 1] = signed ? word >> 31 : 0;
        }
      };
    },
  };
}

/** The lower halves of lanes, side by side. */
const truncateLanes: VectorOperation = {
  crosses: true,
  words: (i) => Math.max(4, i.bytes / 8),
  make(m, n, { elementBytes, bytes }): LaneFunction {
    return (d, _, b) => {
      for (let w = 0; w < n; w++) {
        if (8 * w >= bytes) m.words[d + w] = 0;
        else if (elementBytes === 4) m.words[d + w] = m.words[b + 2 * w]!;
        else m.words[d + w] = (m.words[b + 2 * w]! & 0xffff) | (m.words[b + 2 * w + 1]! << 16);
      }
    };
  },
};

/** Words that become floats, or floats that become words. */
function wordwise(convert: (m: Machine, from: number) => number, into: "words" | "floats"): VectorOperation {
  return {
    make: (m, n) => (d, _, b) => {
      for (let w = 0; w < n; w++) m[into][d + w] = convert(m, b + w);
    },
  };
}

function widenInteger({ doubles, words }: Machine, to: number, from: number): void {
  doubles[to >> 1] = words[from]!;
}

function integerOf(truncate: boolean): (m: Machine, to: number, from: number) => void {
  return ({ doubles, words }, to, from) => {
    words[to] = toInteger(doubles[from >> 1]!, truncate);
  };
}

export const CONVERSIONS: Record<string, VectorOperation> = {
  vcvtdq2ps: wordwise(({ words }, from) => words[from]!, "floats"),
  vcvtps2dq: wordwise(({ floats }, from) => toInteger(floats[from]!, false), "words"),
  vcvttps2dq: wordwise(({ floats }, from) => toInteger(floats[from]!, true), "words"),
  vcvtps2pd: toLong(widen),
  vcvtss2sd: toLong(widen, true),
  vcvtdq2pd: toLong(widenInteger),
  vcvtpd2ps: toShort(narrow),
  vcvtpd2dq: toShort(integerOf(false)),
  vcvttpd2dq: toShort(integerOf(true)),
  vcvtsd2ss: { scalar: true, make: (m) => (d, _, b) => narrow(m, d, b) },
  vpmovzxwd: extend(2, false),
  vpmovsxwd: extend(2, true),
  vpmovzxbd: extend(1, false),
  vpmovzxdq: extend(4, false),
  vpmovsxdq: extend(4, true),
  vpmovdw: truncateLanes,
  vpmovqd: truncateLanes,
};
