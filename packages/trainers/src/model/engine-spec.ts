import { keyFromSeed, OptionError } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";
import type { EncoderSpec } from "@logq/encoders";
import type { TableType } from "@logq/kernels";
import type { ClassTree } from "@logq/losses";
import { requireMass, samplerFrom } from "@logq/samplers";
import {
  type CandidateSpec,
  type EngineSpec,
  NO_CANDIDATES,
  pathCapacity,
  type RowCapacity,
  type TrainingSpec,
  tableRowCount,
} from "../engine/spec.js";
import { createSource } from "../sources/create.js";
import type { SourceSpec } from "../sources/source.js";
import { tableShape } from "../table/lanes.js";
import { type AdaptiveShape, adaptiveShape, clustersOf } from "./adaptive.js";
import type { RunOptions } from "./options.js";
import { planCandidates } from "./samplers.js";
import { requireTieable } from "./tied.js";

/** What a model is without its numbers: enough to lay out its tables and to run it. Plain data, stored in a checkpoint. */
export interface ModelShape {
  readonly classes: number;
  readonly dim: number;
  readonly lanes: number;
  readonly bias: boolean;
  readonly normalize: boolean;
  /** τ; in a saved run what was learned, where it is */
  readonly temperature: number;
  /** c of logits c·tanh(z/c); 0, or absent in runs saved before there was one: no cap. */
  readonly softCap?: number;
  /** Of class rows and embedding rows; absent in runs saved before there was a choice: float32. */
  readonly tableType?: TableType;
  /** The classes are those of an adaptive softmax. */
  readonly adaptive?: AdaptiveShape;
  /** Whether class rows are the embedding rows as well; absent in runs saved before there was a choice: no. */
  readonly tied?: boolean;
  readonly encoder: EncoderSpec;
  /** Of a hierarchical softmax, whose rows are the nodes of this tree. A saved run keeps it in a file of its own. */
  readonly tree?: ClassTree | undefined;
}

/** Rows of the embedding table: what inputs are ids of. */
export function inputVocabulary(dataset: AnyDataset, options: RunOptions): number {
  switch (dataset.kind) {
    case "text":
      return dataset.classes.size;
    case "pairs":
      return options.encoder === "user" ? dataset.users.size : dataset.classes.size;
    case "labels":
      return dataset.features.size;
    case "synthetic":
      return dataset.contexts;
  }
}

/**
 * @param counts (n) how often each class is a label in training
 * @throws OptionError for dense layers over what is no window of previous words, and for tables that cannot be tied
 */
export function modelShape(
  options: RunOptions,
  counts: ArrayLike<number>,
  vocabulary: number,
  tree?: ClassTree | undefined,
): ModelShape {
  const classes = counts.length;
  const { adaptive } = options;
  const concat = options.encoder === "window" && options.hidden.length > 0;
  if (concat && options.contextMode !== "previous") {
    throw new OptionError(`dense layers read a window of previous words, not contextMode ${options.contextMode}`, {
      hidden: options.hidden,
      contextMode: options.contextMode,
    });
  }
  if (options.tied) requireTieable(options, classes, vocabulary);
  return {
    classes,
    dim: options.dim,
    lanes: options.lanes,
    bias: options.classBias !== "none",
    normalize: options.loss.normalize,
    temperature: options.loss.temperature,
    softCap: options.loss.softCap,
    tableType: options.tableType,
    ...(adaptive === undefined ? {} : { adaptive: adaptiveShape(adaptive, options, counts) }),
    tied: options.tied,
    encoder: {
      input: concat ? "concat" : "bag",
      vocabulary,
      reduce: options.reduce,
      window: concat ? options.window : 0,
      embedding: options.embedding,
      hidden: options.hidden,
      activation: options.activation,
      dropout: options.dropout,
      D: options.dim,
      initialScale: options.embeddingScale,
    },
    ...(tree === undefined ? {} : { tree }),
  };
}

/** Rows an evaluation handles at a time: enough that each class row is used often, few enough that its tiles stay in the cache. */
export const EVALUATION_ROWS = 256;

/** Capacities of rows over all sources. */
export function capacityOf(sources: readonly SourceSpec[]): RowCapacity {
  const all = sources.map(createSource);
  const most = (values: number[]) => Math.max(1, ...values);
  return {
    maxInputs: most(all.map((source) => source.maxInputs)),
    maxTargets: most(all.map((source) => source.maxTargets)),
    maxExcluded: Math.max(0, ...all.map((source) => source.maxExcluded)),
  };
}

/** An engine that trains a model on a source and evaluates it on others. @param labelFactors (n), see `TrainingSpec` */
export function trainingEngineSpec(
  shape: ModelShape,
  options: RunOptions,
  sources: Readonly<Record<string, SourceSpec>>,
  counts: Float64Array,
  totalSteps: number,
  maxK: number,
  labelFactors?: Float32Array,
): EngineSpec {
  const capacity = pathCapacity(capacityOf([sources.train!]), shape.tree);
  return {
    ...evaluationEngineSpec(shape, sources, maxK),
    key: keyFromSeed(options.seed),
    training: {
      B: options.batch,
      capacity,
      loss: options.loss,
      reduction: options.reduction,
      candidates:
        shape.tree === undefined ? candidatesOf(options, shape.classes, counts, capacity.maxTargets) : NO_CANDIDATES,
      optimizer: options.optimizer,
      schedule: options.schedule,
      totalSteps,
      logitBytes: options.logitBytes,
      products: options.products,
      gradientFilter: options.gradientFilter,
      labelFactors,
      learnTemperature: options.learnTemperature,
    } satisfies TrainingSpec,
  };
}

/** An engine that only evaluates. */
export function evaluationEngineSpec(
  shape: ModelShape,
  sources: Readonly<Record<string, SourceSpec>>,
  maxK: number,
  evaluationRows = EVALUATION_ROWS,
): EngineSpec {
  const adaptive = clustersOf(shape.adaptive, shape.dim, shape.classes, shape.bias);
  const rows = tableRowCount(shape.classes, shape.tree);
  const table = tableShape(rows, shape.dim, adaptive === undefined ? shape.lanes : 1);
  const tied = shape.tied ?? false;
  return {
    key: { low: 0, high: 0 },
    ...(adaptive === undefined ? {} : { adaptive }),
    table,
    tree: shape.tree,
    tableType: shape.tableType ?? "float32",
    tied,
    bias: shape.bias,
    normalize: shape.normalize,
    scale: 1 / shape.temperature,
    softCap: shape.softCap ?? 0,
    encoder: tied ? { ...shape.encoder, vocabulary: table.rows } : shape.encoder,
    sources,
    training: undefined,
    evaluationRows,
    maxK: Math.min(maxK, shape.classes),
    capacity: pathCapacity(capacityOf(Object.values(sources)), shape.tree),
  };
}

function candidatesOf(
  { sampler, negatives, candidates, batch }: RunOptions,
  n: number,
  counts: Float64Array,
  maxTargets: number,
): CandidateSpec | undefined {
  if (sampler === undefined) return undefined;
  return planCandidates({ sampler, negatives, per: candidates, labels: batch * maxTargets }, n, counts);
}

/** Checks that every class that training may name as a target can be corrected. @throws SamplerError with the class */
export function requireTargetsHaveMass({ state }: CandidateSpec, counts: Float64Array): void {
  const law = state === undefined ? null : samplerFrom(state).law;
  if (law === null) return;
  const seen: number[] = [];
  for (let id = 0; id < counts.length; id++) if (counts[id]! > 0) seen.push(id);
  requireMass(law, seen);
}
