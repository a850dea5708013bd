import type { Address, Kernels } from "@logq/kernels";
import { fillUniform } from "../data.js";
import { type KernelSpec, readRows } from "./kernel-group.js";

/** A tile of logits (C, B), walked in blocks of `R` rows of the batch as a step does. */
export interface TileShape {
  readonly C: number;
  readonly B: number;
  readonly R: number;
}

const SCALE = 1 / 0.8;

interface VectorAddresses {
  readonly x: Address;
  readonly out: Address;
}

/** exp and sigmoid of a long vector, whatever a tile holds. */
export function vectorSpecs(count: number): KernelSpec<VectorAddresses>[] {
  const functions = [
    { name: "exp", of: Math.exp, relative: 3e-7 },
    { name: "sigmoid", of: (x: number) => 1 / (1 + Math.exp(-x)), relative: 6e-7 },
  ] as const;
  return functions.map(({ name, of, relative }) => ({
    name: `${name}, ${count} elements`,
    work: { bytes: 8 * count, items: { name: "element", count } },
    tolerance: { relative },
    layout: (plan) => ({ x: plan.reserve("x", 4 * count), out: plan.reserve("out", 4 * count) }),
    bind(kernels, at) {
      fillUniform(kernels.memory.floats(at.x, count), 3, -20, 20);
      return {
        run: () => kernels.vector[name](at.out, at.x, count),
        result: () => kernels.memory.floats(at.out, count),
      };
    },
    expected: () => Float64Array.from(fillUniform(new Float32Array(count), 3, -20, 20), of),
  }));
}

interface TileAddresses {
  readonly z: Address;
  /** What z is before each run. */
  readonly source: Address;
  readonly add: Address;
  readonly max: Address;
  readonly sum: Address;
  readonly lse: Address;
  readonly coefficient: Address;
  readonly loss: Address;
}

/** The three passes of losses over a tile: partials, softmax gradient, logistic value and gradient. */
export function tileSpecs(shape: TileShape): KernelSpec<TileAddresses>[] {
  return [partials(shape), gradient(shape), logistic(shape)];
}

function layoutOf({ C, B }: TileShape): KernelSpec<TileAddresses>["layout"] {
  return (plan) => ({
    z: plan.reserve("z", 4 * C * B),
    source: plan.reserve("source", 4 * C * B),
    add: plan.reserve("add", 4 * C),
    max: plan.reserve("max", 4 * B),
    sum: plan.reserve("sum", 8 * B),
    lse: plan.reserve("lse", 4 * B),
    coefficient: plan.reserve("coefficient", 4 * B),
    loss: plan.reserve("loss", 8 * B),
  });
}

/** The contents of operands, in bind and in expected. */
const logitsOf = ({ C, B }: TileShape, out: Float32Array = new Float32Array(C * B)) => fillUniform(out, 4, -8, 8);
const addOf = ({ C }: TileShape, out: Float32Array = new Float32Array(C)) => fillUniform(out, 5, -1, 1);
const coefficientOf = ({ B }: TileShape, out: Float32Array = new Float32Array(B)) => fillUniform(out, 6, 0.1, 1);
const lseOf = ({ B }: TileShape, out: Float32Array = new Float32Array(B)) => fillUniform(out, 7, 8, 12);

function workOf({ C, B }: TileShape) {
  return { bytes: 8 * C * B, items: { name: "logit", count: C * B } };
}

function nameOf(what: string, { C, B, R }: TileShape): string {
  return `${what}, tile (${C} x ${B}), ${R} rows at a time`;
}

/** A kernel on rows [first, first + R) of the batch. */
type TileRun = (kernels: Kernels, at: TileAddresses, first: number, R: number) => void;

/** Fills everything; runs `block` on each block of rows. */
function bindTile(shape: TileShape, block: TileRun): KernelSpec<TileAddresses>["bind"] {
  const { C, B, R } = shape;
  return (kernels, at) => {
    const { memory } = kernels;
    logitsOf(shape, memory.floats(at.source, C * B));
    addOf(shape, memory.floats(at.add, C));
    coefficientOf(shape, memory.floats(at.coefficient, B));
    lseOf(shape, memory.floats(at.lse, B));
    return {
      before() {
        memory.f32.copyWithin(at.z >>> 2, at.source >>> 2, (at.source >>> 2) + C * B);
        memory.doubles(at.loss, B).fill(0);
      },
      run() {
        for (let first = 0; first < B; first += R) block(kernels, at, first, Math.min(R, B - first));
      },
      result: () => readRows(kernels, at.z, C, B, B),
    };
  };
}

function partials(shape: TileShape): KernelSpec<TileAddresses> {
  const { C, B } = shape;
  const run = bindTile(shape, ({ tile }, at, first, R) => {
    tile.clearPartials(at.max + 4 * first, at.sum + 8 * first, R);
    tile.softmaxPartials(at.z + 4 * first, B, C, R, SCALE, at.add, at.max + 4 * first, at.sum + 8 * first);
  });
  return {
    name: nameOf("softmax partials", shape),
    work: workOf(shape),
    tolerance: { relative: 3e-6 },
    layout: layoutOf(shape),
    bind(kernels, at, form) {
      const sums = () => Float64Array.from(kernels.memory.doubles(at.sum, B));
      const maxima = () => Float64Array.from(kernels.memory.floats(at.max, B));
      const bound = run(kernels, at, form);
      // The partition itself: max and sum together are what must be right.
      return {
        ...bound,
        result() {
          const max = maxima();
          return sums().map((sum, r) => max[r]! + Math.log(sum));
        },
      };
    },
    expected() {
      const [z, add] = [logitsOf(shape), addOf(shape)];
      const sum = new Float64Array(B);
      for (let i = 0; i < z.length; i++) sum[i % B]! += Math.exp(SCALE * z[i]! + add[Math.floor(i / B)]!);
      return sum.map(Math.log);
    },
  };
}

function gradient(shape: TileShape): KernelSpec<TileAddresses> {
  const { C, B } = shape;
  return {
    name: nameOf("softmax gradient", shape),
    work: workOf(shape),
    tolerance: { relative: 5e-6 },
    layout: layoutOf(shape),
    bind: bindTile(shape, ({ tile }, at, first, R) =>
      tile.softmaxGradient(at.z + 4 * first, B, C, R, at.lse + 4 * first, at.coefficient + 4 * first),
    ),
    expected() {
      const [z, lse, coefficient] = [logitsOf(shape), lseOf(shape), coefficientOf(shape)];
      return Float64Array.from(z, (value, i) => coefficient[i % B]! * Math.exp(value - lse[i % B]!));
    },
  };
}

function logistic(shape: TileShape): KernelSpec<TileAddresses> {
  const { B } = shape;
  const run = bindTile(shape, ({ tile }, at, first, R) => {
    const [coefficient, loss] = [at.coefficient + 4 * first, at.loss + 8 * first];
    tile.logisticTile(at.z + 4 * first, B, shape.C, R, SCALE, at.add, 0, coefficient, loss);
  });
  return {
    name: nameOf("logistic value and gradient", shape),
    work: workOf(shape),
    tolerance: { relative: 3e-6 },
    layout: layoutOf(shape),
    bind(kernels, at, form) {
      const bound = run(kernels, at, form);
      return { ...bound, result: () => [...Array.from(bound.result()), ...kernels.memory.doubles(at.loss, B)] };
    },
    expected() {
      const [z, add, coefficient] = [logitsOf(shape), addOf(shape), coefficientOf(shape)];
      const loss = new Float64Array(B);
      const gradient = Array.from(z, (value, i) => {
        const y = SCALE * value + add[Math.floor(i / B)]!;
        loss[i % B]! += Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));
        return coefficient[i % B]! / (1 + Math.exp(-y));
      });
      return [...gradient, ...loss];
    },
  };
}
