import type { Group } from "../measure/group.js";
import { aliasSpec, logUniformLogsSpec, logUniformSpec, permutedSpec } from "./draws.js";
import { type CreateKernels, createKernels, kernelGroup } from "./kernel-group.js";
import { pairSpec } from "./pairs.js";
import { productSpecs } from "./products.js";
import { rowSpecs } from "./rows.js";
import { sortSpec, topKSpec } from "./selection.js";
import { tileSpecs, vectorSpecs } from "./tiles.js";
import { updateSpecs } from "./updates.js";

/** The shapes that kernels are timed at. */
export interface KernelSizes {
  readonly B: number;
  readonly S: number;
  /** Widths of the products; one is odd. */
  readonly widths: readonly number[];
  readonly vector: number;
  /** Labels of a row, and candidates that each of them is compared with. */
  readonly pairs: { readonly T: number; readonly C: number };
  /** Class counts of the tables that rows are gathered from. */
  readonly tables: readonly number[];
  readonly sorted: readonly number[];
  /** Classes that the best are chosen from. */
  readonly ranked: number;
}

/** A step of B = 256 rows and S = 1024 candidates at D = 128, and what an evaluation does. */
export const KERNEL_SIZES: KernelSizes = {
  B: 256,
  S: 1024,
  widths: [64, 101, 128, 256],
  vector: 2 ** 18,
  pairs: { T: 50, C: 64 },
  tables: [100_000, 1_000_000],
  sorted: [1280, 2 ** 18],
  ranked: 4096,
};

/** Rows of a batch that a unit of a step handles, and classes of a tile that an evaluation looks at. */
const D = 128;
const BLOCK_ROWS = 32;
const TILE_CLASSES = 256;
const MOST_IDS = 1_000_000;

export function kernelGroups(sizes: KernelSizes = KERNEL_SIZES, create: CreateKernels = createKernels): Group[] {
  const { B, S } = sizes;
  const touched = B + S;
  return [
    ...sizes.widths.flatMap((width) => productSpecs({ B, S, D: width }).map((spec) => kernelGroup(spec, create))),
    ...vectorSpecs(sizes.vector).map((spec) => kernelGroup(spec, create)),
    ...tileSpecs({ C: S, B, R: BLOCK_ROWS }).map((spec) => kernelGroup(spec, create)),
    kernelGroup(pairSpec({ ...sizes.pairs, R: BLOCK_ROWS }), create),
    ...sizes.tables.flatMap((n) => rowSpecs({ n, D, count: touched }).map((spec) => kernelGroup(spec, create))),
    ...updateSpecs({ n: sizes.tables[0]!, D, count: touched }).map((spec) => kernelGroup(spec, create)),
    ...sizes.tables.map((n) => kernelGroup(aliasSpec(n, S), create)),
    ...sizes.tables.map((n) => kernelGroup(logUniformSpec(n, S), create)),
    ...sizes.tables.map((n) => kernelGroup(logUniformLogsSpec(n, S), create)),
    ...sizes.tables.map((n) => kernelGroup(permutedSpec(n, B), create)),
    ...sizes.sorted.map((count) => kernelGroup(sortSpec(count, MOST_IDS), create)),
    ...[10, 100].map((k) => kernelGroup(topKSpec({ n: sizes.ranked, B, k, tile: TILE_CLASSES }), create)),
  ];
}
