import type { DenseKernels } from "../interface/dense.js";
import type { IndexKernels } from "../interface/indices.js";
import type { MatrixKernels } from "../interface/matrix.js";
import type { NarrowKernels } from "../interface/narrow.js";
import type { RowKernels } from "../interface/rows.js";
import type { TileKernels } from "../interface/tile.js";
import type { VectorKernels } from "../interface/vector.js";
import type { Address } from "../memory.js";

/**
 * What assembly/index.ts exports: the kernels themselves, but for those whose arguments are no plain numbers. Addresses and other
 * unsigned words are taken modulo 2^32, booleans as 0 and 1.
 */
export interface WasmExports
  extends Omit<MatrixKernels, "packedBytes" | "packedColumn">,
    TileKernels,
    Omit<RowKernels, "allFinite">,
    Pick<NarrowKernels, "widenRows">,
    Omit<DenseKernels, "dropout">,
    Omit<VectorKernels, "copyIn">,
    Omit<IndexKernels, "sortScratchBytes"> {
  /** 1 or 0 */
  allFinite(source: Address, ld: number, rows: number, D: number): number;

  /** An element is dropped iff its word is below `threshold`, in [0, 2^32]; others are multiplied by `scale`. */
  dropout(
    y: Address,
    ld: number,
    rows: number,
    columns: number,
    threshold: number,
    scale: number,
    firstBlock: number,
    firstRow: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
  ): void;

  /** The counter's first word is firstBlock + ⌊d/8⌋. */
  roundRows(
    table: Address,
    ldTable: number,
    indices: Address,
    source: Address,
    ldSource: number,
    count: number,
    D: number,
    ids: Address,
    firstBlock: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
  ): void;

  aliasLogs(out: Address, ids: Address, count: number, table: Address, offset: number): void;

  logUniformLogs(out: Address, ids: Address, count: number, offset: number): void;

  logUniformIds(
    ids: Address,
    count: number,
    n: number,
    logRange: number,
    first: number,
    item: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
  ): void;

  uniformPairs(
    out: Address,
    count: number,
    first: number,
    item: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
  ): void;

  uniformIds(
    ids: Address,
    count: number,
    range: number,
    first: number,
    item: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
  ): void;

  aliasIds(
    ids: Address,
    count: number,
    table: Address,
    n: number,
    first: number,
    item: number,
    stepLow: number,
    stream: number,
    keyLow: number,
    keyHigh: number,
    scratch: Address,
  ): void;

  permuted(
    out: Address,
    count: number,
    size: number,
    halfBits: number,
    first: number,
    scratch: Address,
    ...roundKeys: [number, number, number, number, number, number, number, number]
  ): void;

  readonly updateSgd: UpdateRows<[gradientScale: number, weightDecay: number, learningRate: number]>;
  readonly updateMomentum: UpdateRows<
    [velocity: Address, gradientScale: number, weightDecay: number, learningRate: number, momentum: number]
  >;
  readonly updateAdagrad: UpdateRows<
    [accumulator: Address, gradientScale: number, weightDecay: number, learningRate: number, epsilon: number]
  >;
  readonly updateRowwiseAdagrad: UpdateRows<
    [accumulator: Address, gradientScale: number, weightDecay: number, learningRate: number, epsilon: number]
  >;
  /** rate is lr / correction1, unbias is 1 / correction2, gain1 is 1 − β₁, gain2 is 1 − β₂. */
  readonly updateAdam: UpdateRows<
    [
      firstMoment: Address,
      secondMoment: Address,
      gradientScale: number,
      weightDecay: number,
      rate: number,
      unbias: number,
      epsilon: number,
      beta1: number,
      gain1: number,
      beta2: number,
      gain2: number,
    ]
  >;
}

type UpdateRows<Rest extends number[]> = (
  table: Address,
  ldTable: number,
  indices: Address,
  gradient: Address,
  ldGradient: number,
  count: number,
  D: number,
  ...rest: Rest
) => void;
