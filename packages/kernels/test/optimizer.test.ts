import { AWKWARD_SIZES, crossSparsely, expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { UpdateRule } from "../src/index.js";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";

const KINDS = ["sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"] as const;

const ROWS = 11;
const STEPS = 4;

function ruleOf(kind: UpdateRule["kind"], step: number, weightDecay: number, gradientScale: number): UpdateRule {
  const [beta1, beta2] = [0.9, 0.999];
  return {
    kind,
    learningRate: 0.05,
    weightDecay,
    gradientScale,
    momentum: 0.8,
    beta1,
    beta2,
    epsilon: 1e-8,
    correction1: 1 - beta1 ** step,
    correction2: 1 - beta2 ** step,
  };
}

interface Tables {
  w: Float64Array;
  state: Float64Array;
  secondState: Float64Array;
}

/** One update in float64, from the formulas of `UpdateRule`: row j of `gradient` belongs to row rows[j]. */
function updateTruth(
  rule: UpdateRule,
  before: Tables,
  gradient: ArrayLike<number>,
  rows: ArrayLike<number>,
  D: number,
): Tables {
  const w = before.w.slice();
  const state = before.state.slice();
  const secondState = before.secondState.slice();
  const { learningRate: lr, epsilon, momentum, beta1, beta2, correction1, correction2 } = rule;
  for (let j = 0; j < rows.length; j++) {
    const i = rows[j]!;
    const g = Array.from({ length: D }, (_, d) => {
      return rule.gradientScale * gradient[j * D + d]! + rule.weightDecay * before.w[i * D + d]!;
    });
    if (rule.kind === "rowwise-adagrad") state[i]! += g.reduce((sum, x) => sum + x * x, 0) / D;
    for (let d = 0; d < D; d++) {
      const at = i * D + d;
      const x = g[d]!;
      switch (rule.kind) {
        case "sgd":
          w[at]! -= lr * x;
          break;
        case "momentum":
          state[at] = momentum * state[at]! + x;
          w[at]! -= lr * state[at]!;
          break;
        case "adagrad":
          state[at]! += x * x;
          w[at]! -= (lr * x) / (Math.sqrt(state[at]!) + epsilon);
          break;
        case "rowwise-adagrad":
          w[at]! -= (lr * x) / (Math.sqrt(state[i]!) + epsilon);
          break;
        case "adam":
          state[at] = beta1 * state[at]! + (1 - beta1) * x;
          secondState[at] = beta2 * secondState[at]! + (1 - beta2) * x * x;
          w[at]! -= (lr * (state[at]! / correction1)) / (Math.sqrt(secondState[at]! / correction2) + epsilon);
          break;
      }
    }
  }
  return { w, state, secondState };
}

interface Setting {
  D: number;
  indexed: boolean;
  weightDecay: number;
  gradientScale: number;
  padding: number;
}

/** Runs several steps of the back-end; compares each with a step in float64 from where the back-end stood. */
function expectSteps(backend: Backend, kind: UpdateRule["kind"], setting: Setting): void {
  const { D, indexed, weightDecay, gradientScale, padding } = setting;
  onBench(backend, (bench) => {
    const random = new TestRandom(D * 10 + padding);
    const table = bench.matrix(random.normalFloats(ROWS * D), ROWS, D, padding);
    const state = kind === "rowwise-adagrad" ? bench.matrix(new Float32Array(ROWS), 1, ROWS) : zeros(kind !== "sgd");
    const secondState = zeros(kind === "adam");
    function zeros(present: boolean) {
      return present ? bench.matrix(new Float32Array(ROWS * D), ROWS, D, padding) : undefined;
    }
    for (let step = 1; step <= STEPS; step++) {
      const count = indexed ? 1 + random.integer(ROWS) : ROWS - step;
      const rows = indexed ? random.distinctIntegers(count, ROWS) : Int32Array.from({ length: count }, (_, j) => j);
      const gradient = bench.matrix(random.normalFloats(count * D), count, D, 1);
      const rule = ruleOf(kind, step, weightDecay, gradientScale);
      const read = (): Tables => ({
        w: table.read(),
        state: state?.read() ?? new Float64Array(ROWS * D),
        secondState: secondState?.read() ?? new Float64Array(ROWS * D),
      });
      const before = read();
      const given = gradient.read();
      bench.kernels.optimizer.updateRows(rule, {
        table: table.address,
        ldTable: table.ld,
        indices: indexed ? bench.ints(rows).address : 0,
        gradient: gradient.address,
        ldGradient: gradient.ld,
        count,
        D,
        state: state?.address ?? 0,
        secondState: secondState?.address ?? 0,
      });
      const truth = updateTruth(rule, before, given, rows, D);
      const after = read();
      const name = `${kind} ${JSON.stringify(setting)} step ${step}`;
      // A state is a sum of two float32 terms that may cancel; w moves by the learning rate at most.
      const near = { relative: 5e-7, absolute: 5e-7 };
      expectAllClose(after.w, truth.w, { ...near, name: `${name}: w`, shape: [ROWS, D] });
      expectAllClose(after.state, truth.state, { ...near, name: `${name}: state` });
      expectAllClose(after.secondState, truth.secondState, {
        relative: 1e-6,
        absolute: 1e-10,
        name: `${name}: second state`,
      });
      expectUntouched(before, after, rows, D, kind === "rowwise-adagrad");
      expectAllClose(gradient.read(), given, { name: "the gradient stays" });
    }
  });
}

/** Rows that were not named keep every bit of w and of their state. */
function expectUntouched(before: Tables, after: Tables, rows: ArrayLike<number>, D: number, rowwise: boolean): void {
  const touched = new Set(Array.from(rows));
  for (let i = 0; i < ROWS; i++) {
    if (touched.has(i)) continue;
    const own = (values: Float64Array, width: number) => values.subarray(i * width, (i + 1) * width);
    expectAllClose(own(after.w, D), own(before.w, D), { name: `untouched row ${i}` });
    expectAllClose(own(after.state, rowwise ? 1 : D), own(before.state, rowwise ? 1 : D), { name: `its state` });
    expectAllClose(own(after.secondState, D), own(before.secondState, D), { name: `its second state` });
  }
}

describe.each(BACKENDS)("updateRows: $name", (backend) => {
  const settings = crossSparsely(
    { D: AWKWARD_SIZES, indexed: [false, true], weightDecay: [0, 0.1], gradientScale: [1, -0.25], padding: [0, 1, 3] },
    2,
  );

  it.each(KINDS)(`%s: each of ${STEPS} steps within 5e-7 of its formula; other rows keep their bits`, (kind) => {
    for (const setting of settings) expectSteps(backend, kind, setting);
  });

  it.each(KINDS)("%s: a gradient of zero from fresh state moves nothing, and is no NaN", (kind) => {
    onBench(backend, (bench) => {
      const w = bench.matrix([1, 2, 3, 4, 5], 1, 5);
      const zero = () => bench.matrix(new Float32Array(5), 1, 5).address;
      const block = { table: w.address, ldTable: 5, indices: 0, ldGradient: 5, count: 1, D: 5 };
      const tables = { gradient: zero(), state: zero(), secondState: zero() };
      bench.kernels.optimizer.updateRows(ruleOf(kind, 1, 0, 1), { ...block, ...tables });
      expect([...w.read()]).toEqual([1, 2, 3, 4, 5]);
    });
  });

  it.each(KINDS)("%s: no rows, no change", (kind) => {
    onBench(backend, (bench) => {
      const w = bench.matrix([1, 2, 3], 1, 3);
      const block = { table: w.address, ldTable: 3, indices: bench.ints([]).address, ldGradient: 3, count: 0, D: 3 };
      const { address } = bench.output(1, 3);
      bench.kernels.optimizer.updateRows(ruleOf(kind, 1, 0, 1), {
        ...block,
        gradient: address,
        state: address,
        secondState: address,
      });
      expect([...w.read()]).toEqual([1, 2, 3]);
    });
  });
});

describe.each(BACKENDS)("updateRows over a run: $name", (backend) => {
  it.each(KINDS)("%s: 200 steps on a quadratic end within 1e-4 of the float64 run", (kind) => {
    const D = 6;
    const target = new TestRandom(2).normalFloats(D);
    let truth: Tables = { w: new Float64Array(D), state: new Float64Array(D), secondState: new Float64Array(D) };
    onBench(backend, (bench) => {
      const w = bench.matrix(new Float32Array(D), 1, D);
      const gradient = bench.matrix(new Float32Array(D), 1, D);
      const state = bench.matrix(new Float32Array(D), 1, D).address;
      const secondState = bench.matrix(new Float32Array(D), 1, D).address;
      for (let step = 1; step <= 200; step++) {
        const rule = ruleOf(kind, step, 0, 1);
        gradient.write(w.read().map((x, d) => x - target[d]!));
        const block = { table: w.address, ldTable: D, indices: 0, gradient: gradient.address, ldGradient: D };
        bench.kernels.optimizer.updateRows(rule, { ...block, count: 1, D, state, secondState });
        const exact = truth.w.map((x, d) => x - target[d]!);
        truth = updateTruth(rule, truth, exact, [0], D);
      }
      expectAllClose(w.read(), truth.w, { absolute: 1e-4 });
    });
  });
});
