import type { Instruction } from "./instruction.js";
import type { VectorOperation } from "./lanes.js";
import { WORDS } from "./lanes.js";
import type { Machine } from "./machine.js";

/** Results of the 16 comparisons of vcmpps, of their quiet and their signalling kind alike: 1 if less, 2 if equal, 4 if greater, 8 if unordered. */
const HOLDS = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15];

/** Whether two numbers compare as the immediate says. */
function comparison(immediate: number): (a: number, b: number) => boolean {
  const holds = HOLDS[immediate & 15]!;
  return (a, b) => ((a < b ? 1 : a === b ? 2 : a > b ? 4 : 8) & holds) !== 0;
}

/** The eight comparisons of vpcmpd. */
function integerComparison(immediate: number): (a: number, b: number) => boolean {
  const holds = [2, 1, 3, 0, 5, 6, 4, 7][immediate & 7]!;
  return (a, b) => ((a < b ? 1 : a === b ? 2 : 4) & holds) !== 0;
}

/** Lanes that compare, as a mask. */
export function compareLanes(m: Machine, i: Instruction): (a: number, b: number) => number {
  const { words, floats, doubles } = m;
  const scalar = i.name.endsWith("ss") || i.name.endsWith("sd");
  const lanes = scalar ? 1 : i.bytes / i.elementBytes;
  const loop = (holds: (a: number, b: number) => boolean) => (a: number, b: number) => {
    let mask = 0;
    for (let lane = 0; lane < lanes; lane++) if (holds(a + lane, b + lane)) mask |= 1 << lane;
    return mask;
  };
  switch (i.name) {
    case "vcmpps":
    case "vcmpss": {
      const compare = comparison(i.immediate!);
      return loop((a, b) => compare(floats[a]!, floats[b]!));
    }
    case "vcmppd":
    case "vcmpsd": {
      const compare = comparison(i.immediate!);
      const lane = loop((a, b) => compare(doubles[a]!, doubles[b]!));
      return (a, b) => lane(a >> 1, b >> 1);
    }
    case "vpcmpd":
    case "vpcmpud": {
      const compare = integerComparison(i.immediate!);
      const flip = i.name === "vpcmpud" ? -(2 ** 31) : 0;
      return loop((a, b) => compare(words[a]! ^ flip, words[b]! ^ flip));
    }
    case "vpcmpeqd":
      return loop((a, b) => words[a] === words[b]);
    case "vpcmpgtd":
      return loop((a, b) => words[a]! > words[b]!);
    case "vptestmd":
      return loop((a, b) => (words[a]! & words[b]!) !== 0);
    case "vptestnmd":
      return loop((a, b) => (words[a]! & words[b]!) === 0);
    case "vfpclassps":
      return loop((_, b) => ofClass(words[b]!, floats[b]!, i.immediate!));
    case "vpmovd2m":
      return loop((_, b) => words[b]! < 0);
    default:
      throw new Error(`${i.name} to a mask is not emulated`);
  }
}

function ofClass(bits: number, value: number, classes: number): boolean {
  const nan = Number.isNaN(value);
  const tests = [
    nan && (bits & 0x400000) !== 0,
    Object.is(value, 0),
    Object.is(value, -0),
    value === Infinity,
    value === -Infinity,
    value !== 0 && Math.abs(value) < 2 ** -126,
    value < 0 && Number.isFinite(value),
    nan && (bits & 0x400000) === 0,
  ];
  return tests.some((test, bit) => test && ((classes >> bit) & 1) === 1);
}

/** A comparison whose lanes become all ones or all zeros (AVX). */
const compareToLanes: VectorOperation = {
  crosses: true,
  make(m, n, i) {
    const compare = compareLanes(m, i);
    const shift = i.elementBytes === 8 ? 1 : 0;
    return (d, a, b) => {
      const mask = compare(a, b);
      for (let w = 0; w < n; w++) m.words[d + w] = (mask >> (w >> shift)) & 1 ? -1 : 0;
    };
  },
};

/** The second source where a lane is chosen, else the first. */
function blend(chosen: (m: Machine, i: Instruction) => (lane: number) => boolean): VectorOperation {
  return {
    make(m, n, i) {
      const { words } = m;
      const test = chosen(m, i);
      const shift = i.elementBytes === 8 ? 1 : 0;
      return (d, a, b) => {
        // A choice that stands in the destination is read before any lane is written.
        let mask = 0;
        for (let w = 0; w < n; w++) if (test(w >> shift)) mask |= 1 << w;
        for (let w = 0; w < n; w++) words[d + w] = (mask >> w) & 1 ? words[b + w]! : words[a + w]!;
      };
    },
  };
}

/** By the sign of lanes of the register that the immediate names. */
const byRegister = blend((m, i) => {
  const from = WORDS * (i.immediate! >> 4);
  const last = i.elementBytes === 8 ? 1 : 0;
  return (lane) => m.words[from + (lane << last) + last]! < 0;
});

const byImmediate = blend((_, i) => (lane) => ((i.immediate! >> lane) & 1) === 1);

/** By bytes: the lanes are of one byte each. */
const byByte: VectorOperation = {
  make({ bytes }, n, i) {
    const from = 4 * WORDS * (i.immediate! >> 4);
    return (d, a, b) => {
      for (let k = 0; k < 4 * n; k++) bytes[4 * d + k] = bytes[from + k]! > 127 ? bytes[4 * b + k]! : bytes[4 * a + k]!;
    };
  },
};

export const CHOICES: Record<string, VectorOperation> = {
  vcmpps: compareToLanes,
  vcmppd: compareToLanes,
  vcmpss: { ...compareToLanes, scalar: true },
  vcmpsd: { ...compareToLanes, scalar: true },
  vblendvps: byRegister,
  vblendvpd: byRegister,
  vpblendvb: byByte,
  vblendps: byImmediate,
  vblendpd: byImmediate,
  vpblendd: byImmediate,
};
