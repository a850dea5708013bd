const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with separators: 33,278. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** A number and its noun: "1 step", "2 steps". */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** Bytes in powers of 1,000: 51.2 MB. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? `${Math.round(scaled)} B` : `${Number(scaled.toPrecision(3))} ${units[unit]}`;
}

/** Seconds as m:ss or h:mm:ss, rounded up; a dash if nobody knows. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.ceil(seconds));
  const s = String(whole % 60).padStart(2, "0");
  const m = Math.floor(whole / 60) % 60;
  const h = Math.floor(whole / 3600);
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** A duration that is over: 0.31 s, 12.4 s, then as a clock. */
export function duration(seconds: number): string {
  if (seconds >= 99.95) return clock(seconds);
  return `${seconds < 0.9995 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
}

/** A loss, a metric, a score: four digits after the point, fewer for large numbers. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return value.toPrecision(5);
  return size >= 1000 ? value.toFixed(1) : value.toFixed(4);
}

/** A share as a percentage. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)}%`;
}

/** Lines of a left column, padded to its widest entry, and the rest. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}\n`).join("");
}
