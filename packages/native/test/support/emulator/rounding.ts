import type { Machine } from "./machine.js";

/** The NaN that invalid operations give. */
const DEFAULT_NAN = 0xffc00000 | 0;

/** a · b + c, rounded once to float32; a, b and c are float32. */
export function fma32(a: number, b: number, c: number): number {
  // Exact: two factors of 24 bits, and no exponent that a double lacks.
  const product = a * b;
  const sum = product + c;
  const rounded = Math.fround(sum);
  const off = sum - rounded;
  // Rounding twice goes wrong only where the first one ends exactly between two float32.
  if (off === 0 || Math.fround(sum + off) !== sum + off) return rounded;
  return Math.fround(towards(sum, errorOfSum(product, c, sum)));
}

/** What rounding took from x + y = sum: exact (two-sum). */
function errorOfSum(x: number, y: number, sum: number): number {
  const part = sum - x;
  return x - (sum - part) + (y - part);
}

const scratch = new Float64Array(1);
const scratchBits = new BigInt64Array(scratch.buffer);

/** The double next to `value` on the side of an error, or itself if the error is 0. */
function towards(value: number, error: number): number {
  if (error === 0) return value;
  scratch[0] = value;
  scratchBits[0]! += value > 0 === error > 0 ? 1n : -1n;
  return scratch[0]!;
}

/** a · b + c, rounded once to float64. */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return product + c;
  // Whatever the product is: it only seems infinite where it overflows.
  if (!Number.isFinite(c)) return c;
  const [x, y, z] = [exactly(a), exactly(b), exactly(c)];
  const [mantissa, exponent] = [x.mantissa * y.mantissa, x.exponent + y.exponent];
  const least = Math.min(exponent, z.exponent);
  const sum = (mantissa << BigInt(exponent - least)) + (z.mantissa << BigInt(z.exponent - least));
  // Exact cancellation is +0.
  return sum === 0n ? (c === 0 ? product + c : 0) : toDouble(sum, least);
}

/** mantissa · 2^exponent = value */
function exactly(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: bits < 0n ? -mantissa : mantissa, exponent: Math.max(field, 1) - 1075 };
}

/** The double nearest to integer · 2^exponent, ties to even. */
function toDouble(integer: bigint, exponent: number): number {
  const size = integer < 0n ? -integer : integer;
  const dropped = Math.max(size.toString(2).length - 53, -1074 - exponent, 0);
  const half = dropped === 0 ? 0n : 1n << BigInt(dropped - 1);
  let kept = size >> BigInt(dropped);
  const rest = size - (kept << BigInt(dropped));
  if (dropped > 0 && (rest > half || (rest === half && (kept & 1n) === 1n))) kept++;
  let value = Number(kept);
  // In steps, so that no power of two overflows before the product does; the value is one already, so they are exact.
  for (let left = exponent + dropped; left !== 0; ) {
    const step = Math.max(-1000, Math.min(1000, left));
    value *= 2 ** step;
    left -= step;
  }
  return integer < 0n ? -value : value;
}

/** The bits of an operation's NaN, of float32: the first of its operands that is one, made quiet; or what invalid operations give. */
export function nan32(a: number, b: number, c = 0): number {
  for (const bits of [a, b, c]) if ((bits & 0x7fffffff) > 0x7f800000) return bits | 0x400000;
  return DEFAULT_NAN;
}

/** The same for the float64 at words `a`, `b` and `c` of the vector registers, written to `d`. */
export function nan64(m: Machine, d: number, a: number, b: number, c = a): void {
  const { words } = m;
  for (const at of [a, b, c]) {
    if (!Number.isNaN(m.doubles[at >> 1]!)) continue;
    const [lo, hi] = [words[at]!, words[at + 1]!];
    words[d] = lo;
    words[d + 1] = hi | 0x80000;
    return;
  }
  words[d] = 0;
  words[d + 1] = 0xfff80000 | 0;
}

/** To a whole number, by the rounding mode of vroundps and vrndscaleps: nearest with ties to even, down, up, or towards 0. Keeps the sign of 0. */
export function roundBy(mode: number, value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52) return value;
  const rounded =
    mode === 1
      ? Math.floor(value)
      : mode === 2
        ? Math.ceil(value)
        : mode === 3
          ? Math.trunc(value)
          : nearestEven(value);
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

/** The nearest whole number, ties to even, of what is below 2^52 in size. */
export function nearestEven(value: number): number {
  const shift = value < 0 ? -(2 ** 52) : 2 ** 52;
  return value + shift - shift;
}
