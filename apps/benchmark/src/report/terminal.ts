import Table from "cli-table3";
import { gapAtEqualTime } from "../analysis/select.js";
import { bytes, count, NOTHING, orNothing, percent, significant } from "../format.js";
import type { CellResult } from "../measure/types.js";
import { LOSS_LABEL } from "../names.js";
import type { Results } from "../sweep/results.js";

const HEAD = ["classes", "loss", "sampler", "ms/step", "examples/s", "GEMM", "tables", "gap", "recall"];

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
 * The table at the end of a run, at most 100 columns wide: time, rate, accuracy after equal time. A column for S or for workers appears when there are
 * several. Framed for a terminal, in plain columns for a pipe.
 */
export function terminalTable(results: Results, framed: boolean): string {
  const extra = extraColumns(results);
  const head = [...HEAD.slice(0, 3), ...extra.map((column) => column.head), ...HEAD.slice(3)];
  const table = new Table({
    head: framed ? head : [],
    colAligns: head.map((name) => (name === "loss" || name === "sampler" ? "left" : "right")),
    style: { head: [], border: [], compact: true, "padding-left": framed ? 1 : 0, "padding-right": framed ? 1 : 2 },
    ...(framed ? {} : { chars: PLAIN }),
  });
  if (!framed) table.push(head);
  for (const cell of results.cells) table.push(row(cell, extra));
  const lines = table.toString().split("\n");
  return framed ? lines.join("\n") : lines.map((line) => line.trimEnd()).join("\n");
}

interface Extra {
  readonly head: string;
  show(cell: CellResult): string;
}

function extraColumns({ cells }: Results): Extra[] {
  const several = (of: (cell: CellResult) => number | null) =>
    new Set(cells.map(of).filter((value) => value !== null)).size > 1;
  const columns: Extra[] = [];
  if (several((cell) => cell.negatives)) columns.push({ head: "S", show: (cell) => orNothing(cell.negatives, count) });
  if (several((cell) => cell.workers)) columns.push({ head: "W", show: (cell) => count(cell.workers) });
  return columns;
}

function row(cell: CellResult, extra: readonly Extra[]): string[] {
  return [
    count(cell.classes),
    LOSS_LABEL[cell.loss],
    cell.sampler ?? NOTHING,
    ...extra.map((column) => column.show(cell)),
    cell.failed ? "failed" : orNothing(cell.stepMilliseconds, significant),
    orNothing(cell.examplesPerSecond, (value) => count(Number(value.toPrecision(3)))),
    orNothing(cell.gemmShare, percent),
    orNothing(cell.tableBytes, bytes),
    orNothing(gapAtEqualTime(cell), (value) => value.toFixed(3)),
    orNothing(cell.recall?.["10"] ?? null, percent),
  ];
}
