import type { LaneFunction, VectorOperation } from "./lanes.js";
import type { Machine } from "./machine.js";

type Make = VectorOperation["make"];

/** An operation on pairs of 32-bit words. */
function wordwise(operation: (a: number, b: number) => number): VectorOperation {
  return {
    make({ words }, n): LaneFunction {
      return (d, a, b) => {
        for (let i = 0; i < n; i++) words[d + i] = operation(words[a + i]!, words[b + i]!);
      };
    },
  };
}

/** An operation on words and the immediate. The destination of these stands in vvvv, so that both sources are the same. */
function withImmediate(operation: (value: number, immediate: number) => number): VectorOperation {
  return {
    make({ words }, n, i): LaneFunction {
      return (d, _, b) => {
        for (let w = 0; w < n; w++) words[d + w] = operation(words[b + w]!, i.immediate!);
      };
    },
  };
}

/** An operation on pairs of 64-bit lanes. */
function pairwise(operation: (a: bigint, b: bigint, immediate: number) => bigint): VectorOperation {
  return {
    make(m, n, i): LaneFunction {
      return (d, a, b) => {
        for (let w = 0; w < n; w += 2) setLong(m, d + w, operation(long(m, a + w), long(m, b + w), i.immediate ?? 0));
      };
    },
  };
}

/** The 64-bit lane at a word, without sign. */
export function long({ words }: Machine, at: number): bigint {
  return (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
}

function setLong({ words }: Machine, at: number, value: bigint): void {
  words[at] = Number(BigInt.asIntN(32, value));
  words[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
}

const copy: Make = ({ words }, n) => {
  return (d, _, b) => {
    for (let i = 0; i < n; i++) words[d + i] = words[b + i]!;
  };
};

/** The first lane repeated, as wide as elements are. */
const broadcast: Make = ({ words }, n, { elementBytes }) => {
  const step = elementBytes / 4;
  return (d, _, b) => {
    const lo = words[b]!;
    const hi = step === 1 ? lo : words[b + 1]!;
    for (let i = 0; i < n; i += 2) {
      words[d + i] = lo;
      words[d + i + 1] = hi;
    }
  };
};

/** The bit of the immediate that three bits choose. */
function ternary(table: number, a: number, b: number, c: number): number {
  let result = 0;
  for (let row = 0; row < 8; row++) {
    if (((table >> row) & 1) === 0) continue;
    result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  }
  return result;
}

const ternaryLogic: Make = ({ words }, n, i) => {
  return (d, a, b) => {
    for (let w = 0; w < n; w++) words[d + w] = ternary(i.immediate!, words[d + w]!, words[a + w]!, words[b + w]!);
  };
};

const and = wordwise((a, b) => a & b);
const andNot = wordwise((a, b) => ~a & b);
const or = wordwise((a, b) => a | b);
const xor = wordwise((a, b) => a ^ b);
const whole: VectorOperation = { make: copy };
const counted = (count: number, value: number) => (count > 31 ? 0 : value);

export const INTEGERS: Record<string, VectorOperation> = {
  vbroadcastss: { make: broadcast, crosses: true },
  vbroadcastsd: { make: broadcast, crosses: true },
  vpbroadcastd: { make: broadcast, crosses: true },
  vpbroadcastq: { make: broadcast, crosses: true },
  vpternlogd: { make: ternaryLogic, fused: true },
  vpternlogq: { make: ternaryLogic, fused: true },
  vpaddd: wordwise((a, b) => a + b),
  vpsubd: wordwise((a, b) => a - b),
  vpmulld: wordwise(Math.imul),
  vpminsd: wordwise(Math.min),
  vpmaxsd: wordwise(Math.max),
  vpminud: wordwise((a, b) => Math.min(a >>> 0, b >>> 0)),
  vpmaxud: wordwise((a, b) => Math.max(a >>> 0, b >>> 0)),
  vpabsd: wordwise((_, b) => Math.abs(b)),
  vpaddq: pairwise((a, b) => a + b),
  vpsubq: pairwise((a, b) => a - b),
  vpmuludq: pairwise((a, b) => (a & 0xffffffffn) * (b & 0xffffffffn)),
  vpslld: withImmediate((a, by) => counted(by, a << by)),
  vpsrld: withImmediate((a, by) => counted(by, a >>> by)),
  vpsrad: withImmediate((a, by) => a >> Math.min(by, 31)),
  vprold: withImmediate((a, by) => (a << (by & 31)) | (a >>> (-by & 31))),
  vprord: withImmediate((a, by) => (a >>> (by & 31)) | (a << (-by & 31))),
  vpsllq: pairwise((_, b, by) => (by > 63 ? 0n : b << BigInt(by))),
  vpsrlq: pairwise((_, b, by) => (by > 63 ? 0n : b >> BigInt(by))),
  vpsllvd: wordwise((a, by) => counted(by >>> 0, a << by)),
  vpsrlvd: wordwise((a, by) => counted(by >>> 0, a >>> by)),
  vpsravd: wordwise((a, by) => a >> Math.min(by >>> 0, 31)),
  vpcmpeqd: wordwise((a, b) => (a === b ? -1 : 0)),
  vpcmpgtd: wordwise((a, b) => (a > b ? -1 : 0)),
  vpcmpeqq: pairwise((a, b) => (a === b ? -1n : 0n)),
  vpcmpgtq: pairwise((a, b) => (BigInt.asIntN(64, a) > BigInt.asIntN(64, b) ? -1n : 0n)),
};

for (const suffix of ["ps", "pd"]) {
  INTEGERS[`vand${suffix}`] = and;
  INTEGERS[`vandn${suffix}`] = andNot;
  INTEGERS[`vor${suffix}`] = or;
  INTEGERS[`vxor${suffix}`] = xor;
}
for (const suffix of ["", "d", "q"]) {
  INTEGERS[`vpand${suffix}`] = and;
  INTEGERS[`vpandn${suffix}`] = andNot;
  INTEGERS[`vpor${suffix}`] = or;
  INTEGERS[`vpxor${suffix}`] = xor;
}
for (const name of ["vmovups", "vmovupd", "vmovaps", "vmovapd", "vmovdqu", "vmovdqa", "vmovdqu32", "vmovdqu64"]) {
  INTEGERS[name] = whole;
}
for (const name of ["vmovdqu8", "vmovdqu16", "vmovdqa32"]) INTEGERS[name] = whole;
