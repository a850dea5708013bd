import { type EncoderLayout, planEncoder, segmentScratchBytes } from "@logq/encoders";
import type { Address, Kernels, MemoryPlan, Region } from "@logq/kernels";
import { memoryTableBytes } from "@logq/samplers";
import { planState, type TableState } from "../optimize/optimizer.js";
import { planAccess, type TableAccess } from "../table/areas.js";
import type { BankLayout, PlacedTable } from "../table/placed-table.js";
import { placeInBanks, placeInside } from "../table/placement.js";
import { type AdaptiveLayout, mostGradientUnits, planAdaptive } from "./adaptive/adaptive-space.js";
import {
  type BatchCapacity,
  type BatchLayout,
  evaluationCapacity,
  planBatch,
  trainingCapacity,
} from "./batch-layout.js";
import { type CandidateSpace, planCandidateSpace, wholeLines } from "./candidate-space.js";
import { type ContextualSpace, planContextualSpace } from "./contextual-candidates.js";
import { type FullSpace, planFullSpace } from "./full-space.js";
import { classTableSize, type Placement, placeEmbedding } from "./large-tables.js";
import type { BuilderScratch } from "./panel-builder.js";
import { trainingKernels } from "./products.js";
import { blocksOf, type EngineSpec, UPDATE_BLOCK } from "./spec.js";
import { planTemperature, type TemperatureSpace } from "./temperature.js";
import { planTiedSpace, type TiedSpace } from "./tied-inputs.js";

/** The class table and what the optimizer keeps for it. */
export interface ClassTableLayout {
  /** float32 (rows, ld), lane after lane, in the main memory or in banks */
  readonly placed: PlacedTable;
  /** float32 (rows), 0 without bias; always in the main memory */
  readonly bias: Address;
  readonly biasState: TableState;
}

/** Clipping needs every gradient before any update; without it there is nothing here. */
export interface ClipSpace {
  /** (unique inputs, E) gradients of the embedding rows */
  readonly sparseGradient: Address;
  /** float64: one partial sum of squares for each unit of the gradient phase */
  readonly squares: Address;
}

/** Where everything lies: plain data, the same in every thread. */
export interface EngineLayout {
  readonly table: ClassTableLayout;
  readonly encoder: EncoderLayout;
  /** The encoder's embedding table, wherever it lies; undefined: it has none, or the class table is it. */
  readonly embedding: PlacedTable | undefined;
  /** By index of encoder.tables; the embedding's, where it lies apart, stands in `embedding` alone. */
  readonly encoderStates: readonly TableState[];
  /** Two batches in turn: one is used while the next is built. Empty in engines that only evaluate. */
  readonly batches: readonly BatchLayout[];
  readonly builder: BuilderScratch;
  readonly evaluationBatch: BatchLayout;
  readonly candidate: CandidateSpace | undefined;
  /** Tied tables in steps with candidates only. */
  readonly tied: TiedSpace | undefined;
  /** Samplers that look at hidden vectors only. */
  readonly contextual: ContextualSpace | undefined;
  readonly full: FullSpace;
  /** An adaptive softmax only. */
  readonly adaptive: AdaptiveLayout | undefined;
  readonly clip: ClipSpace | undefined;
  /** Learned temperatures only. */
  readonly temperature: TemperatureSpace | undefined;
  /** Where the ranking lists of an evaluated batch lie: int32 ids and float32 values (evaluationRows, maxK). */
  readonly rankedIds: Address;
  readonly rankedValues: Address;
  /** External encoders: int32 ids and float64 log Q (S) of candidates that the caller chose. */
  readonly givenIds: Address;
  readonly givenLogQ: Address;
  /** float64 words, see STAT */
  readonly stats: Address;
  /** See `NEXT_STEP`. */
  readonly nextStep: Address;
  /** int32 words, see FLAG */
  readonly flags: Address;
  /** First worker's scratch; each has scratchBytes. */
  readonly scratch: Address;
  readonly scratchBytes: number;
  /** The memories beside the main one; empty if everything fits one. */
  readonly banks: readonly BankLayout[];
  /** How workers reach the two large tables, where kernels cannot work on them in place. */
  readonly classAccess: TableAccess | undefined;
  readonly embeddingAccess: TableAccess | undefined;
  /** Of all memories. */
  readonly regions: readonly Region[];
  /** Of the main memory. */
  readonly mainBytes: number;
  /** Of all memories together. */
  readonly bytes: number;
}

/** float64 words that tell the main thread how a run goes. Written by one unit a step. */
export const STAT = {
  /** steps done in this command */
  steps: 0,
  /** examples of those */
  examples: 1,
  /** Σ of the batch losses, in nats */
  lossSum: 2,
  lastLoss: 3,
  /** Σ of the milliseconds of the steps */
  milliseconds: 4,
  /** Σ over an evaluation of the row losses, and of the labels they are of */
  evaluationLoss: 5,
  evaluationLabels: 6,
  evaluationRows: 7,
  /** Σ of the global gradient norms, when clipping */
  gradientNorm: 8,
  /** when the last step ended (or the command began), in milliseconds since the epoch */
  lastStepAt: 9,
  /** Σ over an evaluation of |log Z| of the rows that have labels, and how many those are */
  evaluationLogPartition: 10,
  evaluationLabelled: 11,
  /** the last step times, in milliseconds, a ring */
  ring: 16,
} as const;

export const STEP_TIME_RING = 4096;

/** float64 words that the caller writes before each of its own steps. */
export const NEXT_STEP = {
  step: 0,
  /** how many candidates the caller has written, instead of a draw; 0: draw */
  given: 1,
} as const;

/** int32 words by which members agree. */
export const FLAG = {
  /** not 0: this step's numbers are not finite; it changes nothing and ends the run */
  diverged: 0,
  /** not 0: everybody stops after this step */
  stop: 1,
  /** not 0: the hidden vectors that the caller brought to this step are not finite; it does not take place */
  refused: 2,
} as const;

/** Reserves everything an engine of `workers` threads needs. `kernels` of the back-end, over any memory, tell the sizes of packed operands. */
export function planEngine(
  plan: MemoryPlan,
  spec: EngineSpec,
  workers: number,
  kernels: Kernels,
  placement: Placement,
): EngineLayout {
  const { table, training } = spec;
  const optimizer = training?.optimizer.name ?? "sgd";
  const banks: BankLayout[] = [];
  const classes = classTableSize(spec);
  const placed = placement.classes
    ? placeInBanks(banks, classes, optimizer, workers, placement.bankBytes)
    : placeInside(plan, classes, optimizer);
  const biases = spec.bias && spec.adaptive === undefined ? table.rows : 0;
  const bias = biases > 0 ? plan.reserve("class bias", 4 * biases) : 0;
  const classTable: ClassTableLayout = {
    placed,
    bias,
    biasState: planState(plan, optimizer, "class bias", biases, 1),
  };
  const maxRows = Math.max(spec.evaluationRows, training?.B ?? 0);
  const encoder = planEncoder(plan, spec.encoder, {
    maxRows,
    training: training !== undefined,
    matrix: kernels.matrix,
    embeddingApart: placement.embedding || spec.tableType !== "float32" || spec.tied,
  });
  const encoderStates = encoder.tables.map((t) =>
    planState(plan, optimizer, `encoder ${t.name}`, t.address === 0 ? 0 : t.rows, t.ld),
  );
  const embedding = placeEmbedding(plan, banks, spec, encoder, encoderStates, workers, placement);
  const capacity = training === undefined ? undefined : trainingCapacity(spec);
  const batches =
    capacity === undefined ? [] : ["even", "odd"].map((name) => planBatch(plan, `${name} batch`, spec, capacity));
  const evaluation = evaluationCapacity(spec);
  const evaluationBatch = planBatch(plan, "evaluation batch", spec, evaluation);
  const builder = planBuilderScratch(plan, spec, capacity, evaluation, kernels);
  const sampled = training?.candidates !== undefined;
  const candidate = sampled ? planCandidateSpace(plan, spec, capacity!, trainingKernels(kernels, spec)) : undefined;
  const tied = sampled && spec.tied ? planTiedSpace(plan, spec, capacity!) : undefined;
  const full = planFullSpace(plan, spec, kernels);
  const adaptive = spec.adaptive === undefined ? undefined : planAdaptive(plan, spec, kernels);
  const units = adaptive === undefined ? 0 : mostGradientUnits(adaptive);
  const clip =
    training !== undefined && training.optimizer.clipNorm > 0
      ? planClip(plan, spec, capacity!, encoder, units)
      : undefined;
  const lists = spec.evaluationRows * spec.maxK;
  const rankedIds = plan.reserve("ranked ids", 4 * lists);
  const rankedValues = plan.reserve("ranked values", 4 * lists);
  const given = spec.encoder.input === "external" && training?.candidates?.per === "batch" ? training.candidates.S : 0;
  const givenIds = plan.reserve("given candidates", 4 * given);
  const givenLogQ = plan.reserve("given log Q", 8 * given);
  const stats = plan.reserve("statistics", 8 * (STAT.ring + STEP_TIME_RING));
  const nextStep = plan.reserve("next step", 8 * 2);
  const flags = plan.reserve("flags", 64);
  const shared = Math.max(
    candidate?.scratchBytes ?? 0,
    full.scratch.end,
    encoderScratchBytes(encoder),
    // The examples of a batch, while it is built, and what working them out takes.
    wholeLines(8 * (training?.B ?? 0)),
  );
  // Clusters keep packed operands from unit to unit, so theirs lies behind what others write to.
  const scratchBytes = shared + (adaptive?.scratch.end ?? 0);
  const scratch = plan.reserve("worker scratch", scratchBytes * Math.max(1, workers));
  const contextual = planContextualSpace(plan, spec, workers);
  // Full losses add rows of labels to dH; candidate losses have them in the panel.
  const labels = training !== undefined && !sampled ? training.capacity.maxTargets : 0;
  const inputs = Math.max(spec.capacity.maxInputs, training?.capacity.maxInputs ?? 0);
  const classAccess = planAccess(plan, placed, workers, spec.tied ? Math.max(labels, inputs) : labels);
  const embeddingAccess = embedding === undefined ? undefined : planAccess(plan, embedding, workers, inputs);
  return {
    table: classTable,
    encoder,
    embedding,
    encoderStates,
    batches,
    builder,
    evaluationBatch,
    candidate,
    tied,
    contextual,
    full,
    adaptive,
    clip,
    temperature: planTemperature(plan, spec, capacity?.panelRows ?? 0),
    rankedIds,
    rankedValues,
    givenIds,
    givenLogQ,
    stats,
    nextStep,
    flags,
    scratch,
    scratchBytes,
    banks,
    classAccess,
    embeddingAccess,
    regions: [...plan.regions, ...banks.flatMap((bank) => bank.regions)],
    mainBytes: plan.bytes,
    bytes: banks.reduce((sum, bank) => sum + bank.bytes, plan.bytes),
  };
}

/** Rows of an embedding table that one unit updates. */
export const SPARSE_BLOCK = 256;

function encoderScratchBytes(encoder: EncoderLayout): number {
  const widest = Math.max(0, ...encoder.tables.filter((t) => t.kind === "sparse").map((t) => t.ld));
  return wholeLines(Math.max(encoder.scratchBytes, 4 * SPARSE_BLOCK * widest));
}

function planBuilderScratch(
  plan: MemoryPlan,
  spec: EngineSpec,
  training: BatchCapacity | undefined,
  evaluation: BatchCapacity,
  kernels: Kernels,
): BuilderScratch {
  const entries = (c: BatchCapacity | undefined) =>
    c === undefined ? 0 : Math.max(c.positives, c.candidates, c.masksByClass ? c.masks : 0) + c.rowCandidates * c.rows;
  const state = spec.training?.candidates?.state;
  const tableBytes =
    state === undefined || spec.training!.candidates!.per === "row" ? 0 : memoryTableBytes(state.spec, state.n);
  const most = Math.max(entries(training), entries(evaluation));
  return {
    segments: plan.reserve("segment scratch", segmentScratchBytes(kernels.indices, training?.inputs ?? 0)),
    keys: plan.reserve("sort keys", 4 * most),
    values: plan.reserve("sort values", 4 * most),
    sort: plan.reserve(
      "sort scratch",
      Math.max(kernels.indices.sortScratchBytes(most), 4 * most, kernels.draws.scratchBytes),
    ),
    samplerTable: tableBytes === 0 ? 0 : plan.reserve("sampler table", tableBytes),
  };
}

/** @param most units of class gradients, if they are not cut by rows of the class table */
function planClip(
  plan: MemoryPlan,
  spec: EngineSpec,
  capacity: BatchCapacity,
  encoder: EncoderLayout,
  most: number,
): ClipSpace {
  // Tied tables in a full step: gradients of inputs are part of those of classes, for which there is room.
  const apart = !spec.tied || spec.training!.candidates !== undefined;
  const sparse = apart ? encoder.tables.find((t) => t.kind === "sparse") : undefined;
  // One number for each unit of the gradient phase, however the encoder cuts its dense tables.
  const dense = encoder.tables.reduce((sum, table) => sum + (table.kind === "dense" ? table.rows : 0), 0);
  const classes = blocksOf(Math.max(capacity.panelRows, spec.table.rows), UPDATE_BLOCK);
  const units = Math.max(classes, most) + blocksOf(capacity.inputs, SPARSE_BLOCK) + dense;
  return {
    sparseGradient: plan.reserve("embedding gradients", sparse === undefined ? 0 : 4 * capacity.inputs * sparse.ld),
    squares: plan.reserve("squares of gradients", 8 * units),
  };
}
