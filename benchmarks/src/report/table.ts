import type { ProbeRates } from "../machine/probe.js";
import { type GroupResults, isRefused, type Results, type TimedRow } from "./results.js";

/** A group as aligned text: the probe in the heading, one line a variant; columns that nobody fills are left out. */
export function groupTable({ name, probe, rows }: GroupResults): string {
  const timed = rows.filter((row): row is TimedRow => !isRefused(row));
  const first = timed[0]?.variant === rows[0]?.variant ? timed[0] : undefined;
  const item = timed.find((row) => row.item !== null)?.item ?? "item";
  const peak = Math.max(probe.before.oneThread.peakGigaflops, probe.after.oneThread.peakGigaflops);
  const columns: Column[] = [
    { title: "", of: (row) => row.variant },
    { title: "median", of: ({ medianMs }) => duration(medianMs) },
    { title: "min", of: ({ minMs }) => duration(minMs) },
    { title: "p10", of: ({ p10Ms }) => duration(p10Ms) },
    { title: "p90", of: ({ p90Ms }) => duration(p90Ms) },
    { title: "samples", of: ({ samples }) => String(samples) },
    { title: "GF/s", of: ({ gigaflops }) => digits(gigaflops) },
    { title: "of peak", of: ({ gigaflops }) => (gigaflops === null ? "" : `${Math.round((100 * gigaflops) / peak)}%`) },
    { title: "GB/s", of: ({ gigabytes }) => digits(gigabytes) },
    { title: `ns/${item}`, of: ({ itemNanoseconds }) => digits(itemNanoseconds) },
    { title: "x first", of: (row) => (first && rows.length > 1 ? digits(row.medianMs / first.medianMs) : "") },
  ];
  const used = columns.filter(({ of }) => timed.some((row) => of(row) !== ""));
  const lines = [used.map(({ title }) => title), ...timed.map((row) => used.map(({ of }) => of(row)))];
  return [
    name,
    `  machine, 1 thread:  ${rates(probe.before.oneThread, probe.after.oneThread)}`,
    `  machine, 2 threads: ${rates(probe.before.twoThreads, probe.after.twoThreads)}`,
    ...(timed.length > 0 ? align(lines) : []).map((line) => `  ${line}`),
    ...rows.filter(isRefused).map((row) => `  NOT TIMED ${row.variant}: ${row.refused}`),
  ].join("\n");
}

interface Column {
  readonly title: string;
  of(row: TimedRow): string;
}

/** The first column to the left, numbers to the right. */
function align(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}

/** Before and after the rounds, as one number if they agree to three digits. */
function rates(before: ProbeRates, after: ProbeRates): string {
  const both = (a: number, b: number) => (digits(a) === digits(b) ? digits(a) : `${digits(a)}-${digits(b)}`);
  const peak = digits(Math.max(before.peakGigaflops, after.peakGigaflops));
  const [gigaflops, gigabytes] = [both(before.gigaflops, after.gigaflops), both(before.gigabytes, after.gigabytes)];
  return `${gigaflops} GF/s (peak ${peak}) ${gigabytes} GB/s`;
}

/** Three significant digits; nothing for null. */
function digits(value: number | null): string {
  if (value === null) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Three significant digits of the unit that fits. */
function duration(ms: number): string {
  if (ms < 1e-3) return `${digits(1e6 * ms)} ns`;
  if (ms < 1) return `${digits(1e3 * ms)} us`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

/** Where and how, above the first table. */
export function heading({ date, machine, settings }: Pick<Results, "date" | "machine" | "settings">): string {
  const gigabytes = (machine.memoryBytes / 2 ** 30).toFixed(0);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${gigabytes} GiB, ${machine.os}`,
    `Node ${machine.node}, V8 ${machine.v8}, revision ${machine.revision ?? "unknown"}, load ${digits(machine.load)}`,
    `${date}: ${settings.rounds} interleaved rounds, ${settings.seconds} s a variant. Compare times within a group only.`,
  ].join("\n");
}
