import { keyFromSeed, OptionError, requireAllFinite, requireInteger, requireLength } from "@logq/core";
import { describeLoss } from "@logq/losses";
import { type Law, samplerFrom } from "@logq/samplers";
import { type EngineSpec, NO_CANDIDATES, pathCapacity, tableRowCount } from "../engine/spec.js";
import { labelFactors } from "../model/label-weights.js";
import { type RunOptions, runOptions, type TrainOptions } from "../model/options.js";
import { planCandidates } from "../model/samplers.js";
import { plantTree } from "../model/tree.js";
import { tableShape } from "../table/lanes.js";

/** What an output layer is made with: the options of training that concern the layer. */
export interface OutputLayerOptions
  extends Pick<
    TrainOptions,
    | "loss"
    | "tree"
    | "treeVectors"
    | "like"
    | "correction"
    | "accidentalHits"
    | "temperature"
    | "labelSmoothing"
    | "normalize"
    | "zLoss"
    | "softCap"
    | "classWeights"
    | "propensities"
    | "learnTemperature"
    | "calibration"
    | "negativeWeight"
    | "negativeMargin"
    | "marginKind"
    | "margin"
    | "sampler"
    | "samplerOptions"
    | "distortion"
    | "replacement"
    | "negatives"
    | "candidates"
    | "optimizer"
    | "schedule"
    | "classBias"
    | "classScale"
    | "lanes"
    | "tableType"
    | "logitBytes"
    | "products"
    | "gradientFilter"
    | "workers"
    | "bankBytes"
    | "backend"
    | "seed"
  > {
  /** n */
  readonly classes: number;
  /** D */
  readonly dim: number;
  /** The most rows of a step: B. */
  readonly batch: number;
  /** The most labels of a row: T. Default 1. */
  readonly maxTargets?: number;
  /**
   * (n), >= 0: how often each class occurs; for the sampler unigram, for trees, for biases that start at the log frequency, and for class weights and
   * propensities by frequency.
   */
  readonly counts?: ArrayLike<number>;
  /**
   * Whether the caller's thread is one of the workers, and blocked while a step runs: steps then begin and end at once. Default true. False: `workers`
   * other threads work, and the caller's event loop goes on meanwhile, at some tenths of a millisecond a step.
   */
  readonly callerWorks?: boolean;
  /** Steps of the whole run, for schedules that end. */
  readonly totalSteps?: number;
  /** The largest k of `topK`. Default 100. */
  readonly maxK?: number;
}

/** A layer's options with their defaults, the engine they ask for, and the law of its candidates. */
export interface LayerPlan {
  readonly options: RunOptions;
  readonly spec: EngineSpec;
  readonly law: Law | undefined;
  /** T */
  readonly maxTargets: number;
}

/** Rows times labels that one evaluation command carries: it has to fit the crew's mailbox. */
const EVALUATED_LABELS = 8192;

/** @throws OptionError, SamplerError, ShapeError, NotFiniteError */
export function planLayer(layer: OutputLayerOptions): LayerPlan {
  const { classes, dim, batch, maxTargets, counts, totalSteps, maxK, ...of } = layer;
  const { workers: _, callerWorks: __, backend: ___, ...rest } = of;
  requireInteger("classes", classes, 1, 2 ** 31 - 1);
  const { loss = "sampled-softmax" } = rest;
  if (loss === "adaptive-softmax") {
    throw new OptionError(
      "an output layer has one table (n, D) to hand over and to take back, and an adaptive softmax has one of each width for each cluster: " +
        "take a Trainer, or AdaptiveSoftmax of @logq/losses, which answers with gradients",
      { loss },
    );
  }
  const sampled = describeLoss(loss)?.candidates === true;
  const usual = describeLoss(loss)?.uniform === true ? "uniform" : "log-uniform";
  const sampler = rest.sampler ?? (sampled ? usual : undefined);
  const options = runOptions("synthetic", {
    classBias: "none",
    ...rest,
    ...(sampler === undefined ? {} : { sampler }),
    dim,
    batch,
  });
  if (options.loss.exclude === "seen") {
    throw new OptionError("an output layer does not know what rows have seen", { exclude: "seen" });
  }
  if (options.sampler?.name === "unigram" || options.classBias === "log-frequency" || counts !== undefined) {
    requireCounts(counts, classes);
  }
  const most = requireInteger("maxTargets", maxTargets ?? 1, 1, EVALUATED_LABELS);
  const { sampler: drawn, negatives, candidates: per } = options;
  const labels = options.batch * most;
  const candidates =
    drawn === undefined ? undefined : planCandidates({ sampler: drawn, negatives, per, labels }, classes, counts);
  const tree = options.tree ? plantTree(options.tree, classes, counts, rest.treeVectors) : undefined;
  const capacity = pathCapacity({ maxInputs: 0, maxTargets: most, maxExcluded: 0 }, tree);
  const spec: EngineSpec = {
    key: keyFromSeed(options.seed),
    table: tableShape(tableRowCount(classes, tree), options.dim, options.lanes),
    tree,
    tableType: options.tableType,
    tied: false,
    bias: options.classBias !== "none",
    normalize: options.loss.normalize,
    scale: 1 / options.loss.temperature,
    softCap: options.loss.softCap,
    encoder: {
      input: "external",
      vocabulary: 0,
      reduce: "sum",
      window: 0,
      embedding: 0,
      hidden: [],
      activation: "tanh",
      dropout: 0,
      D: options.dim,
    },
    sources: {},
    training: {
      B: options.batch,
      capacity,
      loss: options.loss,
      reduction: options.reduction,
      candidates: tree === undefined ? candidates : NO_CANDIDATES,
      optimizer: options.optimizer,
      schedule: options.schedule,
      totalSteps: requireInteger("totalSteps", totalSteps ?? Number.MAX_SAFE_INTEGER, 1),
      logitBytes: options.logitBytes,
      products: options.products,
      gradientFilter: options.gradientFilter,
      labelFactors: labelFactors(rest, options.loss, { classes, counts, examples: undefined }),
      learnTemperature: options.learnTemperature,
    },
    evaluationRows: Math.min(256, options.batch, Math.max(1, Math.floor(EVALUATED_LABELS / most))),
    capacity,
    maxK: Math.min(requireInteger("maxK", maxK ?? 100, 1), classes),
  };
  return {
    options,
    spec,
    maxTargets: most,
    law: candidates?.state === undefined ? undefined : (samplerFrom(candidates.state).law ?? undefined),
  };
}

function requireCounts(counts: ArrayLike<number> | undefined, classes: number): void {
  if (counts === undefined) throw new OptionError("counts are needed: how often each class occurs", { counts });
  requireLength("counts", counts.length, classes, "(n)");
  requireAllFinite("counts", counts);
  for (let id = 0; id < classes; id++) {
    if (counts[id]! < 0)
      throw new OptionError(`counts[${id}] is ${counts[id]}; counts are >= 0`, { id, count: counts[id] });
  }
}
