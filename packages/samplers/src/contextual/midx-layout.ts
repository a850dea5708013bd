import { type Address, MemoryPlan } from "@logq/kernels";
import { UNIFORMS_BYTES } from "../uniforms.js";
import { BLOCK_POINTS } from "./kmeans.js";
import { GENERATIONS_BYTES } from "./midx-generations.js";
import type { ValidMidxOptions } from "./midx-options.js";
import { type ContextualPlan, MAX_CONTEXTS } from "./types.js";

/** Classes of a unit of a refresh. */
export const UNIT_CLASSES = BLOCK_POINTS;

/** The first units of an assign step whose classes move the codebooks: thousands of classes a step say all that codebooks need. */
export const STATISTICS_UNITS = 8;

/** Bytes of a class in a generation: {float32 log factor, int32 cell}. */
export const RECORD_BYTES = 8;

/** Bytes of a class in its cell: {float64 sum of factors of the cell so far, this class's included, int32 id, float32 log factor}. */
export const ENTRY_BYTES = 16;

/** Entries from one landmark to the next, and the logarithm to base 2: searches shift. */
export const LANDMARK_BITS = 4;
export const LANDMARK = 1 << LANDMARK_BITS;

/** One of the two copies of what draws read. */
export interface CellsLayout {
  /** RECORD_BYTES a class, by id. */
  readonly records: Address;
  /** ENTRY_BYTES a class, by cell, within a cell by id. */
  readonly entries: Address;
  /** (⌊n/LANDMARK⌋) float64: the sum that every LANDMARK-th entry holds, so that a search finds its way in little memory. */
  readonly landmarks: Address;
  /** (K² + 1) int32: where the entries of each cell begin. */
  readonly offsets: Address;
  /** (K, K) float64: the sum of factors of each cell; a factor is e^{log factor − shift}. */
  readonly masses: Address;
  /** (K) float64 each: their sums over the other codebook. */
  readonly firstMasses: Address;
  readonly secondMasses: Address;
  /** float64: the greatest log factor. */
  readonly shift: Address;
}

/** Where everything of the shared table lies. */
export interface MidxTable {
  readonly header: Address;
  /** (2K, D) float32: the first codebook, then the second. Of `product` the other half of a code is zeros. */
  readonly codebooks: Address;
  /** The same, packed as a right operand (D, 2K). */
  readonly packed: Address;
  /** (2K) float64: squared lengths; +∞ for a code that is not in use. */
  readonly norms: Address;
  /** (K, K) float64: products of the codes of the two codebooks. */
  readonly crossed: Address;
  readonly cells: readonly [CellsLayout, CellsLayout];
  /** (K²) int32: classes of each cell so far, then where its next class goes. */
  readonly cursors: Address;
  /** Partial sums of units: (STATISTICS_UNITS, 2K, D) float32. */
  readonly partials: Address;
  /** (2K, D) and (K²) float64: the pass's weighted sums of rows by code, and of weights by cell. */
  readonly sums: Address;
  readonly weights: Address;
  /** (n) float32: logs of the masses that say what classes weigh when codebooks are fitted. */
  readonly logWeights: Address;
  /** Two float64: the greatest of them, and 1 if they follow the biases. */
  readonly weightState: Address;
}

/** Where everything of a thread's scratch lies. */
export interface MidxScratch {
  /** (UNIT_CLASSES, D), (UNIT_CLASSES, 2K) and (UNIT_CLASSES) float32. */
  readonly rows: Address;
  readonly products: Address;
  readonly biases: Address;
  /** (MAX_CONTEXTS, 2K) float32: h·c of the block last drawn. */
  readonly scores: Address;
  /** Pairs of float64. */
  readonly uniforms: Address;
}

/** The regions of the table, as addresses from `base` on, and its bytes. */
export function midxTable({ K }: ValidMidxOptions, n: number, D: number, base: Address): [MidxTable, number] {
  const plan = new MemoryPlan();
  const reserve = (name: string, bytes: number) => base + plan.reserve(name, bytes);
  const cells = (): CellsLayout => ({
    records: reserve("records", RECORD_BYTES * n),
    entries: reserve("entries", ENTRY_BYTES * n),
    landmarks: reserve("landmarks", 8 * Math.floor(n / LANDMARK)),
    offsets: reserve("offsets", 4 * (K * K + 1)),
    masses: reserve("masses", 8 * K * K),
    firstMasses: reserve("masses of the first codebook", 8 * K),
    secondMasses: reserve("masses of the second codebook", 8 * K),
    shift: reserve("shift", 8),
  });
  const table: MidxTable = {
    header: reserve("header", GENERATIONS_BYTES),
    codebooks: reserve("codebooks", 8 * K * D),
    packed: reserve("packed codebooks", packedBytes(D, 2 * K)),
    norms: reserve("norms", 16 * K),
    crossed: reserve("crossed", 8 * K * K),
    cells: [cells(), cells()],
    cursors: reserve("cursors", 4 * K * K),
    partials: reserve("partial sums", 4 * STATISTICS_UNITS * 2 * K * D),
    sums: reserve("sums", 8 * 2 * K * D),
    weights: reserve("weights", 8 * K * K),
    logWeights: reserve("log weights", 4 * n),
    weightState: reserve("state of the weights", 16),
  };
  return [table, roundUp(plan.bytes)];
}

/** The regions of a thread's scratch, and its bytes. */
export function midxScratch({ K }: ValidMidxOptions, D: number, base: Address): [MidxScratch, number] {
  const plan = new MemoryPlan();
  const reserve = (name: string, bytes: number) => base + plan.reserve(name, bytes);
  const scratch: MidxScratch = {
    rows: reserve("rows", 4 * UNIT_CLASSES * D),
    products: reserve("products", 4 * UNIT_CLASSES * 2 * K),
    biases: reserve("biases", 4 * UNIT_CLASSES),
    scores: reserve("scores", 4 * MAX_CONTEXTS * 2 * K),
    uniforms: reserve("uniforms", UNIFORMS_BYTES),
  };
  return [scratch, roundUp(plan.bytes)];
}

export function midxPlan(options: ValidMidxOptions, n: number, D: number): ContextualPlan {
  return { tableBytes: midxTable(options, n, D, 0)[1], scratchBytes: midxScratch(options, D, 0)[1] };
}

/** An upper bound of matrix.packedBytes(K, N) of every back-end: panels of 32 columns, or descriptors that need less than one panel. */
export function packedBytes(K: number, N: number): number {
  return Math.max(1024, 4 * K * 32 * Math.ceil(N / 32));
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
