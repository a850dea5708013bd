import { type CompiledKernels, instantiateKernels, type Kernels, MemoryPlan } from "@logq/kernels";
import {
  countsByLabels,
  createTileLoss,
  type LossPositives,
  type LossRows,
  type LossSpec,
  type LossTile,
  type TileLoss,
  tileFactorOf,
} from "../src/index.js";

/** A block of rows in a memory of its own, for talking to the functions on tiles directly. */
export interface Rig {
  readonly kernels: Kernels;
  readonly loss: TileLoss;
  readonly rows: LossRows;
  readonly tile: LossTile;
  readonly positives: LossPositives;
  /** (C, R), labels (T) and rows (R), to be filled before and read after. */
  readonly z: Float32Array;
  readonly add: Float32Array;
  readonly classWeight: Float32Array;
  readonly weight: Float32Array;
  readonly losses: Float64Array;
  readonly offsets: Int32Array;
  readonly dot: Float32Array;
  readonly labelAdd: Float32Array;
  readonly mass: Float32Array;
  /** Another LossRows with the same weights, as a second lane has it. */
  readonly makeRows: () => LossRows;
  /** Part of the tile: classes [from, to). */
  readonly slice: (from: number, to: number) => LossTile;
}

const LANES = 8;

export function makeRig(
  backend: CompiledKernels,
  spec: LossSpec,
  { C, R, T, n = C, S = C }: { C: number; R: number; T: number; n?: number; S?: number },
): Rig {
  const plan = new MemoryPlan();
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const ld = (R + 3) & ~3;
  const z = floats("z", C * ld);
  const add = floats("add", C);
  const inner = floats("inner", C);
  const classWeight = floats("class weight", C);
  const weight = floats("weight", R);
  const tileFactor = countsByLabels(spec) ? floats("tile factor", R) : 0;
  const lanes = Array.from(
    { length: LANES },
    (): LossRows => ({
      R,
      draws: S,
      first: 0,
      scale: 1 / spec.temperature,
      weight,
      loss: plan.reserve("loss", 8 * R),
      coefficient: floats("coefficient", R),
      max: floats("max", R),
      sum: plan.reserve("sum", 8 * R),
      decay: floats("decay", R),
      blocks: 0,
      ldBlocks: 0,
      lse: floats("lse", R),
      total: plan.reserve("total", 8 * R),
      uniform: floats("uniform", R),
      tileFactor,
    }),
  );
  const positives: LossPositives = {
    offsets: floats("offsets", R + 1),
    dot: floats("dot", T),
    add: floats("label add", T),
    inner: floats("label inner", T),
    mass: floats("mass", T),
    pull: plan.reserve("pull", 8 * T),
  };
  const kernels = instantiateKernels(backend, plan.allocate(backend.shared));
  const { memory } = kernels;
  const slice = (from: number, to: number): LossTile => ({
    z: z + 4 * ld * from,
    ld,
    C: to - from,
    scale: 1 / spec.temperature,
    add: add + 4 * from,
    inner: inner + 4 * from,
    weight: classWeight + 4 * from,
  });
  const rig: Rig = {
    kernels,
    loss: createTileLoss(kernels, spec, n),
    rows: lanes[0]!,
    tile: slice(0, C),
    positives,
    z: memory.floats(z, C * ld),
    add: memory.floats(add, C),
    classWeight: memory.floats(classWeight, C).fill(1),
    weight: memory.floats(weight, R).fill(1),
    losses: memory.doubles(lanes[0]!.loss, R),
    offsets: memory.ints(positives.offsets, R + 1),
    dot: memory.floats(positives.dot, T),
    labelAdd: memory.floats(positives.add, T),
    mass: memory.floats(positives.mass, T).fill(1),
    makeRows: () => lanes.pop()!,
    slice,
  };
  // Each row has labels of mass 1, unless a test says otherwise.
  if (tileFactor !== 0) memory.floats(tileFactor, R).fill(tileFactorOf(spec, S));
  return rig;
}

/** All calls in their order, over the tiles given; default: one tile. */
export function run({ loss, rows, positives, tile }: Rig, tiles: readonly LossTile[] = [tile]): void {
  if (loss.kind === "pairwise") {
    loss.pairs(tiles[0]!, positives, rows);
    return;
  }
  loss.begin(rows);
  if (loss.kind === "separable") {
    for (const part of tiles) loss.tile(part, rows);
    loss.settle(positives, rows);
    return;
  }
  for (const part of tiles) loss.partials(part, rows);
  loss.settle(positives, rows);
  for (const part of tiles) loss.gradient(part, rows);
}
