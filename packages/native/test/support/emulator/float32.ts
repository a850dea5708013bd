import type { VectorOperation } from "./lanes.js";
import { fma32, nan32, roundBy } from "./rounding.js";

type Make = VectorOperation["make"];

/** Arithmetic of two operands, rounded to float32. Each has a loop of its own: these are what kernels spend their time on. */
const add: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(f[a + i]! + f[b + i]!);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[a + i]!, words[b + i]!);
    }
  };
};

const subtract: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(f[a + i]! - f[b + i]!);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[a + i]!, words[b + i]!);
    }
  };
};

const multiply: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(f[a + i]! * f[b + i]!);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[a + i]!, words[b + i]!);
    }
  };
};

/** Rounding the quotient, or the root, of float32 twice, by way of float64, is rounding it once. */
const divide: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(f[a + i]! / f[b + i]!);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[a + i]!, words[b + i]!);
    }
  };
};

const squareRoot: Make = ({ floats: f, words }, n) => {
  return (d, _, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(Math.sqrt(f[b + i]!));
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[b + i]!, words[b + i]!);
    }
  };
};

/** The second operand wherever the comparison does not hold: with NaN, and of two zeros. */
const minimum: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) words[d + i] = f[a + i]! < f[b + i]! ? words[a + i]! : words[b + i]!;
  };
};

const maximum: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) words[d + i] = f[a + i]! > f[b + i]! ? words[a + i]! : words[b + i]!;
  };
};

/** 2^⌊b⌋·a, rounded once. */
const scale: Make = ({ floats: f, words }, n) => {
  return (d, a, b) => {
    for (let i = 0; i < n; i++) {
      const [x, y] = [f[a + i]!, f[b + i]!];
      // Beyond ±600 nothing changes any more: every float32 has become 0 or ∞, but 0 and ∞ themselves need the true power.
      const power = Number.isFinite(y) ? 2 ** Math.max(-600, Math.min(600, Math.floor(y))) : 2 ** y;
      const result = Math.fround(x * power);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[a + i]!, words[b + i]!);
    }
  };
};

/** vroundps and vrndscaleps: to a multiple of 2^−(upper half of the immediate). */
const round: Make = ({ floats: f, words }, n, { immediate }) => {
  const unit = 2 ** (immediate! >> 4);
  const mode = (immediate! & 4) !== 0 ? 0 : immediate! & 3;
  return (d, _, b) => {
    for (let i = 0; i < n; i++) {
      const result = Math.fround(roundBy(mode, f[b + i]! * unit) / unit);
      if (!Number.isNaN(result)) f[d + i] = result;
      else words[d + i] = nan32(words[b + i]!, words[b + i]!);
    }
  };
};

/** ⌊log2 |b|⌋ */
const exponent: Make = ({ floats: f, words }, n) => {
  return (d, _, b) => {
    for (let i = 0; i < n; i++) {
      const size = Math.abs(f[b + i]!);
      if (Number.isNaN(size)) words[d + i] = nan32(words[b + i]!, 0);
      else f[d + i] = Number.isFinite(size) && size > 0 ? exponentOf(size) : Math.log2(size);
    }
  };
};

function exponentOf(size: number): number {
  const guess = Math.round(Math.log2(size));
  return 2 ** guess > size ? guess - 1 : guess;
}

/**
 * Fused multiply-adds. The digits name the operands: 1 is the destination, 2 the first source, 3 the second; the first two are multiplied, the third
 * is added.
 */
function fused(order: string, negateProduct: boolean, subtractThird: boolean): Make {
  return ({ floats: f, words }, n) => {
    return (d, a, b) => {
      const [x, y, z] = fusedOperands(order, d, a, b);
      for (let i = 0; i < n; i++) {
        const p = f[x! + i]!;
        const c = f[z! + i]!;
        const result = fma32(negateProduct ? -p : p, f[y! + i]!, subtractThird ? -c : c);
        if (!Number.isNaN(result)) f[d + i] = result;
        else words[d + i] = nan32(words[x! + i]!, words[y! + i]!, words[z! + i]!);
      }
    };
  };
}

/** The two factors and the addend among destination and sources. */
export function fusedOperands(order: string, d: number, a: number, b: number): readonly number[] {
  return order === "132" ? [d, b, a] : order === "213" ? [a, d, b] : [a, b, d];
}

const BINARY: Readonly<Record<string, Make>> = {
  vadd: add,
  vsub: subtract,
  vmul: multiply,
  vdiv: divide,
  vmin: minimum,
  vmax: maximum,
  vsqrt: squareRoot,
};

export const FLOAT32: Record<string, VectorOperation> = {
  vscalefps: { make: scale },
  vroundps: { make: round },
  vroundss: { make: round, scalar: true },
  vrndscaleps: { make: round },
  vrndscaless: { make: round, scalar: true },
  vgetexpps: { make: exponent },
};

for (const [name, make] of Object.entries(BINARY)) {
  FLOAT32[`${name}ps`] = { make };
  FLOAT32[`${name}ss`] = { make, scalar: true };
}
for (const order of ["132", "213", "231"]) {
  for (const [name, negate, subtractThird] of [
    ["vfmadd", false, false],
    ["vfmsub", false, true],
    ["vfnmadd", true, false],
    ["vfnmsub", true, true],
  ] as const) {
    const make = fused(order, negate, subtractThird);
    FLOAT32[`${name}${order}ps`] = { make, fused: true };
    FLOAT32[`${name}${order}ss`] = { make, fused: true, scalar: true };
  }
}
