import { syntheticDataset } from "@logq/datasets";
import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { Trainer, type TrainProgress, train } from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { readTables } from "./support/engines.js";
import { smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

describe("a run", () => {
  it("to its end reports what it was, and comes within 0.15 nats of the best reachable cross-entropy", async () => {
    const dataset = smallSynthetic(20_000);
    const options = { epochs: 4, negatives: 40, batch: 64, optimizer: { name: "adagrad", learningRate: 0.3 } } as const;
    await withTrained(dataset, options, async (trainer, report) => {
      const steps = 4 * Math.ceil(20_000 / 64);
      expect(report).toMatchObject({
        loss: "sampled-softmax",
        sampler: "unigram",
        correction: "importance",
        negatives: 40,
        classes: 50,
        dim: 6,
        workers: 0,
        backend: trainer.backend,
        node: process.version,
        steps,
        keptStep: steps,
        examples: 80_000,
        probeSplit: "validation",
        tableBytes: trainer.tableBytes,
        memoryBytes: trainer.memoryBytes,
        ended: "finished",
      });
      expect(report.examplesPerSecond).toBeCloseTo(80_000 / report.seconds, 6);
      expect(report.peakMemoryBytes).toBeGreaterThan(report.memoryBytes);
      expect(report.busy).toHaveLength(1);
      expect(report.busy[0]).toBeGreaterThan(0);
      expect(report.busy[0]).toBeLessThanOrEqual(1);
      expect(report.validations.map(({ step }) => step)).toEqual([1, 2, 3, 4].map((epoch) => (epoch * steps) / 4));
      const last = report.validations.at(-1)!.metrics["cross-entropy"]!;
      expect(last - dataset.truth.crossEntropyOf(dataset.splits.validation)).toBeLessThan(0.15);
      expect(report.probeCrossEntropy).toBe(report.probes.at(-1)!.crossEntropy);
      // Every validation example is in the probe's set.
      expect(Math.abs(report.probeCrossEntropy - last)).toBeLessThan(1e-9);
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    });
  });

  it("over users with all their items takes the step that one over all interactions takes", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("pairs", directory);
      const optimizer = { name: "sgd", learningRate: 20 } as const;
      const common = { loss: "full-softmax", batch: 1000, maxSteps: 1, classScale: 0.5, optimizer } as const;
      const tablesAfter = (examples: "interactions" | "users") =>
        withTrained(dataset, { ...common, examples }, async (trainer, report) => ({
          tables: readTables(trainer.host),
          loss: report.trainingLoss,
          examples: report.examples,
        }));
      const [one, all] = [await tablesAfter("interactions"), await tablesAfter("users")];
      expect(all.examples).toBe(50);
      expect(one.examples).toBeGreaterThan(300);
      expect(Math.abs(all.loss - one.loss)).toBeLessThan(1e-5);
      expectAllClose(all.tables.classes, one.tables.classes, { absolute: 1e-5, name: "class table" });
      expectAllClose(all.tables.encoder[0]!, one.tables.encoder[0]!, { absolute: 1e-5, name: "user table" });
    });
  });

  it("counts the mean loss of its steps: over a run of one report, the mean over all of them", async () => {
    await withTrainer(smallSynthetic(), { maxSteps: 1 }, async (trainer) => {
      const report = await train(trainer);
      expect(report.trainingLoss).toBe(trainer.statistics().lossSum);
    });
  });

  it("tells how it goes: steps grow, the last report is of the last step with nothing left", async () => {
    const seen: TrainProgress[] = [];
    await withTrainer(smallSynthetic(), { epochs: 3 }, async (trainer) => {
      await train(trainer, { onProgress: (progress) => seen.push(progress) });
      const steps = seen.map(({ step }) => step);
      expect(steps).toEqual([...steps].sort((a, b) => a - b));
      expect(seen.at(-1)).toMatchObject({ step: trainer.totalSteps, epoch: 3, examples: 6000, secondsLeft: 0 });
      expect(seen.at(-1)!.probe!.step).toBe(trainer.totalSteps);
      expect(seen.at(-1)!.validation!.step).toBe(trainer.totalSteps);
      expect(seen.some(({ loss }) => !(loss > 0 && loss < 10))).toBe(false);
    });
  });

  it("validates every so many steps, and at its end, by the metrics it was told", async () => {
    const options = { maxSteps: 50, validationEvery: 20 };
    await withTrainer(smallSynthetic(), options, async (trainer) => {
      const parts: number[] = [];
      const report = await train(trainer, {
        validationMetrics: "mrr@5,perplexity",
        onValidation: ({ examples, total }) => parts.push(examples / total),
      });
      expect(report.validations.map(({ step }) => step)).toEqual([20, 40, 50]);
      expect(Object.keys(report.validations[0]!.metrics)).toEqual(["mrr@5", "perplexity"]);
      expect(parts).toEqual([1, 1, 1]);
    });
  });

  it.each([
    ["a metric that does not exist", "accuracy", { metric: "accuracy" }],
    ["a ranking that the trainer has no room for", "recall@45", { k: 45, limit: 40 }],
    ["no metric at all", " , ", { metrics: " , " }],
  ])("refuses %s before the first step", async (_, validationMetrics, values) => {
    const trainer = await Trainer.create(smallSynthetic(), { workers: 0 }, 40);
    try {
      await expect(train(trainer, { validationMetrics })).rejects.toMatchObject({ code: "LOGQ_OPTION", values });
      expect(trainer.step).toBe(0);
    } finally {
      await trainer.close();
    }
  });

  it("makes one probe if probes may take no time, many if they may take all", async () => {
    const options = { epochs: 6, validationEvery: 10 };
    const [one, many] = await Promise.all(
      [0, 1e9].map((probeShare) => withTrainer(smallSynthetic(), options, (trainer) => train(trainer, { probeShare }))),
    );
    expect(one!.probes).toHaveLength(1);
    expect(many!.probes.length).toBeGreaterThanOrEqual(many!.validations.length);
    expect(new Set(many!.probes.map(({ step }) => step)).size).toBe(many!.probes.length);
    expect(one!.probeCrossEntropy).toBe(many!.probeCrossEntropy);
  });

  it("of nothing but time ends by the clock", async () => {
    await withTrained(smallSynthetic(), { epochs: 1e6, maxMinutes: 0.2 / 60 }, async (trainer, report) => {
      expect(report.ended).toBe("time");
      expect(report.seconds).toBeGreaterThanOrEqual(0.2);
      expect(report.steps).toBeGreaterThan(0);
      expect(report.steps).toBeLessThan(trainer.totalSteps);
      expect(report.keptStep).toBe(report.steps);
    });
  });
});

describe("an interruption", () => {
  it("before the first step leaves the tables as they began", async () => {
    await withTrainer(smallSynthetic(), {}, async (trainer) => {
      const before = readTables(trainer.host);
      const report = await train(trainer, { signal: AbortSignal.abort() });
      expect(report).toMatchObject({ ended: "interrupted", steps: 0, examples: 0, trainingLoss: Number.NaN });
      expect(readTables(trainer.host)).toEqual(before);
      expect(report.probeCrossEntropy).toBeGreaterThan(0);
    });
  });

  it("of 2 workers in the middle of their steps ends the run after one of them, and what was learned stays", async () => {
    const options = { epochs: 1e6, workers: 2, validationEvery: 1e9 };
    const abort = new AbortController();
    await withTrainer(smallSynthetic(), options, async (trainer) => {
      // By the second report steps come in stretches of a second; a tenth of one later they are under way.
      let reports = 0;
      const onProgress = () => {
        if (++reports === 2) setTimeout(() => abort.abort(), 100);
      };
      const report = await train(trainer, { signal: abort.signal, onProgress });
      expect(report.ended).toBe("interrupted");
      expect(report.steps).toBe(trainer.step);
      expect(report.steps).toBe(trainer.statistics().steps);
      expect(report.steps).toBeLessThan(trainer.totalSteps);
      // Nothing is lost: the same number of steps without an interruption gives the same tables.
      const tables = readTables(trainer.host);
      await withTrainer(smallSynthetic(), { ...options, workers: 0 }, async (other) => {
        await other.runSteps(report.steps);
        expect(readTables(other.host)).toEqual(tables);
      });
    });
  }, 15_000);

  it("in the middle of a validation does not count it", async () => {
    const abort = new AbortController();
    // Three batches of an evaluation.
    const dataset = syntheticDataset({ classes: 50, contexts: 20, topics: 4, examples: 300, validationExamples: 600 });
    await withTrainer(dataset, { epochs: 3 }, async (trainer) => {
      const seen: number[] = [];
      const onValidation = ({ examples }: { examples: number }) => {
        seen.push(examples);
        if (seen.length === 4) abort.abort();
      };
      const report = await train(trainer, { signal: abort.signal, onValidation, validationMetrics: "mrr@3" });
      expect(seen).toEqual([256, 512, 600, 256]);
      expect(report).toMatchObject({ ended: "interrupted", steps: 20 });
      expect(report.validations.map(({ step }) => step)).toEqual([10]);
    });
  });
});

describe("patience", () => {
  /** A rate at which the model soon learns by heart: validations get worse. */
  const overfitting = {
    loss: "full-softmax",
    dim: 16,
    epochs: 200,
    patience: 2,
    validationEvery: 5,
    optimizer: { name: "adagrad", learningRate: 1 },
  } as const;

  it("ends a run that gets worse, and puts the best validation's parameters back, to the bit", async () => {
    const dataset = smallSynthetic(300);
    const kept = await withTrained(dataset, overfitting, async (trainer, report) => {
      expect(report.ended).toBe("early-stopping");
      const values = report.validations.map(({ metrics }) => metrics["cross-entropy"]!);
      const best = values.indexOf(Math.min(...values));
      expect(best).toBe(values.length - 3);
      expect(report.keptStep).toBe(report.validations[best]!.step);
      expect(report.steps).toBe(report.keptStep + 10);
      const again = await trainer.evaluate("validation", "cross-entropy");
      expect(again.metrics["cross-entropy"]).toBe(values[best]);
      expect(report.probeCrossEntropy).toBeCloseTo(values[best]!, 9);
      return { step: report.keptStep, tables: readTables(trainer.host) };
    });
    await withTrainer(dataset, overfitting, async (trainer) => {
      await trainer.runSteps(kept.step);
      expect(readTables(trainer.host)).toEqual(kept.tables);
    });
  });

  it("says the probe of the parameters that were kept, also if one was made at the last step", async () => {
    await withTrainer(smallSynthetic(300), overfitting, async (trainer) => {
      const report = await train(trainer, { probeShare: 1e9 });
      const kept = report.probes.find(({ step }) => step === report.keptStep)!;
      expect(report.probes.at(-1)!.step).toBeGreaterThan(report.keptStep);
      expect(report.probeCrossEntropy).toBe(kept.crossEntropy);
      expect((await trainer.probe(1000)).metrics["cross-entropy"]).toBe(kept.crossEntropy);
    });
  });

  it("follows the first metric, of which more may be better", async () => {
    await withTrainer(smallSynthetic(300), { ...overfitting, epochs: 20 }, async (trainer) => {
      const report = await train(trainer, { validationMetrics: "recall@5,cross-entropy" });
      const values = report.validations.map(({ metrics }) => metrics["recall@5"]!);
      const best = values.indexOf(Math.max(...values));
      expect(report.keptStep).toBe(report.validations[best]!.step);
    });
  });

  it("of 0 never ends a run and keeps the last parameters", async () => {
    await withTrained(smallSynthetic(300), { ...overfitting, epochs: 20, patience: 0 }, async (_, report) => {
      expect(report.ended).toBe("finished");
      expect(report.keptStep).toBe(report.steps);
    });
  });

  it("without a validation part is refused", async () => {
    const dataset = smallSynthetic(300);
    const validation = { inputs: new Int32Array(0), targets: new Int32Array(0) };
    const without = { ...dataset, splits: { ...dataset.splits, validation } };
    await expect(withTrainer(without, { patience: 1 }, async () => {})).rejects.toMatchObject({
      code: "LOGQ_OPTION",
      values: { patience: 1 },
    });
  });
});
