import { requireInteger } from "@logq/core";
import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import type { AdaptiveClusters } from "./clusters.js";

/** A cluster whose logits fit 16 MiB is one tile, which keeps them. */
const KEPT_FLOATS = 2 ** 22;
/** A larger one goes by tiles of 1 MiB, which lie in a core's second cache: its logits have to be computed twice anyway. */
const TILE_FLOATS = 2 ** 18;
const MOST_ROWS = 256;
/** So that packing a table never needs as much memory as the table. */
const PACKED_CLASSES = 2 ** 14;

export interface AdaptiveSizes {
  /** Most rows of a batch. */
  readonly B: number;
  /** Rows of a block. Default: at most 256. */
  readonly blockRows?: number;
  /**
   * Most classes of a tile, rounded up to a multiple of 4. Default: all, if the cluster's logits fit 16 MiB, else what fits 1 MiB. A cluster of
   * several tiles computes its logits and their exponentials twice.
   */
  readonly tileClasses?: number;
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

/** Where everything lies in kernel memory. Blocks of at most R gathered rows pass through the scratch one after the other. */
export interface AdaptiveSpace {
  readonly clusters: AdaptiveClusters;
  /** The head, then the tails. */
  readonly spaces: readonly ClusterSpace[];
  readonly B: number;
  readonly R: number;
  /** Most classes of a tile, whatever would fit. */
  readonly tileClasses: number;
  /** Most classes that are packed at once. */
  readonly packedClasses: number;
  /** (B, D), and its gradient */
  readonly hidden: Address;
  readonly hiddenGradient: Address;
  /** (R): which rows the block consists of, int32 */
  readonly rows: Address;
  /** (R, D), and its gradient */
  readonly gathered: Address;
  readonly gatheredGradient: Address;
  /** (R, width), and its gradient; the gathered rows themselves in the head */
  readonly projected: Address;
  readonly projectedGradient: Address;
  /** (C of a tile, ld): logits, then exponentials, then gradients */
  readonly z: Address;
  /** (C of the head): only the head has a bias */
  readonly rowSums: Address;
  /** (R) float32 */
  readonly max: Address;
  readonly lse: Address;
  readonly coefficient: Address;
  readonly decay: Address;
  readonly factor: Address;
  /** (R) float64 */
  readonly sum: Address;
  /** Partials of logits that are computed a second time: nobody reads them. */
  readonly spareMax: Address;
  readonly spareSum: Address;
  /** (R, k): the lists of `topK` */
  readonly k: number;
  readonly topValues: Address;
  readonly topIds: Address;
  /** Right operands */
  readonly packedProjection: Address;
  readonly packedProjected: Address;
  readonly packedRows: Address;
  readonly packedTable: Address;
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
  const { D } = clusters;
  const k = requireInteger("k", sizes.k ?? 100, 0);
  const { matrix } = sizing;
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const doubles = (name: string, count: number) => plan.reserve(name, 8 * count);
  const packed = (name: string, shapes: readonly (readonly [number, number])[]) =>
    plan.reserve(name, Math.max(...shapes.map(([K, N]) => matrix.packedBytes(K, N))));
  const spaces = reserveClusters(plan, clusters);
  const tails = spaces.slice(1);
  const widest = Math.max(1, ...tails.map(({ width }) => width));
  // Tiles start at multiples of 4 classes, so that rows of any width start on 16 bytes there.
  const tileClasses = 4 * Math.ceil(requireInteger("tileClasses", sizes.tileClasses ?? 2 ** 31, 1) / 4);
  const packedClasses = Math.min(tileClasses, PACKED_CLASSES);
  return {
    clusters,
    spaces,
    B,
    R,
    tileClasses,
    packedClasses,
    hidden: floats("hidden", B * D),
    hiddenGradient: floats("hidden gradient", B * D),
    rows: floats("rows of the block", R),
    gathered: floats("gathered rows", R * D),
    gatheredGradient: floats("gathered gradient", R * D),
    projected: floats("projected rows", R * widest),
    projectedGradient: floats("projected gradient", R * widest),
    z: floats("logits", mostLogits(spaces, tileClasses, R)),
    rowSums: floats("sums over rows", spaces[0].C),
    max: floats("row maxima", R),
    lse: floats("log partitions", R),
    coefficient: floats("coefficients", R),
    decay: floats("decays", R),
    factor: floats("factors", R),
    sum: doubles("row sums", R),
    spareMax: floats("spare maxima", R),
    spareSum: doubles("spare sums", R),
    k,
    topValues: floats("best logits", R * k),
    topIds: floats("best classes", R * k),
    packedProjection: packed("packed projection", [[D, widest], ...tails.map(({ width }) => [width, D] as const)]),
    packedProjected: packed("packed columns", [[D, R], ...tails.map(({ width }) => [width, R] as const)]),
    packedRows: packed("packed rows", [[R, D]]),
    packedTable: packed(
      "packed table",
      spaces.map(({ C, width }) => [Math.min(C, packedClasses), width] as const),
    ),
  };
}

/** Classes of a tile for a block of R rows. */
export function tileSize({ tileClasses }: Pick<AdaptiveSpace, "tileClasses">, C: number, R: number): number {
  const ld = leadingDimension(R);
  const room = C * ld <= KEPT_FLOATS ? C : Math.max(4, 4 * Math.floor(TILE_FLOATS / ld / 4));
  return Math.min(C, tileClasses, room);
}

/** The most logits that any tile holds. A tile may be largest for few rows, so all are asked. */
function mostLogits(spaces: readonly ClusterSpace[], tileClasses: number, R: number): number {
  let most = 0;
  for (const { C } of spaces) {
    for (let rows = 1; rows <= R; rows++) {
      most = Math.max(most, tileSize({ tileClasses }, C, rows) * leadingDimension(rows));
    }
  }
  return most;
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
