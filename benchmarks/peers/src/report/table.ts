import { machineLine, markdownTable, type ProbeReading } from "@logq/micro-benchmarks";
import { advantage, type ComparisonResult, type Results, type Row } from "./results.js";

/** The whole run as one markdown page. */
export function resultsPage(results: Results): string {
  return `${[heading(results), ...results.comparisons.map(comparisonTable)].join("\n\n")}\n`;
}

/** Where and how; no date and no load, which the file of the results keeps. */
export function heading({ machine, settings, backends, versions }: Results): string {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machineLine(machine)}; ${settings.threads} threads on all sides.`,
    `logq: ${backends.join("; ")}.`,
    `Peers: ${peers.length === 0 ? "none" : peers.join(", ")}.`,
    `Medians of ${settings.rounds} interleaved rounds of at least ${settings.seconds} s${settings.quick ? " (a quick run: small sizes, not to be quoted)" : ""}; trainings: ${settings.trainings} seeds.`,
  ].join("\n");
}

/** One comparison: its rows, how much better each of logq's rows is than each peer's, the machine, and who is absent. */
export function comparisonTable(comparison: ComparisonResult): string {
  const { name, work, unit, rows, probe, absent } = comparison;
  const ours = rows.filter(({ side }) => side === "logq");
  const compared = rows.length > 1 ? ours : [];
  const more = [...new Set(rows.flatMap((row) => Object.keys(row.more)))];
  const head = ["", unit, "rounds", ...more, ...compared.map(({ contender }) => `× ${contender}`)];
  const lines = rows.map((row) => [
    row.contender,
    digits(row.value),
    spread(row),
    ...more.map((key) => digits(row.more[key] ?? null)),
    ...compared.map((one) => (one === row ? "1" : digits(advantage(one, row, unit) ?? null))),
  ]);
  return [
    `### ${name}`,
    "",
    work,
    "",
    ...(rows.length === 0 ? ["Nobody took part."] : markdownTable([head, ...lines])),
    "",
    `Machine: 1 thread ${rates(probe, "oneThread")}, 2 threads ${rates(probe, "twoThreads")} of 128-bit multiply-adds.`,
    ...absent.map(({ contender, reason }) => `Absent: ${contender}: ${reason}`),
  ].join("\n");
}

/** The least and the greatest round. */
function spread({ rounds }: Row): string {
  const known = rounds.filter((value) => value !== null);
  return known.length < 2 ? "" : `${digits(Math.min(...known))}–${digits(Math.max(...known))}`;
}

function rates({ before, after }: ComparisonResult["probe"], threads: keyof ProbeReading): string {
  return `${digits(before[threads].gigaflops)}–${digits(after[threads].gigaflops)} GF/s (peak ${digits(before[threads].peakGigaflops)})`;
}

/** Three significant digits, "–" for null. */
export function digits(value: number | null): string {
  if (value === null || Number.isNaN(value)) return "–";
  if (Math.abs(value) >= 1e4) return Math.round(value).toLocaleString("en-US");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
