import { join } from "node:path";
import { keyFromSeed } from "@logq/core";
import { createStatefulState, type StatefulSpec, statefulSamplerFrom } from "@logq/samplers";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  loadSamplerState,
  OutputLayer,
  type OutputLayerOptions,
  readRun,
  saveModel,
  type TrainOptions,
} from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

const [N, D, B, S, STEPS] = [83, 8, 24, 16, 7];
const random = new TestRandom(3);
const hidden = Array.from({ length: STEPS }, () => random.normalFloats(B * D));
/** Low ids are frequent, so that labels meet in a batch. */
const labels = Array.from({ length: STEPS }, () =>
  Int32Array.from({ length: B }, () => Math.floor(N ** random.uniform()) - 1),
);
const table = random.normalFloats(N * D, 0.5);

async function tableAfter(
  options: Partial<OutputLayerOptions>,
  take: (layer: OutputLayer, step: number) => Promise<unknown>,
) {
  const layer = await OutputLayer.create({
    ...{ classes: N, dim: D, batch: B, seed: "state", negatives: S, optimizer: { name: "sgd", learningRate: 0.3 } },
    ...options,
  });
  try {
    layer.setTable(table);
    for (let step = 0; step < STEPS; step++) await take(layer, step);
    return layer.table();
  } finally {
    await layer.close();
  }
}

const CASES: readonly StatefulSpec[] = [
  { name: "learned-unigram" },
  { name: "learned-unigram", structure: "alias", journal: 30 },
  { name: "in-batch" },
  { name: "mixed", frequency: { kind: "streaming" } },
  { name: "cross-batch", batches: 2, labels: B },
];

describe.each(CASES)("an output layer with the sampler %j", (spec) => {
  const { name, ...all } = spec;
  const { labels: _, ...samplerOptions } = all as { labels?: number };
  const options = { loss: "sampled-softmax", sampler: name, samplerOptions } as const;

  it("steps as it does with the candidates that a sampler of our own draws from the targets of the steps before", async () => {
    const sampler = statefulSamplerFrom(createStatefulState(spec, N));
    const most = sampler.most(S, B);
    const [ids, logQ] = [new Int32Array(most), new Float64Array(most)];
    const batchOnly = name !== "learned-unigram";
    const expected = await tableAfter(
      {
        loss: "sampled-softmax",
        sampler: "uniform",
        negatives: most,
        ...(batchOnly ? { accidentalHits: "remove" } : {}),
      },
      async (layer, step) => {
        const targets = labels[step]!;
        const request = { key: keyFromSeed("state"), step, item: 0, S, labels: targets, from: 0, to: B };
        const draw = sampler.draw(request, ids, logQ);
        const targetLogQ = Array.from(targets, (id) => draw.targetLogQ(id));
        const candidates = { ids: ids.slice(0, draw.S), logQ: logQ.slice(0, draw.S), targetLogQ };
        await layer.step(hidden[step]!, targets, { candidates });
        sampler.observe(step, targets, 0, B);
      },
    );
    for (const workers of [0, 2]) {
      const some = await tableAfter({ ...options, workers }, (layer, step) => layer.step(hidden[step]!, labels[step]!));
      expect(some, `${workers} workers`).toEqual(expected);
    }
  });
});

it.each(CASES)(
  "a saved run holds what the sampler %j, has learned: another that reads it draws and learns on as the first",
  async (spec) => {
    const { name, ...all } = spec;
    const { labels: _, ...samplerOptions } = all as { labels?: number };
    const options: TrainOptions = { sampler: name, samplerOptions, negatives: S, batch: B, maxSteps: 6, workers: 1 };
    await withDirectory(async (directory) => {
      const run = join(directory, "run");
      await withTrained(smallSynthetic(500), options, async (trained, report) => {
        await saveModel(trained, run, report);
        await withTrainer(smallSynthetic(500), options, async (fresh) => {
          const [learned, state] = [trained, fresh].map(({ host }) => {
            const { stateful } = host.spec.training!.candidates!;
            return statefulSamplerFrom(stateful!);
          });
          expect(learned!.nextStep).toBe(6);
          expect(state!.nextStep).toBe(0);
          await loadSamplerState(fresh.host, run, await readRun(run));
          expect(state!.exportState()).toEqual(learned!.exportState());
        });
      });
    });
  },
);

it("samplers that learn draw for the batch, not for a row", async () => {
  const options = { classes: N, dim: D, batch: B, sampler: "in-batch", candidates: "row" } as const;
  await expect(OutputLayer.create(options)).rejects.toThrow("draws for the batch");
});
