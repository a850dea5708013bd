const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** What stands where nothing was measured. */
export const NOTHING = "–";

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

/** Rounded to `digits` significant digits, whole: 3,412 -> 3,400. */
export function roughly(value: number, digits = 2): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  return count(Math.round(value / step) * step);
}

/** A number short enough for an axis, where three digits say all of it: 1k, 2.5k, 100k, 1M, but 1,024. */
export function shortCount(value: number): string {
  const exact = Number(value.toPrecision(3)) === value;
  if (exact && value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (exact && value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return count(value);
}

/** Bytes in powers of 1,000, as disks and table sizes are told: 51.2 MB. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 ? scaled : significant(scaled)} ${units[unit]}`;
}

/** A share as a percentage without decimals, with one below 10%. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value < 9.95 && value > 0 ? value.toFixed(1) : value.toFixed(0)}%`;
}

/** Seconds as m:ss or h:mm:ss, rounded up, for time left. */
export function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const s = String(whole % 60).padStart(2, "0");
  const m = Math.floor(whole / 60) % 60;
  const h = Math.floor(whole / 3600);
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** `show(value)`, or a dash where there is none. */
export function orNothing(value: number | null, show: (value: number) => string): string {
  return value === null ? NOTHING : show(value);
}
