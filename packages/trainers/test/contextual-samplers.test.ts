import { keyFromSeed } from "@logq/core";
import { compileKernels, instantiateKernels, KernelMemory, MemoryPlan } from "@logq/kernels";
import { computeLoss } from "@logq/losses";
import { type ClassReader, type ContextualSpec, contextualFrom, planContextual } from "@logq/samplers";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions } from "../dist/index.js";

const [N, D, B, S, STEPS] = [203, 8, 40, 12, 9];
const random = new TestRandom(5);
const table = random.normalFloats(N * D, 0.6);
const biases = Float32Array.from({ length: N }, (_, id) => -0.5 * Math.log(1 + id));
const hidden = Array.from({ length: STEPS }, () => random.normalFloats(B * D));
const labels = Array.from({ length: STEPS }, () => random.integers(B, N));
const counts = Float64Array.from({ length: N }, (_, id) => 1000 / (1 + id));

/** Refreshed quickly, so that a few steps see several passes. */
const CASES: readonly ContextualSpec[] = [
  { name: "quadratic-kernel", refreshSteps: 3, block: 8 },
  { name: "random-features", refreshSteps: 3, block: 8, features: 16 },
  { name: "quadratic-kernel", refreshSteps: 3, block: 8, tableType: "bfloat16" },
  { name: "random-features", refreshSteps: 3, block: 8, features: 16, projection: 5, tableType: "bfloat16" },
  { name: "midx", K: 8, refreshSteps: 4 },
  { name: "lsh", tables: 4, bits: 3, refreshSteps: 4 },
];

async function withLayer<T>(
  spec: ContextualSpec,
  more: Partial<OutputLayerOptions>,
  use: (layer: OutputLayer) => Promise<T>,
) {
  const { name, ...samplerOptions } = spec;
  const layer = await OutputLayer.create({
    ...{ classes: N, dim: D, batch: B, seed: "context", negatives: S, counts, classBias: "zero" as const },
    ...{ loss: "sampled-softmax" as const, sampler: name, samplerOptions },
    optimizer: { name: "sgd", learningRate: 0.5 },
    ...more,
  });
  try {
    layer.setTable(table, biases);
    return await use(layer);
  } finally {
    await layer.close();
  }
}

/** Each row's draw of step 0 by a sampler of our own over the same table. */
async function drawHere(spec: ContextualSpec) {
  const plan = new MemoryPlan();
  const bytes = planContextual(spec, N, D);
  const at = (name: string, count: number) => plan.reserve(name, 4 * count);
  const [structure, scratch] = [
    plan.reserve("structure", bytes.tableBytes),
    plan.reserve("scratch", bytes.scratchBytes),
  ];
  const [H, ids, logQ, targets, targetLogQ] = [
    at("H", B * D),
    at("ids", B * S),
    at("q", B * S),
    at("t", B),
    at("tq", B),
  ];
  const memory = KernelMemory.create(plan.bytes, false);
  const kernels = instantiateKernels(await compileKernels("wasm", false), memory);
  const reader: ClassReader = {
    ...{ n: N, D },
    readRows(first, count, out, ld) {
      for (let i = 0; i < count; i++)
        memory.f32.set(table.subarray((first + i) * D, (first + i + 1) * D), (out >>> 2) + i * ld);
    },
    readBiases: (first, count, out) => memory.f32.set(biases.subarray(first, first + count), out >>> 2),
  };
  const key = keyFromSeed("context");
  const inputs = { key, scale: 1, hasBiases: true, unigram: counts.map((count) => Math.max(count, 0.1)) };
  const sampler = contextualFrom(spec, N, D, kernels, structure, scratch, inputs);
  sampler.build(reader);
  for (let unit = 0; unit < sampler.refreshUnits(0); unit++) sampler.refresh(unit, 0, reader);
  sampler.settle(0);
  memory.f32.set(hidden[0]!, H >>> 2);
  memory.i32.set(labels[0]!, targets >>> 2);
  for (let row = 0; row < B; row++) {
    const contexts = { R: 1, hidden: H + 4 * D * row, ld: D };
    sampler.draw({ key, step: 0, firstRow: row, S }, contexts, ids + 4 * S * row, logQ + 4 * S * row);
    sampler.logQ(0, targets + 4 * row, 1, targetLogQ + 4 * row);
  }
  return {
    ids: memory.ints(ids, B * S).slice(),
    logQ: memory.floats(logQ, B * S).slice(),
    targetLogQ: memory.floats(targetLogQ, B).slice(),
    perRow: true,
  };
}

describe.each(CASES)("an output layer with the sampler %j", (spec) => {
  it("takes for each row the candidates that a sampler of our own draws by its hidden vector", async () => {
    const candidates = await drawHere(spec);
    await withLayer(spec, { backend: "wasm" }, async (layer) => {
      const problem = { spec: layer.options.loss, D, hidden: hidden[0]!, table, bias: biases, targets: labels[0]! };
      const expected = computeLoss({ ...problem, candidates }, { backend: await compileKernels("wasm", false) });
      const { loss, hiddenGradient } = await layer.step(hidden[0]!, labels[0]!);
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-5);
      for (const [i, value] of hiddenGradient.entries())
        expect(Math.abs(value - expected.hiddenGradient[i]!)).toBeLessThan(1e-5);
    });
  });

  it("has the same bits with 0 to 3 workers, over several passes of its refresh", async () => {
    const tableAfter = (workers: number) =>
      withLayer(spec, { workers }, async (layer) => {
        for (let step = 0; step < STEPS; step++) await layer.step(hidden[step]!, labels[step]!);
        return layer.table();
      });
    const one = await tableAfter(0);
    expect(one).not.toEqual(table);
    for (const workers of [1, 2, 3]) expect(await tableAfter(workers), `${workers} workers`).toEqual(one);
  });
});

it.each(["quadratic-kernel", "random-features"] as const)(
  "%s with rows of no known type is refused",
  async (sampler) => {
    const options = { classes: N, dim: D, batch: B, sampler, samplerOptions: { tableType: "int8" } } as const;
    await expect(OutputLayer.create(options)).rejects.toMatchObject({ code: "LOGQ_OPTION", values: { value: "int8" } });
  },
);

it("a sampler that looks at hidden vectors draws for each row, and is refused for the batch", async () => {
  const options = { classes: N, dim: D, batch: B, sampler: "midx", candidates: "shared" } as const;
  await expect(OutputLayer.create(options)).rejects.toThrow("draws for each row");
});
