import { describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions, type StepOptions } from "../dist/index.js";

const [N, D, B] = [40, 6, 5];
const targets = [1, 30, 7, 39, 1];
const hidden = (step: number) => Float32Array.from({ length: B * D }, (_, i) => Math.sin(i + 10 * step));

/** Steps 0 to 3; before each but the first, `attempt` may try something. */
async function run(options: Partial<OutputLayerOptions>, given: StepOptions, attempt: (layer: OutputLayer) => unknown) {
  const layer = await OutputLayer.create({ classes: N, dim: D, batch: B, optimizer: { name: "adagrad" }, ...options });
  try {
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      if (step > 0) await attempt(layer);
      losses.push((await layer.step(hidden(step), targets, given)).loss);
    }
    return { losses, table: layer.table(), biases: layer.biases() };
  } finally {
    await layer.close();
  }
}

const LAYERS: readonly (readonly [string, Partial<OutputLayerOptions>, StepOptions])[] = [
  ["shared candidates", { negatives: 8 }, {}],
  [
    "given candidates",
    { negatives: 8 },
    { candidates: { ids: [3, 9, 9, 20], logQ: [-1, -2, -2, -3], targetLogQ: [-1, -2, -3, -2, -1] } },
  ],
  ["a sampler that learns", { sampler: "learned-unigram", negatives: 8 }, {}],
  ["rows' own candidates", { candidates: "row", negatives: 8 }, {}],
  ["candidates by hidden vectors", { sampler: "midx", negatives: 8 }, {}],
  ["all classes", { loss: "full-softmax" }, {}],
];

const CREWS = [{ workers: 0 }, { workers: 2 }, { workers: 3 }, { workers: 2, callerWorks: false }] as const;

describe.each(LAYERS)("hidden vectors that are not finite, %s", (_, options, given) => {
  it.each(CREWS)("refused with their place, and the steps after go on as if nobody had tried: %o", async (crew) => {
    const bad = hidden(7);
    bad[3 * D + 2] = Number.NaN;
    const untouched = await run(options, given, () => {});
    const tried = await run({ ...options, ...crew }, given, async (layer) => {
      const { steps } = layer;
      const table = layer.table();
      await expect(layer.step(bad, targets, given)).rejects.toMatchObject({
        code: "LOGQ_NOT_FINITE",
        values: { index: 3 * D + 2 },
      });
      expect(layer.steps).toBe(steps);
      expect(layer.table()).toEqual(table);
    });
    expect(tried).toEqual(untouched);
  });
});
