const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with separators: 100,000. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** A number of `digits` significant digits, with separators and without exponents: 0.842, 2.31, 91.2, 1,203. */
export function significant(value: number, digits = 3): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  const decimals = Math.max(0, Math.min(8, digits - 1 - magnitude));
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A number short enough for an axis, where three digits say all of it: 1k, 2.5k, 100k, 1M, but 1,024. */
export function shortCount(value: number): string {
  const exact = Number(value.toPrecision(3)) === value;
  if (exact && value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (exact && value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return count(value);
}
