import { join } from "node:path";
import { compileKernels } from "@logq/kernels";
import { computeLoss } from "@logq/losses";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { loadModel, OutputLayer, readRun, saveModel, type TrainOptions } from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

const LEARNED: TrainOptions = {
  loss: "full-softmax",
  normalize: true,
  temperature: 0.5,
  learnTemperature: true,
  classBias: "none",
};

describe("a learned temperature", () => {
  it("moves by its gradient in computeLoss, once a step, by the optimizer, within 1e-5 of it", async () => {
    const [n, D, B] = [37, 6, 9];
    const random = new TestRandom(3);
    const [hidden, table] = [random.normalFloats(B * D), random.normalFloats(n * D)];
    const biases = random.normalFloats(n, 0.3);
    const targets = random.integers(B, n);
    const layer = await OutputLayer.create({
      ...{ loss: "full-softmax", normalize: true, temperature: 0.5, learnTemperature: true, classBias: "zero" },
      classes: n,
      dim: D,
      batch: B,
      optimizer: { name: "sgd", learningRate: 3 },
    } as const);
    try {
      layer.setTable(table, biases);
      const { logScaleGradient } = computeLoss(
        { spec: layer.options.loss, D, hidden, table, bias: biases, targets },
        { backend: await compileKernels("wasm", false) },
      );
      expect(layer.temperature).toBeCloseTo(0.5, 7);
      layer.stepSync(hidden, targets);
      const moved = Math.log(0.5) - Math.log(layer.temperature);
      expect(Math.abs(logScaleGradient)).toBeGreaterThan(0.01);
      expect(Math.abs(moved / (-3 * logScaleGradient) - 1)).toBeLessThan(1e-5);
    } finally {
      await layer.close();
    }
  });

  it("falls where the classes are told apart better than at first, and lowers the cross-entropy", async () => {
    const dataset = smallSynthetic();
    const run = (options: TrainOptions) =>
      withTrained(dataset, { ...LEARNED, epochs: 4, ...options }, async (trainer, report) => {
        expect(report.temperature).toBe(options.learnTemperature === false ? null : trainer.temperature);
        return { temperature: trainer.temperature, crossEntropy: report.probeCrossEntropy };
      });
    const [learned, fixed] = await Promise.all([run({}), run({ learnTemperature: false })]);
    expect(fixed.temperature).toBe(0.5);
    expect(learned.temperature).toBeLessThan(0.4);
    expect(learned.crossEntropy).toBeLessThan(fixed.crossEntropy - 0.05);
  });

  it("is a table of the run beside its state, and the temperature of the saved model", async () => {
    await withDirectory(async (directory) => {
      const run = join(directory, "run");
      const temperature = await withTrained(smallSynthetic(300), LEARNED, async (trainer, report) => {
        await saveModel(trainer, run, report);
        return trainer.temperature;
      });
      const head = await readRun(run);
      expect(head.shape.temperature).toBe(temperature);
      expect(head.tables.at(-1)).toMatchObject({ name: "log-scale", rows: 1, columns: 1 });
      expect(head.states.at(-1)).toMatchObject({ name: "log-scale.state", rows: 1, columns: 1 });
      const model = await loadModel(run);
      const scores = model.scores({ context: 3 });
      const cosines = scores.map((score) => score * temperature);
      expect(Math.max(...cosines)).toBeLessThanOrEqual(1 + 1e-6);
      expect(Math.max(...scores)).toBeGreaterThan(1);
      await model.close();
    });
  });

  it("comes back with the parameters of the best validation", async () => {
    const options = { ...LEARNED, patience: 1, epochs: 30, optimizer: { name: "adagrad", learningRate: 1 } } as const;
    await withTrained(smallSynthetic(400), options, async (trainer, report) => {
      expect(report.ended).toBe("early-stopping");
      const { metrics } = await trainer.evaluate("validation", "cross-entropy");
      expect(metrics["cross-entropy"]).toBe(Math.min(...report.validations.map((v) => v.metrics["cross-entropy"]!)));
    });
  });

  it("is not there where it is not asked for: neither memory nor tables", async () => {
    await withTrainer(smallSynthetic(100), { ...LEARNED, learnTemperature: false }, async (trainer) => {
      expect(trainer.host.layout.temperature).toBeUndefined();
      expect(trainer.host.layout.regions.some(({ name }) => name.startsWith("temperature"))).toBe(false);
    });
  });
});

describe("a model that is normalised by itself", () => {
  it("has log Z nearer to 0 with a z-loss, so that scores are nearly log probabilities", async () => {
    const dataset = smallSynthetic();
    const far = (zLoss: number) =>
      withTrained(dataset, { loss: "full-softmax", classBias: "zero", zLoss, epochs: 4 }, async (trainer) => {
        const { metrics } = await trainer.evaluate("validation", "log-partition");
        return metrics["log-partition"]!;
      });
    const [without, beside] = await Promise.all([far(0), far(0.5)]);
    expect(beside).toBeLessThan(0.2);
    expect(beside).toBeLessThan(without / 4);
  });
});
