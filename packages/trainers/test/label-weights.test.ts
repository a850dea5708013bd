import { compileKernels } from "@logq/kernels";
import { computeLoss, labelPropensities } from "@logq/losses";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions } from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { smallDataset, smallSynthetic, withTrainer } from "./support/runs.js";

const [N, D, B] = [31, 5, 11];
const random = new TestRandom(4);
const hidden = random.normalFloats(B * D);
const table = random.normalFloats(N * D, 0.5);
const classWeights = random.uniformFloats(N, 0.1, 3);
const propensities = random.uniformFloats(N, 0.05, 1);
const counts = Float64Array.from({ length: N }, (_, id) => Math.floor(200 / (1 + id)));
/** One or two labels a row. */
const offsets = Int32Array.from({ length: B + 1 }, (_, row) => row + Math.floor(row / 2));
const ids = Int32Array.from({ length: offsets[B]! }, (_, j) => (j * 7) % N);
const exampleWeights = Array.from({ length: B }, (_, row) => 0.5 + row);

async function stepOf(options: Partial<OutputLayerOptions>) {
  const optimizer = { name: "sgd", learningRate: 0.1 } as const;
  const layer = await OutputLayer.create({ classes: N, dim: D, batch: B, maxTargets: 2, optimizer, ...options });
  try {
    layer.setTable(table);
    const { loss, hiddenGradient } = layer.stepSync(hidden, { offsets, ids }, { exampleWeights });
    return { spec: layer.options.loss, loss, hiddenGradient: hiddenGradient.slice(), table: layer.table() };
  } finally {
    await layer.close();
  }
}

async function publicForm(spec: Parameters<typeof computeLoss>[0]["spec"], more: object) {
  const problem = { spec, D, hidden, table, targets: { offsets, ids }, exampleWeights, ...more };
  return computeLoss(problem, { backend: await compileKernels("wasm", false) });
}

describe("a step of an output layer has the loss and gradients of computeLoss, within 1e-6", () => {
  it.each([
    ["class weights", { loss: "full-softmax", classWeights }, { classWeights }],
    ["class weights of margins", { loss: "margin", classWeights }, { classWeights }],
    ["propensities", { loss: "one-vs-all", propensities }, { propensities }],
    [
      "propensities by their constants",
      { loss: "one-vs-all", counts, propensities: { A: 0.55, B: 1.5, examples: 500 } },
      { propensities: labelPropensities(counts, { A: 0.55, B: 1.5, examples: 500 }) },
    ],
  ] as const)("%s", async (_, options, more) => {
    const step = await stepOf(options);
    const answer = await publicForm(step.spec, more);
    expect(Math.abs(step.loss - answer.loss)).toBeLessThan(1e-6 * Math.max(1, answer.loss));
    answer.hiddenGradient.forEach((gradient, i) => {
      expect(Math.abs(step.hiddenGradient[i]! - gradient)).toBeLessThan(1e-6 * Math.max(1, Math.abs(gradient)));
    });
    answer.tableGradient.rows.forEach((gradient, i) => {
      expect(Math.abs(step.table[i]! - (table[i]! - 0.1 * gradient))).toBeLessThan(1e-6);
    });
  });

  it("weights that are all alike change nothing but rounding", async () => {
    const plain = await stepOf({ loss: "full-softmax" });
    const weighed = await stepOf({ loss: "full-softmax", classWeights: new Float32Array(N).fill(2) });
    expect(weighed.loss).toBeCloseTo(plain.loss, 6);
  });
});

describe("class weights and propensities of an output layer are refused with their values", () => {
  const all = { classes: N, dim: D, batch: B } as const;
  const bad = (index: number, value: number) => classWeights.map((weight, id) => (id === index ? value : weight));
  it.each([
    ["NaN", { loss: "full-softmax", classWeights: bad(3, Number.NaN) }, "LOGQ_NOT_FINITE", { index: 3 }],
    ["a weight below 0", { loss: "full-softmax", classWeights: bad(2, -1) }, "LOGQ_OPTION", { index: 2, value: -1 }],
    ["another length", { loss: "full-softmax", classWeights: [1, 2] }, "LOGQ_SHAPE", { actual: 2, expected: N }],
    ["a rule without counts", { loss: "full-softmax", classWeights: "inverse-frequency" }, "LOGQ_OPTION", {}],
    [
      "a propensity of 0",
      { loss: "one-vs-all", propensities: new Float32Array(N) },
      "LOGQ_OPTION",
      { index: 0, value: 0 },
    ],
    [
      "a propensity of 2",
      { loss: "one-vs-all", propensities: new Float32Array(N).fill(2) },
      "LOGQ_OPTION",
      { value: 2 },
    ],
    [
      "constants without examples",
      { loss: "one-vs-all", counts, propensities: { A: 0.5, B: 0.4 } },
      "LOGQ_OPTION",
      { A: 0.5 },
    ],
    [
      "constants without counts",
      { loss: "one-vs-all", propensities: { A: 0.5, B: 0.4, examples: 9 } },
      "LOGQ_OPTION",
      {},
    ],
    [
      "two examples",
      { loss: "one-vs-all", counts, propensities: { A: 0.5, B: 0.4, examples: 2 } },
      "LOGQ_OPTION",
      { value: 2 },
    ],
  ] as const)("%s", async (_, options, code, values) => {
    await expect(OutputLayer.create({ ...all, ...options })).rejects.toMatchObject({ code, values });
  });

  it("a label that is never drawn, where its log Q is needed", async () => {
    const gaps = counts.map((count, id) => (id === 5 ? 0 : 1 + count));
    const layer = await OutputLayer.create({ ...all, sampler: "unigram", counts: gaps, negatives: 4 });
    try {
      const row = hidden.slice(0, D);
      const error = { code: "LOGQ_SAMPLER", values: { id: 5 } };
      await expect(layer.step(row, [5])).rejects.toMatchObject(error);
      expect(layer.steps).toBe(0);
      const given = { ids: [1, 5], logQ: [-1, -1], targetLogQ: [-1] };
      expect(Number.isFinite((await layer.step(row, [5], { candidates: given })).loss)).toBe(true);
    } finally {
      await layer.close();
    }
  });
});

describe("a run with class weights or propensities", () => {
  it("is trained by them, and evaluated without: the probe of an untrained model is the same", async () => {
    const dataset = smallSynthetic(300);
    const probe = (options: object) =>
      withTrainer(dataset, { loss: "full-softmax", ...options }, async (trainer) => {
        const before = (await trainer.evaluate("validation", "cross-entropy")).metrics["cross-entropy"]!;
        await trainer.runSteps(4);
        return [before, (await trainer.evaluate("validation", "cross-entropy")).metrics["cross-entropy"]!] as const;
      });
    const plain = await probe({});
    const weighed = await probe({ classWeights: { kind: "inverse-frequency", power: 1 } });
    expect(weighed[0]).toBe(plain[0]);
    expect(weighed[1]).not.toBe(plain[1]);
  });

  it("counts propensities in the rows of its training part, and records where they came from", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("labels", directory);
      const options = { loss: "one-vs-all", propensities: { A: 0.55, B: 1.5 } } as const;
      await withTrainer(dataset, options, async (trainer) => {
        expect(trainer.options.propensities).toEqual({ kind: "counts", A: 0.55, B: 1.5, examples: null });
        const expected = labelPropensities(dataset.classes.counts, { A: 0.55, B: 1.5, examples: trainer.examples });
        const factors = trainer.host.spec.training!.labelFactors!;
        expected.forEach((p, id) => {
          expect(factors[id]! * p).toBeCloseTo(1, 6);
        });
        await trainer.runSteps(2);
        expect(Number.isFinite(trainer.statistics().lossSum)).toBe(true);
      });
    });
  });
});
