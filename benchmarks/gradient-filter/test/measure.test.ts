import path from "node:path";
import { loadModel, OutputLayer, saveModel } from "@logq/trainers";
import { describe, expect, it } from "vitest";
import { gradientErrors } from "../src/measure/gradient-errors.js";
import { runTraining } from "../src/measure/training.js";
import { validationBatch } from "../src/measure/validation-batch.js";
import { EXACT } from "../src/report/results.js";
import { digits } from "../src/report/table.js";
import { prepareSet, SETS } from "../src/sets.js";
import { withData } from "./small.js";

/** Rows of 16, all of about the same length, so that no class has most of the probability. */
function problemOf(classes: number, rows: number) {
  const dim = 16;
  const waves = (length: number, pace: number) => Float32Array.from({ length }, (_, i) => Math.sin(pace * i));
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 17) % classes);
  const [table, hidden] = [waves(classes * dim, 1.7), waves(rows * dim, 2.3)];
  return { dim, table, biases: waves(classes, 0.9), hidden, labels };
}

describe("the errors of one step's gradients", () => {
  it("are none without a filter; where next to nothing may be left out, those of sums in another order: 1e-6", async () => {
    const [none, least] = await gradientErrors(problemOf(700, 70), [EXACT, { ...EXACT, epsilon: 1e-9 }], 1);
    expect(none).toEqual({ hiddenRelative: 0, tableRelative: 0, hiddenLargest: 0, bound: 0 });
    expect(least!.hiddenRelative).toBeLessThan(1e-6);
    expect(least!.tableRelative).toBeLessThan(1e-6);
  });

  it("stay within ε·max‖w‖ a row", async () => {
    const problem = problemOf(700, 70);
    const epsilons = [0.01, 0.1, 0.5];
    const filters = epsilons.map((epsilon) => ({ ...EXACT, epsilon }));
    const longest = Math.max(
      ...Array.from({ length: 700 }, (_, c) => Math.hypot(...problem.table.subarray(c * 16, (c + 1) * 16))),
    );
    for (const [i, { bound, hiddenLargest }] of (await gradientErrors(problem, filters, 1)).entries()) {
      expect(bound).toBeCloseTo(epsilons[i]! * longest, 6);
      expect(hiddenLargest).toBeLessThanOrEqual(bound! * (1 + 1e-5));
    }
  });
});

describe("the batch of validation examples", () => {
  it("with as many rows as there are words has the cross-entropy of the evaluation within 1e-6", async () => {
    await withData(async (folder) => {
      const dataset = await prepareSet(SETS["wikitext-2"], folder, path.join(folder, "data"));
      const options = { ...SETS["wikitext-2"].options, dim: 8, hidden: [8], workers: 1 };
      const saved = path.join(folder, "model");
      const { crossEntropy } = await runTraining(
        { dataset, options, steps: 5 },
        EXACT,
        () => {},
        (trainer, report) => saveModel(trainer, saved, report),
      );
      const model = await loadModel(saved);
      const { hidden, labels } = validationBatch(model, dataset, dataset.splits.validation!.tokens.length);
      const layer = await OutputLayer.create({
        ...{ classes: dataset.classes.size, dim: 8, batch: 64, loss: "full-softmax", classBias: "zero" },
      });
      layer.setTable(model.table(), model.biases());
      expect(Math.abs((await layer.crossEntropy(hidden, labels)) / crossEntropy - 1)).toBeLessThan(1e-6);
      await layer.close();
      await model.close();
    });
  }, 30_000);
});

describe("numbers in a table", () => {
  it("have three digits", () => {
    expect([0, 1.23456e-5, 0.123456, 12.3456, 1234.56, 123_456.7].map(digits)).toEqual([
      "0",
      "1.23e-5",
      "0.123",
      "12.3",
      "1235",
      "123,457",
    ]);
  });
});
