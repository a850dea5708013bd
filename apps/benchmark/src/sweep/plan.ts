import type { Cell } from "../measure/types.js";
import { DEFAULT_SAMPLER, type LossName, type SamplerName, USUAL_SAMPLERS } from "../names.js";
import { compareCells } from "./cells.js";
import type { Settings } from "./settings.js";

type Shape = Pick<Settings, "classes" | "losses" | "samplers" | "samplersAt" | "negatives" | "workers">;

/**
 * The cells of a sweep in the order in which they are measured, class counts ascending so that an interrupted sweep has finished the cheap
 * sizes. The full softmax has no sampler and no S: it appears once per class count and number of workers.
 */
export function planCells(shape: Shape): Cell[] {
  const cells: Cell[] = [];
  for (const classes of shape.classes) {
    for (const workers of shape.workers) {
      for (const loss of shape.losses) {
        for (const sampler of samplersOf(loss, classes, shape)) {
          const draws = sampler === null ? [null] : shape.negatives;
          for (const negatives of draws) cells.push({ classes, loss, sampler, negatives, workers });
        }
      }
    }
  }
  return cells.sort(compareCells);
}

function samplersOf(loss: LossName, classes: number, shape: Shape): readonly (SamplerName | null)[] {
  const usual = DEFAULT_SAMPLER[loss];
  if (usual === null) return [null];
  // Two passes draw by a softmax.
  if (shape.samplers !== null)
    return shape.samplers.filter((name) => name !== "two-pass" || loss === "sampled-softmax");
  return classes === shape.samplersAt ? USUAL_SAMPLERS : [usual];
}

/**
 * The size at which samplers stand beside each other when the user names none: the largest up to 20,000, where even the full softmax sees the
 * data often enough for accuracy to mean something; else the smallest.
 */
export function samplerSize(classes: readonly number[]): number | null {
  return classes.filter((n) => n <= 20_000).at(-1) ?? classes[0] ?? null;
}
