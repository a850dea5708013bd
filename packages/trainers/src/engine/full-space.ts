import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import { wholeLines } from "./candidate-space.js";
import { CLASS_TILE, type EngineSpec, rowsPerBlock } from "./spec.js";

/** What the walk over all classes shares, in training and in evaluation. `rows` is the capacity; L lanes. */
export interface FullSpace {
  readonly rows: number;
  /** Leading dimension of a tile of logits. */
  readonly ldTile: number;
  /** H packed for logits, a block of rows after the other, packedBlockBytes apart. */
  readonly packedHiddenT: Address;
  readonly packedTBytes: number;
  /** Training only: rows of H packed for dW. */
  readonly packedHidden: Address;
  readonly packedRowsBytes: number;
  readonly unitHidden: Address;
  readonly hiddenNorms: Address;
  /** Lane after lane, `rows` each: float32 max; float64 sum, total, loss */
  readonly laneMax: Address;
  readonly laneSum: Address;
  readonly laneTotal: Address;
  readonly laneLoss: Address;
  /** float32 (rows): lse, coefficient, uniform */
  readonly lse: Address;
  readonly coefficient: Address;
  readonly uniform: Address;
  /** float32: a label's logit, and what is added to it */
  readonly positiveDot: Address;
  readonly positiveAdd: Address;
  readonly positiveBias: Address;
  /** Training only: float32 (L, rows, ld) each lane's share of dH */
  readonly laneHiddenGradient: Address;
  /** Training only: float32 (table rows, ldTile) the logits that are kept, or 0 */
  readonly keptLogits: Address;
  /** Training with clipping only: float32 (table rows, ld) and (table rows) */
  readonly gradient: Address;
  readonly biasGradient: Address;
  /** Ranking only: (L, rows, maxK) */
  readonly laneIds: Address;
  readonly laneValues: Address;
  readonly scratchBytes: number;
}

/** Pieces of a worker's scratch, in this order. */
export interface FullScratch {
  /** (CLASS_TILE, rows) logits */
  readonly tile: Address;
  /** (CLASS_TILE, ld) class gradients, or class rows of length 1 while evaluating cosines */
  readonly gradient: Address;
  /** (CLASS_TILE, ld) class rows of length 1 */
  readonly unit: Address;
  readonly norms: Address;
  readonly biasGradient: Address;
  /** (CLASS_TILE) scaled biases */
  readonly add: Address;
  /** class rows packed for dH */
  readonly packed: Address;
  readonly end: Address;
}

export function fullScratch(base: Address, spec: EngineSpec, rows: number, kernels: Kernels): FullScratch {
  const { ld, D } = spec.table;
  const tile = base;
  const gradient = tile + wholeLines(4 * CLASS_TILE * tileStride(rows));
  const unit = gradient + wholeLines(4 * CLASS_TILE * ld);
  const norms = unit + (spec.normalize ? wholeLines(4 * CLASS_TILE * ld) : 0);
  const biasGradient = norms + wholeLines(4 * CLASS_TILE);
  const add = biasGradient + wholeLines(4 * CLASS_TILE);
  const packed = add + wholeLines(4 * CLASS_TILE);
  const end = packed + wholeLines(kernels.matrix.packedBytes(CLASS_TILE, D));
  return { tile, gradient, unit, norms, biasGradient, add, packed, end };
}

/** A leading dimension for tiles of `rows` columns: a line more than they need, because rows a power of two apart share cache sets. */
function tileStride(rows: number): number {
  return 16 * Math.ceil(rows / 16) + 16;
}

/** Whether a training step walks all classes. */
export function trainsFully(spec: EngineSpec): boolean {
  return spec.training !== undefined && spec.training.candidates === undefined;
}

export function planFullSpace(plan: MemoryPlan, spec: EngineSpec, kernels: Kernels): FullSpace {
  const { table, training } = spec;
  const trains = trainsFully(spec);
  const rows = Math.max(spec.evaluationRows, trains ? training!.B : 0);
  const R = Math.min(rowsPerBlock(spec.evaluationRows), trains ? rowsPerBlock(training!.B) : Infinity);
  const blocks = Math.ceil(rows / R);
  const most = 64;
  const packedTBytes = wholeLines(kernels.matrix.packedBytes(table.D, most));
  const packedRowsBytes = wholeLines(kernels.matrix.packedBytes(most, table.D));
  const L = table.lanes;
  const labels = rows * Math.max(1, spec.capacity.maxTargets, trains ? training!.capacity.maxTargets : 0);
  const floats = (name: string, count: number) => (count > 0 ? plan.reserve(`full ${name}`, 4 * count) : 0);
  const doubles = (name: string, count: number) => plan.reserve(`full ${name}`, 8 * count);
  const ldTile = tileStride(rows);
  const logitBytes = trains ? 4 * table.rows * ldTile : 0;
  const keep = logitBytes > 0 && logitBytes <= training!.logitBytes;
  const clip = trains && training!.optimizer.clipNorm > 0;
  const scratch = fullScratch(0, spec, rows, kernels);
  return {
    rows,
    ldTile,
    packedHiddenT: plan.reserve("full packed hidden", packedTBytes * blocks),
    packedTBytes,
    packedHidden: trains ? plan.reserve("full packed rows", packedRowsBytes * blocks) : 0,
    packedRowsBytes,
    unitHidden: floats("unit hidden", spec.normalize ? rows * table.ld : 0),
    hiddenNorms: floats("hidden norms", spec.normalize ? rows : 0),
    laneMax: floats("lane max", L * rows),
    laneSum: doubles("lane sum", L * rows),
    laneTotal: doubles("lane total", L * rows),
    laneLoss: doubles("lane loss", L * rows),
    lse: floats("lse", rows),
    coefficient: floats("coefficient", rows),
    uniform: floats("uniform", rows),
    positiveDot: floats("label logits", labels),
    positiveAdd: floats("label terms", labels),
    positiveBias: floats("label bias", spec.bias ? labels : 0),
    laneHiddenGradient: floats("lane hidden gradients", trains ? L * rows * table.ld : 0),
    keptLogits: floats("kept logits", keep ? logitBytes / 4 : 0),
    gradient: floats("class gradients", clip ? table.rows * table.ld : 0),
    biasGradient: floats("bias gradients", clip && spec.bias ? table.rows : 0),
    laneIds: floats("lane ids", L * rows * spec.maxK),
    laneValues: floats("lane values", L * rows * spec.maxK),
    scratchBytes: scratch.end,
  };
}
