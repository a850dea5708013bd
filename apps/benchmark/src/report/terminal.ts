import Table from "cli-table3";
import { gapAtEqualTime, knowsBest, recallAtEqualTime } from "../analysis/select.js";
import { bytes, count, NOTHING, orNothing, percent, shortCount, significant } from "../format.js";
import type { CellResult } from "../measure/types.js";
import { LOSS_LABEL } from "../names.js";
import type { Results } from "../sweep/results.js";

/** A column of the table. */
interface Column {
  readonly head: string;
  readonly left?: boolean;
  show(cell: CellResult): string;
}

const CLASSES: Column = { head: "classes", show: (cell) => count(cell.classes) };
const LOSS: Column = { head: "loss", left: true, show: (cell) => LOSS_LABEL[cell.loss] };
const SAMPLER: Column = { head: "sampler", left: true, show: (cell) => cell.sampler ?? NOTHING };
const NEGATIVES: Column = { head: "S", show: (cell) => orNothing(cell.negatives, count) };
const WORKERS: Column = { head: "W", show: (cell) => count(cell.workers) };
const STEP: Column = {
  head: "ms/step",
  show: (cell) => (cell.failed ? "failed" : orNothing(cell.stepMilliseconds, significant)),
};
const RATE: Column = {
  head: "ex./s",
  show: (cell) => orNothing(cell.examplesPerSecond, (rate) => shortCount(Number(rate.toPrecision(3)))),
};
const SHARE: Column = { head: "GEMM", show: (cell) => orNothing(cell.gemmShare, percent) };
const TABLES: Column = { head: "tables", show: (cell) => orNothing(cell.tableBytes, bytes) };
const GAP: Column = { head: "gap", show: (cell) => orNothing(gapAtEqualTime(cell), (value) => value.toFixed(3)) };
const ENTROPY: Column = { ...GAP, head: "entropy" };
const RECALL: Column = { head: "recall", show: (cell) => orNothing(recallAtEqualTime(cell), percent) };

/** Lines without frames: what a pipe gets, and enough for a terminal too. */
const PLAIN = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

/**
 * The table at the end of a run, at most 100 columns wide: time, rate, share of the GEMM rate, bytes, accuracy after equal time (gap to the best reachable
 * cross-entropy in nats, or the cross-entropy itself where nobody knows the best; recall@10). Columns for S and for workers appear when there are several, in place of bytes and share. Framed for a terminal, in plain columns
 * for a pipe.
 */
export function terminalTable(results: Results, framed: boolean): string {
  const columns = chooseColumns(results);
  const head = columns.map((column) => column.head);
  const table = new Table({
    head: framed ? head : [],
    colAligns: columns.map((column) => (column.left === true ? "left" : "right")),
    style: { head: [], border: [], compact: true, "padding-left": framed ? 1 : 0, "padding-right": framed ? 1 : 2 },
    ...(framed ? {} : { chars: PLAIN }),
  });
  if (!framed) table.push(head);
  for (const cell of results.cells) table.push(columns.map((column) => column.show(cell)));
  const lines = table.toString().split("\n");
  return framed ? lines.join("\n") : lines.map((line) => line.trimEnd()).join("\n");
}

/** What the last columns mean, in one line of at most 100 columns or two. */
export function tableLegend(results: Results): string {
  const entropy = knowsBest(results)
    ? "gap: exact cross-entropy above the best reachable, nats"
    : "entropy: exact cross-entropy, nats";
  const scores = results.cells.some((cell) => cell.loss === "negative-sampling" && cell.crossEntropy !== null);
  const note = scores ? "\nNegative sampling learns scores, not probabilities: judge it by recall." : "";
  return `${entropy}; recall: recall@10; both after equal time.${note}`;
}

function chooseColumns(results: Results): Column[] {
  const { cells } = results;
  const several = (of: (cell: CellResult) => number | null) =>
    new Set(cells.map(of).filter((value) => value !== null)).size > 1;
  const extra: Column[] = [];
  if (several((cell) => cell.negatives)) extra.push(NEGATIVES);
  if (several((cell) => cell.workers)) extra.push(WORKERS);
  const room = [SHARE, TABLES].slice(0, 2 - extra.length);
  return [CLASSES, LOSS, SAMPLER, ...extra, STEP, RATE, ...room, knowsBest(results) ? GAP : ENTROPY, RECALL];
}
