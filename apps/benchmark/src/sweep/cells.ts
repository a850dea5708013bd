import { count } from "../format.js";
import type { Cell } from "../measure/types.js";
import { LOSS_LABEL, LOSSES, SAMPLERS } from "../names.js";

/** A cell's identity as text: equal for equal cells, whatever was measured. */
export function cellKey(cell: Cell): string {
  return [cell.classes, cell.loss, cell.sampler ?? "-", cell.negatives ?? "-", cell.workers].join("/");
}

/** A cell in words: "100,000 classes, NCE, unigram, S 256". */
export function describeCell(cell: Cell): string {
  const parts = [`${count(cell.classes)} classes`, LOSS_LABEL[cell.loss]];
  if (cell.sampler !== null) parts.push(cell.sampler);
  if (cell.negatives !== null) parts.push(`S ${count(cell.negatives)}`);
  return parts.join(", ");
}

/** Order of the plan and of every table: class count, workers, loss, sampler, candidates. */
export function compareCells(a: Cell, b: Cell): number {
  return (
    a.classes - b.classes ||
    a.workers - b.workers ||
    LOSSES.indexOf(a.loss) - LOSSES.indexOf(b.loss) ||
    samplerRank(a) - samplerRank(b) ||
    (a.negatives ?? 0) - (b.negatives ?? 0)
  );
}

function samplerRank(cell: Cell): number {
  return cell.sampler === null ? -1 : SAMPLERS.indexOf(cell.sampler);
}
