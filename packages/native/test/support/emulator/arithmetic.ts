import { type Machine, type Step, UNDEFINED } from "./machine.js";

/** destination ← destination op source on general registers, with flags; `wide`: 64 bits, else 32, which clear the upper half. */
export type ArithmeticMaker = (m: Machine, destination: number, source: number, wide: boolean, write: boolean) => Step;

/** Sign and zero of a result; parity is that of its lowest byte, which nothing here looks at. */
function setResult(m: Machine, lo: number, hi: number, wide: boolean): void {
  m.zero = (wide ? lo | hi : lo) === 0 ? 1 : 0;
  m.sign = (wide ? hi : lo) < 0 ? 1 : 0;
  m.parity = UNDEFINED;
}

/** Adds, and the carry before with it if `carryIn` reads it. */
function addition(carryIn: (m: Machine) => number): ArithmeticMaker {
  return (m, destination, source, wide, write) => {
    const g = m.general;
    const [d, s] = [2 * destination, 2 * source];
    return () => {
      const aLo = g[d]!;
      const aHi = g[d + 1]!;
      const bLo = g[s]!;
      const bHi = g[s + 1]!;
      const sum = (aLo >>> 0) + (bLo >>> 0) + carryIn(m);
      const lo = sum | 0;
      const carry = sum > 0xffffffff ? 1 : 0;
      const hi = wide ? (aHi + bHi + carry) | 0 : 0;
      setResult(m, lo, hi, wide);
      m.carry = wide ? ((aHi >>> 0) + (bHi >>> 0) + carry > 0xffffffff ? 1 : 0) : carry;
      m.overflow = (wide ? (aHi ^ hi) & (bHi ^ hi) : (aLo ^ lo) & (bLo ^ lo)) < 0 ? 1 : 0;
      if (write) {
        g[d] = lo;
        g[d + 1] = hi;
      }
    };
  };
}

/** The carry; throws where it is undefined. */
function knownCarry({ carry }: Machine): number {
  if (carry === UNDEFINED) throw new Error("an addition of an undefined carry");
  return carry;
}

const subtract: ArithmeticMaker = (m, destination, source, wide, write) => {
  const g = m.general;
  const [d, s] = [2 * destination, 2 * source];
  return () => {
    const aLo = g[d]!;
    const aHi = g[d + 1]!;
    const bLo = g[s]!;
    const bHi = g[s + 1]!;
    const lo = (aLo - bLo) | 0;
    const borrow = aLo >>> 0 < bLo >>> 0 ? 1 : 0;
    const hi = wide ? (aHi - bHi - borrow) | 0 : 0;
    setResult(m, lo, hi, wide);
    m.carry = wide ? ((aHi >>> 0) - (bHi >>> 0) - borrow < 0 ? 1 : 0) : borrow;
    m.overflow = (wide ? (aHi ^ bHi) & (aHi ^ hi) : (aLo ^ bLo) & (aLo ^ lo)) < 0 ? 1 : 0;
    if (write) {
      g[d] = lo;
      g[d + 1] = hi;
    }
  };
};

function logic(operation: (a: number, b: number) => number): ArithmeticMaker {
  return (m, destination, source, wide, write) => {
    const g = m.general;
    const [d, s] = [2 * destination, 2 * source];
    return () => {
      const lo = operation(g[d]!, g[s]!);
      const hi = wide ? operation(g[d + 1]!, g[s + 1]!) : 0;
      setResult(m, lo, hi, wide);
      m.carry = m.overflow = 0;
      if (write) {
        g[d] = lo;
        g[d + 1] = hi;
      }
    };
  };
}

export const ARITHMETIC: Readonly<Record<string, ArithmeticMaker>> = {
  add: addition(() => 0),
  adc: addition(knownCarry),
  sub: subtract,
  cmp: subtract,
  and: logic((a, b) => a & b),
  test: logic((a, b) => a & b),
  or: logic((a, b) => a | b),
  xor: logic((a, b) => a ^ b),
};

/** The value of a general register as a BigInt without sign. */
export function unsigned(m: Machine, register: number, wide: boolean): bigint {
  const lo = BigInt(m.general[2 * register]! >>> 0);
  return wide ? (BigInt(m.general[2 * register + 1]! >>> 0) << 32n) | lo : lo;
}

/** Sets a register to the low 64 bits (32, the others zero) of a BigInt. */
export function assign(m: Machine, register: number, value: bigint, wide: boolean): void {
  m.general[2 * register] = Number(BigInt.asIntN(32, value));
  m.general[2 * register + 1] = wide ? Number(BigInt.asIntN(32, value >> 32n)) : 0;
}

/** shl, shr and sar; `count` tells by how much. A shift by nothing leaves the flags. */
export function shift(m: Machine, name: string, register: number, count: () => number, wide: boolean): Step {
  const bits = wide ? 64 : 32;
  return () => {
    const by = BigInt(count() & (bits - 1));
    const value = unsigned(m, register, wide);
    if (by > 0n) {
      const signed = BigInt.asIntN(bits, value);
      const result = name === "shl" || name === "sal" ? value << by : name === "shr" ? value >> by : signed >> by;
      assign(m, register, result, wide);
      setResult(m, m.general[2 * register]!, m.general[2 * register + 1]!, wide);
      const left = name === "shl" || name === "sal";
      m.carry = Number(((left ? value >> (BigInt(bits) - by) : signed >> (by - 1n)) & 1n) as bigint);
      m.overflow = UNDEFINED;
    } else if (!wide) {
      m.general[2 * register + 1] = 0;
    }
  };
}

/** destination ← a · b, the low bits. */
export function multiply(m: Machine, destination: number, a: number, b: number, wide: boolean): Step {
  const g = m.general;
  return () => {
    m.undefineFlags();
    if (wide) {
      const product = BigInt.asIntN(64, unsigned(m, a, true)) * BigInt.asIntN(64, unsigned(m, b, true));
      assign(m, destination, product, true);
      m.carry = m.overflow = BigInt.asIntN(64, product) === product ? 0 : 1;
    } else {
      const [x, y] = [g[2 * a]!, g[2 * b]!];
      const low = Math.imul(x, y);
      // Above 2^53 the product is not exact, but then far from a number of 32 bits.
      m.carry = m.overflow = x * y === low ? 0 : 1;
      g[2 * destination] = low;
      g[2 * destination + 1] = 0;
    }
  };
}

/** Numbers of bits: popcnt counts ones, lzcnt and tzcnt the zeros before and behind. */
export function countBits(m: Machine, name: string, destination: number, source: number, wide: boolean): Step {
  return () => {
    const value = unsigned(m, source, wide);
    const digits = value.toString(2);
    const bits = wide ? 64 : 32;
    const count = {
      popcnt: () => digits.replaceAll("0", "").length,
      lzcnt: () => (value === 0n ? bits : bits - digits.length),
      tzcnt: () => (value === 0n ? bits : digits.length - digits.lastIndexOf("1") - 1),
    }[name]!();
    m.undefineFlags();
    m.zero = (name === "popcnt" ? value === 0n : count === 0) ? 1 : 0;
    m.carry = name === "popcnt" ? 0 : value === 0n ? 1 : 0;
    if (name === "popcnt") m.sign = m.overflow = 0;
    assign(m, destination, BigInt(count), wide);
  };
}

/** Flags as vucomiss and its like set them. */
export function setComparison(m: Machine, a: number, b: number): void {
  const unordered = Number.isNaN(a) || Number.isNaN(b);
  m.zero = unordered || a === b ? 1 : 0;
  m.parity = unordered ? 1 : 0;
  m.carry = unordered || a < b ? 1 : 0;
  m.overflow = m.sign = 0;
}

/** Whether a condition holds, by its number in opcodes. Throws if it hangs on a flag that is undefined. */
export function conditionOf(m: Machine, condition: number): () => boolean {
  const known = (flag: number): number => {
    if (flag === UNDEFINED) throw new Error("a condition on an undefined flag");
    return flag;
  };
  const wanted = (condition & 1) === 0 ? 1 : 0;
  switch (condition >> 1) {
    case 0:
      return () => known(m.overflow) === wanted;
    case 1:
      return () => known(m.carry) === wanted;
    case 2:
      return () => known(m.zero) === wanted;
    case 3:
      return () => (known(m.carry) | known(m.zero)) === wanted;
    case 4:
      return () => known(m.sign) === wanted;
    case 5:
      return () => known(m.parity) === wanted;
    case 6:
      return () => (known(m.sign) ^ known(m.overflow)) === wanted;
    default:
      return () => ((known(m.sign) ^ known(m.overflow)) | known(m.zero)) === wanted;
  }
}
