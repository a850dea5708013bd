import type { CellResult } from "../measure/types.js";
import { DEFAULT_SAMPLER, type LossName, type SamplerName } from "../names.js";
import type { Results } from "../sweep/results.js";
import type { Settings } from "../sweep/settings.js";

/** A curve over class counts, ascending; sizes without the value are left out. */
export interface Point {
  readonly classes: number;
  readonly value: number;
}

/** What of a cell is looked at. */
export type Quantity = (cell: CellResult) => number | null;

/** The gap to the best reachable cross-entropy in nats after equal time; the cross-entropy itself where nobody knows the best. */
export const gapAtEqualTime: Quantity = (cell) => above(cell.crossEntropy, cell.bestCrossEntropy);

/** The same after equal steps. */
export const gapAtEqualSteps: Quantity = (cell) => above(cell.crossEntropyAtEqualSteps, cell.bestCrossEntropy);

/** Recall@10 after equal time. */
export const recallAtEqualTime: Quantity = (cell) => cell.recall?.["10"] ?? null;

/** Recall@10 after equal steps. */
export const recallAtEqualSteps: Quantity = (cell) => cell.recallAtEqualSteps?.["10"] ?? null;

/** The number of workers at which losses are compared: the most that were asked for. */
export function referenceWorkers(settings: Settings): number {
  return Math.max(...settings.workers);
}

/** The S at which losses are compared: the first that was asked for. */
export function referenceNegatives(settings: Settings): number {
  return settings.negatives[0]!;
}

/** The sampler at which `loss` is compared with others: its default, or the first of a list that leaves the default out. */
export function referenceSampler(loss: LossName, settings: Settings): SamplerName | null {
  const usual = DEFAULT_SAMPLER[loss];
  if (usual === null || settings.samplers === null || settings.samplers.includes(usual)) return usual;
  return settings.samplers[0] ?? usual;
}

/** The cells that are compared with each other across class counts: one per size and loss. */
export function referenceCells(results: Results, loss: LossName): CellResult[] {
  const { settings } = results;
  const sampler = referenceSampler(loss, settings);
  const negatives = sampler === null ? null : referenceNegatives(settings);
  return results.cells.filter(
    (cell) =>
      cell.loss === loss &&
      cell.sampler === sampler &&
      cell.negatives === negatives &&
      cell.workers === referenceWorkers(settings),
  );
}

/** A quantity of the reference cells of `loss` against the class count. */
export function curve(results: Results, loss: LossName, quantity: Quantity): Point[] {
  return referenceCells(results, loss).flatMap((cell) => {
    const value = quantity(cell);
    return value === null ? [] : [{ classes: cell.classes, value }];
  });
}

/** The class counts of all cells, ascending. */
export function sizes(results: Results): number[] {
  return [...new Set(results.cells.map((cell) => cell.classes))].sort((a, b) => a - b);
}

/** The candidate cells of one size at reference workers and S, all samplers. */
export function samplerCells(results: Results, classes: number): CellResult[] {
  const { settings } = results;
  return results.cells.filter(
    (cell) =>
      cell.classes === classes &&
      cell.sampler !== null &&
      cell.negatives === referenceNegatives(settings) &&
      cell.workers === referenceWorkers(settings),
  );
}

/** The size with the most samplers beside each other, the largest of equals; null without candidate cells. */
export function samplerComparisonSize(results: Results): number | null {
  let best: number | null = null;
  let most = 0;
  for (const classes of sizes(results)) {
    const samplers = new Set(samplerCells(results, classes).map((cell) => cell.sampler)).size;
    if (samplers > 0 && samplers >= most) {
      best = classes;
      most = samplers;
    }
  }
  return best;
}

/** Whether the best reachable cross-entropy is known, so that accuracy can be told as a gap. */
export function knowsBest(results: Results): boolean {
  return results.cells.some((cell) => cell.bestCrossEntropy !== null);
}

function above(value: number | null, best: number | null): number | null {
  if (value === null) return null;
  return best === null ? value : value - best;
}
