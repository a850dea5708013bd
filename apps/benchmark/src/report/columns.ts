import {
  gapAtEqualSteps,
  gapAtEqualTime,
  knowsBest,
  recallAtEqualSteps,
  recallAtEqualTime,
} from "../analysis/select.js";
import { bytes, count, NOTHING, orNothing, percent, significant } from "../format.js";
import type { CellResult } from "../measure/types.js";
import { LOSS_LABEL } from "../names.js";
import type { Results } from "../sweep/results.js";
import { noProbabilities } from "./captions.js";

/** A column of the table of all cells, the same in report.html and report.md. */
export interface Column {
  readonly head: string;
  /** Text columns stand left, numbers right. */
  readonly numeric: boolean;
  show(cell: CellResult): string;
}

const ms = (value: number) => significant(value);
const two = (value: number) => significant(value, 2);
const nats = (value: number) => value.toFixed(3);

/** The columns of the table of all cells; workers only where their number changes. The gap's heading depends on whether the best reachable cross-entropy is known. */
export function columns(results: Results): Column[] {
  const entropy = knowsBest(results) ? "gap" : "cross-entropy";
  const severalWorkers = new Set(results.cells.map((cell) => cell.workers)).size > 1;
  const number = (head: string, show: (cell: CellResult) => string): Column => ({ head, numeric: true, show });
  const text = (head: string, show: (cell: CellResult) => string): Column => ({ head, numeric: false, show });
  return [
    number("classes", (cell) => count(cell.classes)),
    text("loss", (cell) => LOSS_LABEL[cell.loss]),
    text("sampler", (cell) => cell.sampler ?? NOTHING),
    number("S", (cell) => orNothing(cell.negatives, count)),
    ...(severalWorkers ? [number("workers", (cell: CellResult) => count(cell.workers))] : []),
    number("ms/step", (cell) => orNothing(cell.stepMilliseconds, ms)),
    number("10–90%", range),
    number("examples/s", (cell) => orNothing(cell.examplesPerSecond, (value) => count(Number(value.toPrecision(3))))),
    number("GEMM share", (cell) => orNothing(cell.gemmShare, percent)),
    number("tables", (cell) => orNothing(cell.tableBytes, bytes)),
    number(`${entropy}, equal time`, (cell) => orNothing(gapAtEqualTime(cell), nats)),
    number(`${entropy}, equal steps`, (cell) => orNothing(gapAtEqualSteps(cell), nats)),
    number("recall@10, equal time", (cell) => orNothing(recallAtEqualTime(cell), percent)),
    number("recall@10, equal steps", (cell) => orNothing(recallAtEqualSteps(cell), percent)),
    number("bias", (cell) => orNothing(cell.gradientBias, two)),
    number("spread", (cell) => orNothing(cell.gradientSpread, two)),
    number("steps", (cell) => orNothing(cell.steps, count)),
    number("seconds", (cell) => orNothing(cell.seconds, two)),
  ];
}

/** What the columns of accuracy mean, for under the table. */
export function columnsNote(results: Results): string {
  const gap = knowsBest(results)
    ? "The gap is the exact cross-entropy above the best reachable one, in nats."
    : "Cross-entropy is exact, in nats.";
  return `${gap} Equal time is the same seconds for every cell, equal steps the same single pass over the data.${noProbabilities(results)}`;
}

/** The distinct reasons for what is missing, each with the cells' marks 1, 2, ... in the order of first appearance. */
export function reasonMarks(results: Results): Map<string, number> {
  const marks = new Map<string, number>();
  for (const { reason } of results.cells) {
    if (reason !== null && !marks.has(reason)) marks.set(reason, marks.size + 1);
  }
  return marks;
}

function range(cell: CellResult): string {
  if (cell.stepMillisecondsLow === null || cell.stepMillisecondsHigh === null) return NOTHING;
  return `${ms(cell.stepMillisecondsLow)}–${ms(cell.stepMillisecondsHigh)}`;
}
