import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import { describeLoss } from "@logq/losses";
import { wholeLines } from "./candidate-space.js";
import { mostPackedBytes } from "./products.js";
import type { EngineSpec } from "./spec.js";

/** How a walk over all classes cuts lanes into tiles. From the number of rows alone: it fixes the order of sums. */
export interface TileShape {
  /** Classes of a tile. */
  readonly classes: number;
  /** Leading dimension of a tile of logits. */
  readonly ld: number;
}

/** The most classes that a tile has. */
const MOST_CLASSES = 256;

/** Logits of a tile: with its class rows they stay in a second-level cache from one product to the next. */
const TILE_LOGITS = 65536;

export function tileShape(rows: number): TileShape {
  const classes = Math.min(MOST_CLASSES, Math.max(32, 2 ** Math.floor(Math.log2(TILE_LOGITS / Math.max(1, rows)))));
  // A line more than the rows need, because rows a power of two apart share cache sets.
  return { classes, ld: 16 * Math.ceil(rows / 16) + 16 };
}

/** Rows of the batch of a block that a gradient filter leaves out or not. */
export const ROW_BLOCK = 32;

/** Classes of a block that a gradient filter leaves out or not: those that softmaxExponentials sums together. */
export const FILTER_BLOCK = 64;

/** What the walk over all classes shares, in training and in evaluation. `rows` is the capacity; L lanes. */
export interface FullSpace {
  readonly rows: number;
  /** H packed for logits. */
  readonly packedHiddenT: Address;
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
  /** Cosines only: float32, the length of a label's class row */
  readonly positiveNorm: Address;
  /** What training a full loss needs beside. */
  readonly training: FullTrainingSpace | undefined;
  /** Ranking only: (L, rows, maxK) */
  readonly laneIds: Address;
  readonly laneValues: Address;
  /** Ranking only: float32 (rows), below which no logit is among the best; lanes share it while they are walked */
  readonly rankFloor: Address;
  /** A worker's scratch, its pieces counted from where it begins. */
  readonly scratch: FullScratch;
}

export interface FullTrainingSpace {
  /** The shape of its tiles. */
  readonly tile: TileShape;
  /** Tiles of the longest lane. */
  readonly tilesPerLane: number;
  /** float32 (L, rows, ld) each lane's share of dH; of a softmax relative to the lane's last reference. */
  readonly laneHiddenGradient: Address;
  /** Label smoothing only: float32 (L, ld) the sum of a lane's class rows. */
  readonly laneRowSum: Address;
  /** float32 (table rows, tile.ld) what the forward walk left in the tiles, or 0: it is computed again. */
  readonly kept: Address;
  /** Softmax only: float32 (tiles if kept, else L; rows) what exponentials are relative to; int32 (tiles) whether that differs from the tile before. */
  readonly references: Address;
  readonly moved: Address;
  /** Gradient filter only: float32 (tiles, blocks of a tile, rows) sums of exponentials; float64 (L, 2) blocks left out and mass left out, over the run */
  readonly blocks: Address;
  readonly left: Address;
  /** Clipping only: float32 (table rows, ld) and (table rows) */
  readonly gradient: Address;
  readonly biasGradient: Address;
}

/** Pieces of a worker's scratch, in this order. `classes` is the most of a tile's, `rows` the capacity. */
export interface FullScratch {
  /** (classes, ld of the tile) logits */
  readonly tile: Address;
  /** (classes, ld) class gradients, or class rows of length 1 while evaluating cosines */
  readonly gradient: Address;
  /** (classes, ld) class rows of length 1 */
  readonly unit: Address;
  readonly norms: Address;
  readonly biasGradient: Address;
  /** (classes) scaled biases */
  readonly add: Address;
  /** class rows packed for dH */
  readonly packed: Address;
  /** Training: (rows, ld) rows of H times their factors, packed for dW; the factors; decays and sums that nobody reads */
  readonly scaled: Address;
  readonly packedScaled: Address;
  readonly factor: Address;
  readonly decay: Address;
  readonly spare: Address;
  /** Gradient filter: float32 (rows) what turns exponentials into probabilities, and the mass that a lane has left out; 1s */
  readonly probability: Address;
  readonly spent: Address;
  readonly ones: Address;
  /** Label smoothing: (ld) what it takes off every class row's gradient */
  readonly smoothing: Address;
  readonly end: Address;
}

function planScratch(spec: EngineSpec, rows: number, kernels: Kernels): FullScratch {
  const { ld, D } = spec.table;
  const packedBytes = (K: number, N: number) => mostPackedBytes(kernels, spec, K, N);
  let next = 0;
  const take = (bytes: number): Address => {
    const at = next;
    next += wholeLines(bytes);
    return at;
  };
  const shapes = [tileShape(spec.evaluationRows), ...(trainsFully(spec) ? [tileShape(spec.training!.B)] : [])];
  const classes = Math.max(...shapes.map((shape) => shape.classes));
  const block = 4 * classes * ld;
  const trained = trainsFully(spec) ? rows : 0;
  const filtered = filters(spec) ? rows : 0;
  return {
    tile: take(4 * Math.max(...shapes.map((shape) => shape.classes * shape.ld))),
    gradient: take(block),
    unit: take(spec.normalize ? block : 0),
    norms: take(4 * classes),
    biasGradient: take(4 * classes),
    add: take(4 * classes),
    packed: take(packedBytes(classes, D)),
    scaled: take(4 * trained * ld),
    packedScaled: take(
      Math.max(
        trained === 0 ? 0 : packedBytes(trained, D),
        Math.ceil(filtered / ROW_BLOCK) * packedBytes(ROW_BLOCK, D),
      ),
    ),
    factor: take(4 * trained),
    decay: take(4 * trained),
    spare: take(8 * trained),
    probability: take(4 * filtered),
    spent: take(4 * filtered),
    ones: take(4 * filtered),
    smoothing: take(smooths(spec) ? 4 * ld : 0),
    end: next,
  };
}

/** The pieces of the scratch that begins at `base`. */
export function scratchAt<Pieces extends object>(pieces: Pieces, base: Address): Pieces {
  const moved = Object.entries(pieces).map(([name, offset]) => [name, base + offset]);
  return Object.fromEntries(moved) as Pieces;
}

/** Whether a training step walks all classes in their table. */
export function trainsFully(spec: EngineSpec): boolean {
  return spec.training !== undefined && spec.training.candidates === undefined && spec.adaptive === undefined;
}

/** Whether gradients leave out what has next to no probability. */
export function filters(spec: EngineSpec): boolean {
  return trainsFully(spec) && spec.training!.gradientFilter > 0;
}

function smooths(spec: EngineSpec): boolean {
  return trainsFully(spec) && spec.training!.loss.labelSmoothing > 0;
}

export function planFullSpace(plan: MemoryPlan, spec: EngineSpec, kernels: Kernels): FullSpace {
  const { table, training } = spec;
  const trains = trainsFully(spec);
  const rows = Math.max(spec.evaluationRows, trains ? training!.B : 0);
  const L = table.lanes;
  const labels = rows * Math.max(1, spec.capacity.maxTargets, trains ? training!.capacity.maxTargets : 0);
  const floats = (name: string, count: number) => (count > 0 ? plan.reserve(`full ${name}`, 4 * count) : 0);
  const doubles = (name: string, count: number) => plan.reserve(`full ${name}`, 8 * count);
  return {
    rows,
    packedHiddenT: plan.reserve("full packed hidden", wholeLines(mostPackedBytes(kernels, spec, table.D, rows))),
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
    positiveNorm: floats("label lengths", spec.normalize ? labels : 0),
    training: trains ? planTraining(spec, rows, floats) : undefined,
    laneIds: floats("lane ids", L * rows * spec.maxK),
    laneValues: floats("lane values", L * rows * spec.maxK),
    rankFloor: floats("rank floors", spec.maxK > 0 ? rows : 0),
    scratch: planScratch(spec, rows, kernels),
  };
}

function planTraining(
  spec: EngineSpec,
  rows: number,
  floats: (name: string, count: number) => Address,
): FullTrainingSpace {
  const { table } = spec;
  const { B, loss, logitBytes, optimizer } = spec.training!;
  const tile = tileShape(B);
  const tilesPerLane = Math.ceil(table.rowsPerLane / tile.classes);
  const tiles = table.lanes * tilesPerLane;
  const keeps = 4 * table.rows * tile.ld <= logitBytes;
  const clip = optimizer.clipNorm > 0;
  const softmax = describeLoss(loss.name).kind === "normalised";
  const perTile = keeps || filters(spec);
  return {
    tile,
    tilesPerLane,
    laneHiddenGradient: floats("lane hidden gradients", table.lanes * rows * table.ld),
    laneRowSum: floats("lane row sums", smooths(spec) ? table.lanes * table.ld : 0),
    kept: floats("kept logits", keeps ? table.rows * tile.ld : 0),
    references: floats("references", softmax ? (perTile ? tiles : table.lanes) * rows : 0),
    moved: floats("moved references", softmax && keeps ? tiles : 0),
    blocks: floats("block sums", filters(spec) ? tiles * Math.ceil(tile.classes / FILTER_BLOCK) * rows : 0),
    left: floats("left out", filters(spec) ? 4 * table.lanes : 0),
    gradient: floats("class gradients", clip ? table.rows * table.ld : 0),
    biasGradient: floats("bias gradients", clip && spec.bias ? table.rows : 0),
  };
}
