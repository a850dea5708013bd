import { machineLine, markdownTable, signedPercent } from "@logq/micro-benchmarks";
import type { Approximation, FilterRun, Results, SetResult } from "./results.js";

/** Where and how; no date and no load, which the JSON has. */
export function heading({ machine, settings }: Pick<Results, "machine" | "settings">): string {
  const threads = `${settings.workers} ${settings.workers === 1 ? "thread" : "threads"}`;
  return `${machineLine(machine)}; ${threads}, seed ${settings.seed}.`;
}

interface Column {
  readonly title: string;
  of(run: FilterRun): string;
}

const COLUMNS: readonly Column[] = [
  { title: "ε", of: nameOf },
  { title: "blocks left out", of: ({ skippedShare }) => percent(skippedShare, 1) },
  { title: "mass left out", of: ({ skippedMass }) => digits(skippedMass) },
  { title: "ms a step", of: ({ stepMs }) => digits(stepMs) },
  { title: "× exact", of: ({ speed }) => speed.toFixed(2) },
  { title: "nats", of: ({ crossEntropy }) => crossEntropy.toFixed(4) },
  { title: "against exact", of: ({ crossEntropyChange }) => signedPercent(crossEntropyChange) },
  { title: "dH, worst row, relative", of: ({ errors }) => digits(errors.hiddenRelative) },
  { title: "dW, relative", of: ({ errors }) => digits(errors.tableRelative) },
  { title: "dH, worst row", of: ({ errors }) => digits(errors.hiddenLargest) },
  { title: "bound ε·max‖w‖", of: ({ errors }) => (errors.bound === null ? "" : digits(errors.bound)) },
];

/** An approximation in a word or two. */
export function nameOf({ epsilon, products }: Approximation): string {
  if (products === "float32") return epsilon === 0 ? "exact" : String(epsilon);
  return epsilon === 0 ? products : `${epsilon}, ${products}`;
}

/** One data set as Markdown: a row a run. */
export function setTable({ title, work, backend, runs }: SetResult): string {
  return [
    `### ${title}`,
    "",
    `${work} Back-end ${backend}.`,
    "",
    ...markdownTable([
      COLUMNS.map((column) => column.title),
      ...runs.map((run) => COLUMNS.map((column) => column.of(run))),
    ]),
  ].join("\n");
}

const percent = (share: number, places: number) => `${(100 * share).toFixed(places)}%`;

/** Three significant digits; small numbers with a power of ten. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(2);
  if (size >= 1e4) return Math.round(value).toLocaleString("en-US");
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
