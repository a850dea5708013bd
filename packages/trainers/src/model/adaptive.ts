import { OptionError } from "@logq/core";
import { type AdaptiveClusters, adaptiveClusters, chooseCutoffs, LOSS_NAMES, type LossSpec } from "@logq/losses";
import type { RunOptions, TrainOptions } from "./options.js";

/** The losses that a run can have: those of tiles, and the softmax by clusters. */
export const TRAIN_LOSSES = [...LOSS_NAMES, "adaptive-softmax"] as const;

export type TrainLossName = (typeof TRAIN_LOSSES)[number];

/** An adaptive softmax as it is asked for. */
export interface AdaptiveRun {
  /** As in AdaptiveSpec; null: those of least cost by the counts of the data. */
  readonly cutoffs: readonly number[] | null;
  readonly divValue: number;
}

/** The same with cutoffs, as a model keeps it. */
export interface AdaptiveShape {
  readonly cutoffs: readonly number[];
  readonly divValue: number;
}

/** Tails of an adaptive softmax are this much narrower each than what stands before them. */
const DIV_VALUE = 4;

/** The most clusters that are chosen by cost: from here on another saves next to nothing. */
const MOST_CLUSTERS = 5;

/** Cost knows nothing of accuracy: by itself it takes a head of a few classes, and tails too narrow to tell theirs apart. */
const LEAST_TAIL_WIDTH = 4;
const LEAST_HEAD_MASS = 0.75;

/** What a run is called by: its loss, whose own options stand in `options.loss`. */
export function lossNameOf({ loss, adaptive }: RunOptions): TrainLossName {
  return adaptive === undefined ? loss.name : "adaptive-softmax";
}

/**
 * The options of an adaptive softmax; undefined: the run has another loss. Its law is that of a full softmax with its defaults, factored.
 * @param loss the full softmax with what the user said of it
 * @throws OptionError for options that mean nothing to it
 */
export function adaptiveRun(options: TrainOptions, loss: LossSpec): AdaptiveRun | undefined {
  const { cutoffs, divValue } = options;
  if (options.loss !== "adaptive-softmax") {
    if ((cutoffs ?? divValue) === undefined) return undefined;
    throw new OptionError(`cutoffs and divValue are options of adaptive-softmax, not of ${loss.name}`, {
      loss: loss.name,
      cutoffs,
      divValue,
    });
  }
  requirePlain(options, loss);
  return { cutoffs: cutoffs ?? null, divValue: divValue ?? DIV_VALUE };
}

/** Why an adaptive softmax does not take an option of a full one. */
const REASONS = {
  temperature: "each cluster has a softmax of its own",
  labelSmoothing: "the mean of all logits is that of no single softmax",
  zLoss: "there is no one partition: each cluster has its own",
  normalize: "tails see projections of hidden vectors, whose cosines are others",
  softCap: "each cluster has logits of its own",
  exclude: "a class that is left out would still count in the probability of its tail",
  tableType: "its tables are float32",
} as const;

function requirePlain({ tableType }: TrainOptions, loss: LossSpec): void {
  const { temperature, labelSmoothing, zLoss, normalize, softCap, exclude } = loss;
  const given = {
    temperature: temperature !== 1,
    labelSmoothing: labelSmoothing > 0,
    zLoss: zLoss > 0,
    normalize,
    softCap: softCap > 0,
    exclude: exclude !== "none",
    tableType: tableType !== undefined && tableType !== "float32",
  };
  for (const option of Object.keys(REASONS) as (keyof typeof REASONS)[]) {
    if (!given[option]) continue;
    const value = { ...loss, tableType }[option];
    throw new OptionError(`adaptive-softmax takes no ${option} ${value}: ${REASONS[option]}`, { [option]: value });
  }
}

/**
 * Cutoffs as asked for, or those of least expected cost of a step among those whose head has three quarters of all labels: at least two clusters where
 * there are two classes, and no second tail of a width below 4. The cost model wants frequencies that fall; where those of the ids do not, it is shown the sorted ones.
 * @param counts (n) how often each class is a label
 */
export function adaptiveShape(
  { cutoffs, divValue }: AdaptiveRun,
  { batch, dim }: Pick<RunOptions, "batch" | "dim">,
  counts: ArrayLike<number>,
): AdaptiveShape {
  const n = counts.length;
  const shape = { cutoffs: cutoffs ?? cheapest(counts, { B: batch, D: dim, divValue }), divValue };
  adaptiveClusters({ D: dim, n, ...shape });
  return shape;
}

function cheapest(
  counts: ArrayLike<number>,
  costs: { readonly B: number; readonly D: number; readonly divValue: number },
): readonly number[] {
  const falling = Float64Array.from(counts).sort().reverse();
  // Before anything was counted all classes are alike.
  if (falling[0] === 0) falling.fill(1);
  let best: readonly number[] = [];
  let least = Number.POSITIVE_INFINITY;
  const head = classesOfMass(falling, LEAST_HEAD_MASS);
  for (let clusters = 2; clusters <= Math.min(MOST_CLUSTERS, falling.length); clusters++) {
    // The first tail is there however narrow it is.
    if (costs.D < (clusters === 2 ? 1 : LEAST_TAIL_WIDTH) * costs.divValue ** (clusters - 1)) break;
    const leastHead = Math.min(head, falling.length - clusters + 1);
    const { cutoffs, cost } = chooseCutoffs(falling, clusters, { ...costs, leastHead });
    if (cost >= least) break;
    best = cutoffs;
    least = cost;
  }
  return best;
}

/** The fewest classes, from the most frequent on, that have this share of all counts. */
function classesOfMass(falling: Float64Array, share: number): number {
  let left = share * falling.reduce((sum, count) => sum + count, 0);
  let classes = 0;
  while (left > 0 && classes < falling.length) left -= falling[classes++];
  return classes;
}

/** The clusters of a model. @param bias whether classes have biases: then the head has */
export function clustersOf(
  shape: AdaptiveShape | undefined,
  D: number,
  n: number,
  bias: boolean,
): AdaptiveClusters | undefined {
  return shape === undefined ? undefined : adaptiveClusters({ D, n, ...shape, headBias: bias });
}
