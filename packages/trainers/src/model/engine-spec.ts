import { keyFromSeed, OptionError } from "@logq/core";
import type { AnyDataset } from "@logq/datasets";
import type { EncoderSpec } from "@logq/encoders";
import { requireMass, samplerFrom } from "@logq/samplers";
import type { CandidateSpec, EngineSpec, RowCapacity, TrainingSpec } from "../engine/spec.js";
import { createSource } from "../sources/create.js";
import type { SourceSpec } from "../sources/source.js";
import { tableShape } from "../table/lanes.js";
import type { TableType } from "../table/placed-table.js";
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
  readonly temperature: number;
  /** Of class rows and embedding rows; absent in runs saved before there was a choice: float32. */
  readonly tableType?: TableType;
  /** Whether class rows are the embedding rows as well; absent in runs saved before there was a choice: no. */
  readonly tied?: boolean;
  readonly encoder: EncoderSpec;
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

/** @throws OptionError for dense layers over what is no window of previous words, and for tables that cannot be tied */
export function modelShape(options: RunOptions, classes: number, vocabulary: number): ModelShape {
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
    tableType: options.tableType,
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

/** An engine that trains a model on a source and evaluates it on others. */
export function trainingEngineSpec(
  shape: ModelShape,
  options: RunOptions,
  sources: Readonly<Record<string, SourceSpec>>,
  counts: Float64Array,
  totalSteps: number,
  maxK: number,
): EngineSpec {
  const capacity = capacityOf([sources.train!]);
  return {
    ...evaluationEngineSpec(shape, sources, maxK),
    key: keyFromSeed(options.seed),
    training: {
      B: options.batch,
      capacity,
      loss: options.loss,
      reduction: options.reduction,
      candidates: candidatesOf(options, shape.classes, counts, capacity.maxTargets),
      optimizer: options.optimizer,
      schedule: options.schedule,
      totalSteps,
      logitBytes: options.logitBytes,
      products: options.products,
      gradientFilter: options.gradientFilter,
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
  const table = tableShape(shape.classes, shape.dim, shape.lanes);
  const tied = shape.tied ?? false;
  return {
    key: { low: 0, high: 0 },
    table,
    tableType: shape.tableType ?? "float32",
    tied,
    bias: shape.bias,
    normalize: shape.normalize,
    scale: 1 / shape.temperature,
    encoder: tied ? { ...shape.encoder, vocabulary: table.rows } : shape.encoder,
    sources,
    training: undefined,
    evaluationRows,
    maxK: Math.min(maxK, shape.classes),
    capacity: capacityOf(Object.values(sources)),
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
