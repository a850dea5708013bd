import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { OutputLayer } from "../dist/index.js";
import type { OptimizerSpec } from "../dist/optimize/optimizer.js";
import vectors from "./fixtures/torch-optimizers.json" with { type: "json" };

/** PyTorch computes in float64 here, logq keeps tables and states in float32. */
const TOLERANCE = 1e-5;

type Optimizer = Partial<OptimizerSpec>;

interface OptimizerCase {
  readonly name: string;
  readonly options: Record<string, string | number>;
  /** Whether the candidates of each step are all n classes. */
  readonly everyClass: boolean;
  readonly steps: readonly State[];
}

interface State {
  /** Before the update, like the tables after it. */
  readonly loss: number;
  readonly table: readonly (readonly number[])[];
  readonly biases: readonly number[];
}

const { problem } = vectors;
const CASES = vectors.cases as readonly OptimizerCase[];
const [n, D, B] = [problem.table.length, problem.table[0]!.length, problem.steps[0]!.hidden.length];

/** The table and biases after each step of logq's output layer: sampled softmax, log Q subtracted, hits kept. */
async function train(optimizer: Optimizer, everyClass: boolean): Promise<State[]> {
  const layer = await OutputLayer.create({
    classes: n,
    dim: D,
    batch: B,
    loss: "sampled-softmax",
    negatives: n,
    accidentalHits: "keep",
    classBias: "zero",
    optimizer,
  });
  try {
    layer.setTable(Float32Array.from(problem.table.flat()), Float32Array.from(problem.biases));
    const states: State[] = [];
    for (const { hidden, targets, ids } of everyClass ? problem.everyClassSteps : problem.steps) {
      const logQ = (id: number) => problem.logQ[id]!;
      const candidates = { ids, logQ: ids.map(logQ), targetLogQ: targets.map(logQ) };
      const { loss } = await layer.step(Float32Array.from(hidden.flat()), targets, { candidates });
      const values = layer.table();
      const table = Array.from({ length: n }, (_, id) => Array.from(values.subarray(id * D, (id + 1) * D)));
      states.push({ loss, table, biases: Array.from(layer.biases()!) });
    }
    return states;
  } finally {
    await layer.close();
  }
}

function caseNamed(wanted: string): OptimizerCase {
  return CASES.find(({ name }) => name === wanted)!;
}

/** Updates so far, not tables, agree: to 1e-5 of the largest. */
function expectSameUpdates(own: readonly State[], theirs: readonly State[]): void {
  const start = [...problem.table.flat(), ...problem.biases].map(Math.fround);
  const changes = ({ table, biases }: State) => [...table.flat(), ...biases].map((value, i) => value - start[i]!);
  theirs.forEach((state, step) => {
    const expected = changes(state);
    const largest = Math.max(...expected.map(Math.abs));
    const rounding = 2 ** -23;
    expectAllClose(changes(own[step]!), expected, { absolute: TOLERANCE * largest + rounding, name: `step ${step}` });
    expectAllClose([own[step]!.loss], [state.loss], { relative: TOLERANCE, name: `loss ${step}` });
  });
}

/** Rows that are neither labels nor candidates of any step. */
function unusedRows(): number[] {
  const used = new Set(problem.steps.flatMap(({ targets, ids }) => [...targets, ...ids]));
  return Array.from({ length: n }, (_, id) => id).filter((id) => !used.has(id));
}

describe("updates are PyTorch's to 1e-5 of the largest, three steps in a row", () => {
  it("of rows that stand several times in a step's sparse gradient, as labels, candidates and hits", () => {
    for (const { targets, ids } of problem.steps) {
      expect(new Set(targets).size).toBeLessThan(targets.length);
      expect(new Set(ids).size).toBeLessThan(ids.length);
      expect(targets.some((id) => ids.includes(id))).toBe(true);
    }
    expect(unusedRows().length).toBeGreaterThan(0);
  });

  it.each(["SGD", "Adagrad", "Adagrad, accumulator from 0.1", "SparseAdam"])(
    "torch.optim.%s on sparse gradients, and unused rows stay",
    async (name) => {
      const { options, steps } = caseNamed(name);
      const own = await train(options, false);
      expectSameUpdates(own, steps);
      for (const id of unusedRows()) {
        const start = problem.table[id]!.map(Math.fround);
        expect(own.at(-1)!.table[id]).toEqual(start);
        expectAllClose(steps.at(-1)!.table[id]!, start, { relative: 1e-11 });
      }
    },
  );

  it.each(["SGD with momentum and weight decay", "Adam, large epsilon"])(
    "torch.optim.%s on dense gradients, where every step uses every class and biases do not decay",
    async (name) => {
      const { options, steps, everyClass } = caseNamed(name);
      expect(everyClass).toBe(true);
      expectSameUpdates(await train(options, everyClass), steps);
    },
  );

  it("torch.optim.SparseAdam adds ε to √v, logq (like torch.optim.Adam) to √(v/(1 − β2^t)): SparseAdam's first step is logq's at ε/√(1 − β2)", async () => {
    const { options, steps } = caseNamed("SparseAdam, large epsilon");
    const epsilon = Number(options.epsilon) / Math.sqrt(1 - Number(options.beta2));
    const first = steps.slice(0, 1);
    expectSameUpdates(await train({ ...options, epsilon }, false), first);
    const own = await train(options, false);
    expect(() => expectSameUpdates(own, first)).toThrow("differ");
  });
});
