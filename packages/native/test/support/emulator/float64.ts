import { fusedOperands } from "./float32.js";
import type { LaneFunction, VectorOperation } from "./lanes.js";
import type { Machine } from "./machine.js";
import { fma64, nan64, roundBy } from "./rounding.js";

type Make = VectorOperation["make"];

/** An operation of two float64 for each pair of lanes; `words` are two to a lane. */
function lanewise(operation: (a: number, b: number) => number): Make {
  return (m, words) => {
    const f = m.doubles;
    return (d, a, b) => {
      for (let w = 0; w < words; w += 2) {
        const result = operation(f[(a + w) >> 1]!, f[(b + w) >> 1]!);
        if (!Number.isNaN(result)) f[(d + w) >> 1] = result;
        else nan64(m, d + w, a + w, b + w);
      }
    };
  };
}

/** The same of the second source alone. */
function unary(operation: (b: number) => number): Make {
  return (m, words) => {
    const f = m.doubles;
    return (d, _, b) => {
      for (let w = 0; w < words; w += 2) {
        const result = operation(f[(b + w) >> 1]!);
        if (!Number.isNaN(result)) f[(d + w) >> 1] = result;
        else nan64(m, d + w, b + w, b + w);
      }
    };
  };
}

/** The first operand where the choice says so, else the second: as it is, NaN as well. */
function choice(first: (a: number, b: number) => boolean): Make {
  return (m, words) => {
    const f = m.doubles;
    return (d, a, b) => {
      for (let w = 0; w < words; w += 2) copyPair(m, d + w, first(f[(a + w) >> 1]!, f[(b + w) >> 1]!) ? a + w : b + w);
    };
  };
}

function copyPair({ words }: Machine, to: number, from: number): void {
  const [lo, hi] = [words[from]!, words[from + 1]!];
  words[to] = lo;
  words[to + 1] = hi;
}

const round: Make = (m, words, i) => {
  const unit = 2 ** (i.immediate! >> 4);
  const mode = (i.immediate! & 4) !== 0 ? 0 : i.immediate! & 3;
  return unary((value) => roundBy(mode, value * unit) / unit)(m, words, i);
};

function fused(order: string, negateProduct: boolean, subtractThird: boolean): Make {
  return (m, words): LaneFunction => {
    const f = m.doubles;
    return (d, a, b) => {
      const [x, y, z] = fusedOperands(order, d, a, b) as [number, number, number];
      for (let w = 0; w < words; w += 2) {
        const p = f[(x + w) >> 1]!;
        const c = f[(z + w) >> 1]!;
        const result = fma64(negateProduct ? -p : p, f[(y + w) >> 1]!, subtractThird ? -c : c);
        if (!Number.isNaN(result)) f[(d + w) >> 1] = result;
        else nan64(m, d + w, x + w, y + w, z + w);
      }
    };
  };
}

const OPERATIONS: Readonly<Record<string, Make>> = {
  vadd: lanewise((a, b) => a + b),
  vsub: lanewise((a, b) => a - b),
  vmul: lanewise((a, b) => a * b),
  vdiv: lanewise((a, b) => a / b),
  vsqrt: unary(Math.sqrt),
  vmin: choice((a, b) => a < b),
  vmax: choice((a, b) => a > b),
};

export const FLOAT64: Record<string, VectorOperation> = {
  vroundpd: { make: round },
  vroundsd: { make: round, scalar: true },
  vrndscalepd: { make: round },
  vrndscalesd: { make: round, scalar: true },
};

for (const [name, make] of Object.entries(OPERATIONS)) {
  FLOAT64[`${name}pd`] = { make };
  FLOAT64[`${name}sd`] = { make, scalar: true };
}
for (const order of ["132", "213", "231"]) {
  for (const [name, negate, subtractThird] of [
    ["vfmadd", false, false],
    ["vfmsub", false, true],
    ["vfnmadd", true, false],
    ["vfnmsub", true, true],
  ] as const) {
    const make = fused(order, negate, subtractThird);
    FLOAT64[`${name}${order}pd`] = { make, fused: true };
    FLOAT64[`${name}${order}sd`] = { make, fused: true, scalar: true };
  }
}
