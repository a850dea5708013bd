import { bringsTargets, isContextual, isPool, type SamplerOptions, type TrainOptions } from "@logq/trainers";
import { trainedRows } from "../rows.js";

/** A way to train: full softmax, or sampled softmax with a sampler, at some sizes. */
export interface Subject {
  /** "full softmax", or a sampler. */
  readonly sampler: string;
  readonly options: SamplerOptions;
  /** null alone: there is no size to choose. */
  readonly sizes: readonly (number | null)[];
  /** What it adds to a model's options; the size apart. */
  readonly training: TrainOptions;
}

export const FULL: Subject = {
  sampler: "full softmax",
  options: {},
  sizes: [null],
  training: { loss: "full-softmax" },
};

/** A row's own candidates cost a class row each, and so many are more than they need. */
const MOST_OWN = 128;
/** Of a pool that is four times as large. */
const MOST_OF_POOL = 256;

/**
 * Every sampler that has candidates to train with, in the order of the table.
 * @param negatives sizes of draws, ascending; what is beyond a sampler's greatest is taken down to it
 */
export function subjects(dim: number, negatives: readonly number[], wanted?: readonly string[]): Subject[] {
  return trainedRows(dim, wanted).map(({ name, ...options }) => ({
    sampler: name,
    options,
    sizes: sizesOf(name, negatives),
    training: {
      loss: "sampled-softmax",
      ...samplerOptions(name, options),
      // Of which they draw none.
      ...(hasSize(name) ? {} : { negatives: 1 }),
    },
  }));
}

/** Whether a sampler draws candidates: those of others are the batch's targets. */
function hasSize(name: string): boolean {
  return name === "mixed" || !bringsTargets(name);
}

function sizesOf(name: string, negatives: readonly number[]): (number | null)[] {
  if (!hasSize(name)) return [null];
  const most = isContextual({ name }) ? MOST_OWN : isPool({ name }) ? MOST_OF_POOL : Number.POSITIVE_INFINITY;
  return [...new Set(negatives.map((S) => Math.min(S, most)))].sort((a, b) => a - b);
}

/** Options that a run has for all samplers stand apart from a sampler's own. */
function samplerOptions(
  sampler: string,
  options: SamplerOptions & Pick<TrainOptions, "distortion" | "replacement">,
): TrainOptions {
  const { distortion, replacement, ...own } = options;
  return {
    sampler: sampler as NonNullable<TrainOptions["sampler"]>,
    ...(distortion === undefined ? {} : { distortion }),
    ...(replacement === undefined ? {} : { replacement }),
    ...(Object.keys(own).length === 0 ? {} : { samplerOptions: own }),
  };
}
