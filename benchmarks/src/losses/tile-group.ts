import { type Address, type BackendName, type KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";
import {
  createTileLoss,
  describeLoss,
  type LossName,
  type LossPositives,
  type LossRows,
  type LossTile,
  lossDefaults,
  type TileLoss,
} from "@logq/losses";
import { fillUniform } from "../data.js";
import { type CreateKernels, createKernels, readRows } from "../kernels/kernel-group.js";
import type { Group, Variant } from "../measure/group.js";
import { requireClose } from "../measure/wrong-result.js";
import { type PlainProblem, plainLoss } from "./plain-loss.js";

/** A tile of logits: C candidates or classes, R rows of the batch. */
export interface LossTileShape {
  readonly C: number;
  readonly R: number;
}

const BACKENDS: readonly BackendName[] = ["wasm", "reference"];
const TEMPERATURE = 0.8;

/** Everything a loss does to a tile, start to end: value of each row and gradient of each logit. */
export function tileLossGroup(name: LossName, shape: LossTileShape, create: CreateKernels = createKernels): Group {
  const { C, R } = shape;
  return {
    name: `${name}, tile (${C} x ${R})`,
    variants: BACKENDS,
    async prepare(wanted) {
      const problem = problemOf(name, shape);
      const plan = new MemoryPlan();
      const at = layoutOf(plan, shape);
      const memory = plan.allocate(false);
      const variants: Variant[] = [];
      for (const backend of BACKENDS.filter((one) => wanted.includes(one))) {
        variants.push(tileVariant(backend, name, problem, await create(backend, memory), at));
      }
      return { variants };
    },
  };
}

function problemOf(name: LossName, { C, R }: LossTileShape): PlainProblem {
  const facts = describeLoss(name);
  const weighted = facts.candidates && facts.kind === "separable";
  const uniform = (count: number, seed: number, low: number, high: number) =>
    fillUniform(new Float32Array(count), seed, low, high);
  return {
    C,
    R,
    z: uniform(C * R, 21, -6, 6),
    add: uniform(C, 22, -2, 2),
    weight: weighted ? uniform(C, 23, 0.5, 3) : null,
    labelDot: uniform(R, 24, -6, 6),
    labelAdd: uniform(R, 25, -2, 2),
    rowWeight: Math.fround(1 / R),
    scale: 1 / TEMPERATURE,
  };
}

interface LossAddresses {
  readonly rows: Omit<LossRows, "R" | "scale">;
  readonly tile: { readonly z: Address; readonly source: Address; readonly add: Address; readonly weight: Address };
  readonly positives: LossPositives & { readonly source: Address };
}

function layoutOf(plan: MemoryPlan, { C, R }: LossTileShape): LossAddresses {
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const doubles = (name: string, count: number) => plan.reserve(name, 8 * count);
  return {
    rows: {
      draws: 0,
      first: 0,
      weight: floats("row weight", R),
      loss: doubles("loss", R),
      coefficient: floats("coefficient", R),
      max: floats("max", R),
      sum: doubles("sum", R),
      decay: floats("decay", R),
      blocks: 0,
      ldBlocks: 0,
      lse: floats("lse", R),
      total: doubles("total", R),
      uniform: floats("uniform", R),
      tileFactor: 0,
    },
    tile: {
      z: floats("z", C * R),
      source: floats("source", C * R),
      add: floats("add", C),
      weight: floats("weight", C),
    },
    positives: {
      offsets: plan.reserve("offsets", 4 * (R + 1)),
      dot: floats("label dot", R),
      source: floats("label source", R),
      add: floats("label add", R),
      inner: 0,
      mass: 0,
      pull: 0,
    },
  };
}

function fill(memory: KernelMemory, at: LossAddresses, problem: PlainProblem): void {
  const { C, R } = problem;
  memory.floats(at.tile.source, C * R).set(problem.z);
  memory.floats(at.tile.add, C).set(problem.add);
  memory.floats(at.tile.weight, C).set(problem.weight ?? []);
  memory.floats(at.positives.source, R).set(problem.labelDot);
  memory.floats(at.positives.add, R).set(problem.labelAdd);
  memory.floats(at.rows.weight, R).fill(problem.rowWeight);
  for (let r = 0; r <= R; r++) memory.i32[(at.positives.offsets >>> 2) + r] = r;
}

function tileVariant(
  backend: BackendName,
  name: LossName,
  problem: PlainProblem,
  kernels: Kernels,
  at: LossAddresses,
): Variant {
  const { memory } = kernels;
  const { C, R, scale } = problem;
  const loss = createTileLoss(kernels, { ...lossDefaults(name).spec, temperature: TEMPERATURE }, C);
  const rows: LossRows = { ...at.rows, R, scale };
  const weight = problem.weight === null ? 0 : at.tile.weight;
  const tile: LossTile = { z: at.tile.z, ld: R, C, scale, add: at.tile.add, inner: 0, weight };
  const before = () => {
    const { z, source } = at.tile;
    const { dot, source: dots } = at.positives;
    memory.f32.copyWithin(z >>> 2, source >>> 2, (source >>> 2) + C * R);
    memory.f32.copyWithin(dot >>> 2, dots >>> 2, (dots >>> 2) + R);
  };
  const run = () => runLoss(loss, tile, rows, at.positives);
  fill(memory, at, problem);
  return {
    name: backend,
    work: { bytes: 8 * C * R, items: { name: "logit", count: C * R } },
    before,
    run,
    check() {
      before();
      run();
      const expected = plainLoss(name, problem);
      const what = `${name}, ${backend}`;
      requireClose(`${what}: gradients`, readRows(kernels, at.tile.z, C, R, R), expected.gradient, { relative: 1e-5 });
      requireClose(`${what}: losses`, memory.doubles(at.rows.loss, R), expected.loss, {
        relative: 1e-5,
        absolute: 1e-8,
      });
      const labels = memory.floats(at.positives.dot, R);
      requireClose(`${what}: label gradients`, labels, expected.labelGradient, { relative: 1e-5, absolute: 1e-9 });
    },
  };
}

function runLoss(loss: TileLoss, tile: LossTile, rows: LossRows, positives: LossPositives): void {
  if (loss.kind === "pairwise") {
    loss.pairs(tile, positives, rows);
    return;
  }
  loss.begin(rows);
  if (loss.kind === "normalised") {
    loss.partials(tile, rows);
    loss.settle(positives, rows);
    loss.gradient(tile, rows);
  } else {
    loss.tile(tile, rows);
    loss.settle(positives, rows);
  }
}
