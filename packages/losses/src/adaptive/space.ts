import { requireInteger } from "@logq/core";
import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import { type ClusterBlock, clusterBlock, TILE_CLASSES, type WalkScratch } from "./cluster-walk.js";
import type { AdaptiveClusters } from "./clusters.js";
import { planWalkScratch, widestTail } from "./scratch.js";

/** Logits of a cluster and a block that are kept: 16 MiB. */
const KEPT_LOGITS = 2 ** 22;
const MOST_ROWS = 256;

export interface AdaptiveSizes {
  /** Most rows of a batch. */
  readonly B: number;
  /** Rows of a block. Default: at most 256. */
  readonly blockRows?: number;
  /** Most classes of a tile, rounded up to a multiple of 4. Default 256. */
  readonly tileClasses?: number;
  /** Most logits of a cluster and a block that are kept for the walk back; those of larger clusters are computed twice. Default 2^22. */
  readonly keptLogits?: number;
  /** Most classes that `topK` may be asked for. Default 100. */
  readonly k?: number;
}

/** One softmax: the head, or a tail. */
export interface ClusterSpace {
  /** Rows of its table: classes, and in the head one for each tail. */
  readonly C: number;
  /** Width of the table: D in the head. */
  readonly width: number;
  /** (C, width) */
  readonly table: Address;
  readonly tableGradient: Address;
  /** (C), or 0 */
  readonly bias: Address;
  readonly biasGradient: Address;
  /** (width, D); 0 in the head */
  readonly projection: Address;
  readonly projectionGradient: Address;
}

/** What answering questions about a batch takes: one block after the other passes through `block`. */
export interface AdaptiveQueries {
  readonly clusters: AdaptiveClusters;
  /** The head, then the tails. */
  readonly spaces: readonly ClusterSpace[];
  /** Most rows of a block. */
  readonly R: number;
  /** Without labels. */
  readonly block: ClusterBlock;
  /** (R, k): the lists of `topK` */
  readonly k: number;
  readonly topValues: Address;
  readonly topIds: Address;
}

/** Where everything lies in kernel memory. */
export interface AdaptiveSpace extends AdaptiveQueries {
  readonly B: number;
  readonly tileClasses: number;
  readonly keptLogits: number;
  /** (B, D), and its gradient */
  readonly hidden: Address;
  readonly hiddenGradient: Address;
  /** (C of a tile): sums over rows; only the head has a bias */
  readonly rowSums: Address;
  /** The same block with labels. */
  readonly labelled: ClusterBlock;
  readonly scratch: WalkScratch;
}

/** Reserves everything. `sizing` is the back-end that will run here, bound to any memory: it knows the sizes of packed operands. */
export function reserveAdaptive(
  plan: MemoryPlan,
  clusters: AdaptiveClusters,
  sizes: AdaptiveSizes,
  sizing: Kernels,
): AdaptiveSpace {
  const B = requireInteger("B", sizes.B, 1);
  const R = Math.min(B, requireInteger("blockRows", sizes.blockRows ?? MOST_ROWS, 1));
  const k = requireInteger("k", sizes.k ?? 100, 0);
  const keptLogits = requireInteger("keptLogits", sizes.keptLogits ?? KEPT_LOGITS, 0);
  const tileClasses = 4 * Math.ceil(requireInteger("tileClasses", sizes.tileClasses ?? TILE_CLASSES, 1) / 4);
  const { D } = clusters;
  const spaces = reserveClusters(plan, clusters);
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const labelled = reserveBlock(plan, clusters, spaces, { R, tileClasses, keptLogits });
  return {
    clusters,
    spaces,
    B,
    R,
    tileClasses,
    keptLogits,
    hidden: floats("hidden", B * D),
    hiddenGradient: floats("hidden gradient", B * D),
    rowSums: floats("sums over rows", tileClasses),
    k,
    topValues: floats("best logits", R * k),
    topIds: floats("best classes", R * k),
    block: { ...labelled, offsets: 0 },
    labelled,
    scratch: planWalkScratch(
      (name, bytes) => plan.reserve(name, bytes),
      clusters,
      { R, gradientRows: R, tileClasses },
      (K, N) => sizing.matrix.packedBytes(K, N),
    ),
  };
}

/** A block of one label a row. */
function reserveBlock(
  plan: MemoryPlan,
  clusters: AdaptiveClusters,
  spaces: readonly ClusterSpace[],
  { R, tileClasses, keptLogits }: { R: number; tileClasses: number; keptLogits: number },
): ClusterBlock {
  const { D } = clusters;
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const doubles = (name: string, count: number) => plan.reserve(name, 8 * count);
  const most = Math.max(...spaces.map(({ C }) => C));
  const ld = leadingDimension(R);
  return {
    ...clusterBlock(),
    rows: floats("rows of the block", R),
    input: floats("input", R * D),
    inputGradient: floats("input gradient", R * widestTail(clusters)),
    share: floats("share of the hidden gradient", R * D),
    // A kept cluster may be largest for few rows, so what is kept has all the room it may have.
    z: floats("logits", Math.max(Math.min(most, tileClasses) * ld, Math.min(most * ld, keptLogits))),
    references: floats("references", Math.ceil(most / tileClasses) * R),
    ldReferences: R,
    max: floats("row maxima", R),
    sum: doubles("row sums", R),
    lse: floats("log partitions", R),
    coefficient: floats("coefficients", R),
    offsets: floats("offsets of labels", R + 1),
    slots: floats("labels", R),
    masses: floats("masses of labels", R),
    logP: doubles("log probabilities of labels", R),
  };
}

function reserveClusters(plan: MemoryPlan, { D, h, tails, headBias }: AdaptiveClusters): readonly ClusterSpace[] {
  const pair = (name: string, count: number) => [
    plan.reserve(name, 4 * count),
    plan.reserve(`${name} gradient`, 4 * count),
  ];
  const head = h + tails.length;
  const [headTable, headTableGradient] = pair("head table", head * D);
  const [bias, biasGradient] = headBias ? pair("head bias", head) : [0, 0];
  const headSpace: ClusterSpace = {
    C: head,
    width: D,
    table: headTable,
    tableGradient: headTableGradient,
    bias,
    biasGradient,
    projection: 0,
    projectionGradient: 0,
  };
  const tailSpaces = tails.map(({ size, width }, i): ClusterSpace => {
    const [table, tableGradient] = pair(`table of tail ${i}`, size * width);
    const [projection, projectionGradient] = pair(`projection of tail ${i}`, width * D);
    const none = { bias: 0, biasGradient: 0 };
    return { C: size, width, table, tableGradient, ...none, projection, projectionGradient };
  });
  return [headSpace, ...tailSpaces];
}

/** Rows of a tile start at multiples of 16 bytes, so that a tile may start at any class. */
export function leadingDimension(R: number): number {
  return (R + 3) & ~3;
}
