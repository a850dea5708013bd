import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import {
  type AdaptiveClusters,
  type ClusterSpace,
  planWalkScratch,
  TILE_CLASSES,
  type WalkScratch,
  widestTail,
} from "@logq/losses";
import { planState, type TableState } from "../../optimize/optimizer.js";
import { wholeLines } from "../candidate-space.js";
import { mostPackedBytes } from "../products.js";
import { blocksOf, type EngineSpec, rowsPerBlock } from "../spec.js";

/** Numbers of class rows whose gradient one unit makes: a table's rows are the fewer the wider they are. */
const RUN_NUMBERS = 2 ** 15;

/** A table of the clusters: its rows lie without gaps in the main memory, as float32. */
export interface AdaptiveTable {
  /** On disk, behind "adaptive." */
  readonly name: string;
  readonly kind: "rows" | "bias" | "projection";
  /** 0: the head; i + 1: tail i */
  readonly cluster: number;
  readonly address: Address;
  readonly rows: number;
  readonly columns: number;
  /** columns: no gaps */
  readonly ld: number;
  readonly state: TableState;
}

/** The tables of one cluster. */
export interface ClusterTables {
  readonly rows: AdaptiveTable;
  /** The head's, if there is one. */
  readonly bias: AdaptiveTable | undefined;
  /** A tail's. */
  readonly projection: AdaptiveTable | undefined;
}

/** Where an engine with an adaptive softmax keeps it: plain data, the same in every thread. */
export interface AdaptiveLayout {
  /** For the walk. Gradients have places there only if they are clipped. */
  readonly clusters: readonly ClusterSpace[];
  readonly tables: readonly ClusterTables[];
  /** Rows of a block. */
  readonly R: number;
  /** int32 (K + 2): where the rows of each cluster begin among all */
  readonly starts: Address;
  /** int32 (K + 1): where the kept logits of each cluster begin, in float32 elements of `kept`; −1: they are computed again */
  readonly keptAt: Address;
  /** Of M rows, the batch's in the head and then in each tail: int32 rows of the batch; float32; float64 */
  readonly rows: Address;
  readonly coefficient: Address;
  readonly max: Address;
  readonly lse: Address;
  readonly sum: Address;
  readonly loss: Address;
  /** int32 (M + 1) where their labels begin; of each label int32 slots, float32 masses, float64 log p */
  readonly offsets: Address;
  readonly slots: Address;
  readonly masses: Address;
  readonly logP: Address;
  /** float32 (B, D), then tail rows (…, the widest tail): what tables meet */
  readonly headInput: Address;
  readonly tailInput: Address;
  /** Training: float32, gradients of the tails' inputs; (M, D) shares of the hidden gradient */
  readonly tailInputGradient: Address;
  readonly share: Address;
  /** Training: float32 (keptFloats) logits that are kept, of a cluster (C, ld) and then (tiles, ld) what they are relative to */
  readonly kept: Address;
  readonly keptFloats: number;
  /** A worker's scratch, its pieces counted from where it begins. */
  readonly scratch: AdaptiveScratch;
}

export interface AdaptiveScratch extends WalkScratch {
  /** (tile classes, ld of a block) */
  readonly z: Address;
  /** Training: gradients of a run of class rows, of their biases, or of a projection */
  readonly gradient: Address;
  readonly biasGradient: Address;
  /** Training: (tile classes) */
  readonly biasSums: Address;
  /** Ranking: (R, maxK) */
  readonly topValues: Address;
  readonly topIds: Address;
  readonly queryInput: Address;
  /** Ranking, of the rows of a block: int32; float32 max; float64 sum; float32 lse */
  readonly queryRows: Address;
  readonly queryMax: Address;
  readonly querySum: Address;
  readonly queryLse: Address;
  readonly end: Address;
}

/** Rows apart in kept logits: a line more than they need, because rows a power of two apart share cache sets. */
export function keptStride(rows: number): number {
  return 16 * Math.ceil(rows / 16) + 16;
}

/** All tables, the head's first: the order in which they are saved. */
export function adaptiveTables({ tables }: AdaptiveLayout): AdaptiveTable[] {
  return tables.flatMap(({ rows, bias, projection }) =>
    [rows, bias, projection].filter((table) => table !== undefined),
  );
}

/** Float32 elements that keeping the logits of a cluster takes. */
export function keptElements(C: number, rows: number): number {
  return (C + blocksOf(C, TILE_CLASSES)) * keptStride(rows);
}

/** Class rows of a run: whole tiles. */
export function rowsOfRun({ width }: ClusterSpace): number {
  return TILE_CLASSES * Math.max(1, Math.floor(RUN_NUMBERS / width / TILE_CLASSES));
}

/** Units that make all gradients of a step in which every cluster has rows: of runs of class rows, and of projections. */
export function mostGradientUnits({ clusters }: AdaptiveLayout): number {
  return clusters.reduce((sum, cluster) => sum + blocksOf(cluster.C, rowsOfRun(cluster)), clusters.length - 1);
}

/** Reserves everything. `kernels` of the back-end, over any memory, tell the sizes of packed operands. */
export function planAdaptive(plan: MemoryPlan, spec: EngineSpec, kernels: Kernels): AdaptiveLayout {
  const clusters = spec.adaptive!;
  const { training, evaluationRows, capacity } = spec;
  const { D, tails } = clusters;
  const K = tails.length;
  const B = Math.max(evaluationRows, training?.B ?? 0);
  const T = Math.max(1, capacity.maxTargets, training?.capacity.maxTargets ?? 0);
  const R = rowsPerBlock(B);
  const tailRows = B * Math.min(T, K);
  const M = B + tailRows;
  const floats = (name: string, count: number) => plan.reserve(`adaptive ${name}`, 4 * count);
  const doubles = (name: string, count: number) => plan.reserve(`adaptive ${name}`, 8 * count);
  const trained = training === undefined ? 0 : 1;
  const tables = planTables(plan, spec);
  const clip = training !== undefined && training.optimizer.clipNorm > 0;
  const spaces = tables.map((of): ClusterSpace => {
    const gradient = (table: AdaptiveTable | undefined) =>
      clip && table !== undefined ? floats(`${table.name} gradient`, table.rows * table.columns) : 0;
    return {
      C: of.rows.rows,
      width: of.rows.columns,
      table: of.rows.address,
      tableGradient: gradient(of.rows),
      bias: of.bias?.address ?? 0,
      biasGradient: gradient(of.bias),
      projection: of.projection?.address ?? 0,
      projectionGradient: gradient(of.projection),
    };
  });
  const keptFloats = trained * mostKept(spaces, B, T, Math.floor((training?.logitBytes ?? 0) / 4));
  return {
    clusters: spaces,
    tables,
    R,
    starts: floats("starts", K + 2),
    keptAt: floats("places of logits", K + 1),
    rows: floats("rows", M),
    coefficient: floats("coefficients", M),
    max: floats("row maxima", M),
    lse: floats("log partitions", M),
    sum: doubles("row sums", M),
    loss: doubles("row losses", M),
    offsets: floats("offsets of labels", M + 1),
    slots: floats("labels", 2 * B * T),
    masses: floats("masses of labels", 2 * B * T),
    logP: doubles("log probabilities of labels", 2 * B * T),
    headInput: floats("input of the head", B * D),
    tailInput: floats("inputs of tails", tailRows * widestTail(clusters)),
    tailInputGradient: floats("input gradients of tails", trained * tailRows * widestTail(clusters)),
    share: floats("shares of the hidden gradient", trained * M * D),
    kept: floats("kept logits", keptFloats),
    keptFloats,
    scratch: planScratch(spec, clusters, spaces, R, kernels),
  };
}

/** Float32 elements for logits, within the budget: all, if every row were in the largest tail, and with T labels in each. */
function mostKept(spaces: readonly ClusterSpace[], B: number, T: number, budget: number): number {
  const [head, ...tails] = spaces;
  const sizes = tails.map(({ C }) => C).sort((a, b) => b - a);
  const largest = sizes.slice(0, T).reduce((sum, C) => sum + keptElements(C, B), 0);
  // Rows that are spread over tails need the fewer logits, but each tail its own margin.
  const margins = sizes.reduce((sum, C) => sum + keptElements(C, 1), 0);
  return Math.min(budget, keptElements(head.C, B) + largest + margins);
}

function planTables(plan: MemoryPlan, spec: EngineSpec): readonly ClusterTables[] {
  const { D, h, tails, headBias } = spec.adaptive!;
  const optimizer = spec.training?.optimizer.name ?? "sgd";
  const table = (
    name: string,
    kind: AdaptiveTable["kind"],
    cluster: number,
    rows: number,
    columns: number,
  ): AdaptiveTable => ({
    name,
    kind,
    cluster,
    rows,
    columns,
    ld: columns,
    address: plan.reserve(`adaptive ${name}`, 4 * rows * columns),
    state: planState(plan, optimizer, `adaptive ${name}`, rows, columns),
  });
  const heads = h + tails.length;
  const head: ClusterTables = {
    rows: table("head", "rows", 0, heads, D),
    bias: headBias ? table("head-bias", "bias", 0, heads, 1) : undefined,
    projection: undefined,
  };
  return [
    head,
    ...tails.map(({ size, width }, i) => ({
      rows: table(`tail${i}`, "rows", i + 1, size, width),
      bias: undefined,
      projection: table(`tail${i}-projection`, "projection", i + 1, width, D),
    })),
  ];
}

function planScratch(
  spec: EngineSpec,
  clusters: AdaptiveClusters,
  spaces: readonly ClusterSpace[],
  R: number,
  kernels: Kernels,
): AdaptiveScratch {
  let next = 0;
  const take = (bytes: number): Address => {
    const at = next;
    next += wholeLines(bytes);
    return at;
  };
  const B = spec.training?.B ?? 0;
  const trains = spec.training === undefined ? 0 : 1;
  const sizes = { R, gradientRows: Math.max(R, B), tileClasses: TILE_CLASSES };
  const run = Math.max(...spaces.map((cluster) => Math.min(cluster.C, rowsOfRun(cluster)) * cluster.width));
  const projection = widestTail(clusters) * clusters.D;
  return {
    ...planWalkScratch(
      (_, bytes) => take(bytes),
      clusters,
      sizes,
      (K, N) => mostPackedBytes(kernels, spec, K, N),
    ),
    z: take(4 * TILE_CLASSES * keptStride(R)),
    gradient: take(4 * trains * Math.max(run, projection)),
    biasGradient: take(4 * trains * rowsOfRun(spaces[0])),
    biasSums: take(4 * trains * TILE_CLASSES),
    topValues: take(4 * R * spec.maxK),
    topIds: take(4 * R * spec.maxK),
    queryInput: take(4 * R * clusters.D),
    queryRows: take(4 * R),
    queryMax: take(4 * R),
    querySum: take(8 * R),
    queryLse: take(4 * R),
    end: next,
  };
}
