import { count, shortCount, significant } from "@logq/charts";

export { count, shortCount, significant };

/** What stands where nothing was measured. */
export const NOTHING = "–";

/** Rounded to `digits` significant digits, whole: 3,412 -> 3,400. */
export function roughly(value: number, digits = 2): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  return count(Math.round(value / step) * step);
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
