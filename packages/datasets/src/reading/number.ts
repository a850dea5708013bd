const ZERO = 48;
const NINE = 57;
const POINT = 46;
const MINUS = 45;
const PLUS = 43;
// Up to here a product with a power of ten is rounded once, so it is the nearest double (Clinger 1990).
const EXACT_DIGITS = 15;
const EXACT_POWER = 22;
const POWERS = Float64Array.from({ length: EXACT_POWER + 1 }, (_, i) => Number(`1e${i}`));

const decoder = new TextDecoder("latin1");

/** The digits bytes[start … end) as an integer ≥ 0; −1 if there are none, others, or more than 15. */
export function integerAt(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > EXACT_DIGITS) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] < ZERO || bytes[i] > NINE) return -1;
    value = 10 * value + bytes[i] - ZERO;
  }
  return value;
}

/** The decimal number bytes[start … end); NaN if it is none. */
export function numberAt(bytes: Uint8Array, start: number, end: number): number {
  const signed = bytes[start] === MINUS || bytes[start] === PLUS;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (let i = signed ? start + 1 : start; i < end; i++) {
    const byte = bytes[i];
    if (byte >= ZERO && byte <= NINE) {
      mantissa = 10 * mantissa + byte - ZERO;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (byte === POINT && decimals < 0) {
      decimals = 0;
    } else {
      return slowNumber(bytes, start, end);
    }
  }
  if (digits === 0 || digits > EXACT_DIGITS) return slowNumber(bytes, start, end);
  const value = decimals > 0 ? mantissa / POWERS[decimals] : mantissa;
  return bytes[start] === MINUS ? -value : value;
}

/** Exponents, many digits, and everything that is no number. */
function slowNumber(bytes: Uint8Array, start: number, end: number): number {
  const text = decoder.decode(bytes.subarray(start, end));
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
