import { keyFromSeed, OptionError } from "@logq/core";
import { compileKernels, instantiateKernels, KernelMemory, MemoryPlan } from "@logq/kernels";
import { createSamplerState, samplerFrom } from "@logq/samplers";
import { expectMean, Moments, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { Selection, selectionBytes } from "../dist/engine/selection.js";
import { OutputLayer, type OutputLayerOptions } from "../dist/index.js";

const [N, D, B, POOL, KEEP] = [151, 6, 37, 60, 9];
const random = new TestRandom(11);
const hidden = random.normalFloats(B * D);
const table = random.normalFloats(N * D, 0.9);
const labels = random.integers(B, N);

/** The pool of step 0: distinct ids ascending, and how often each was drawn. */
function poolOf(seed: string): Map<number, number> {
  const ids = new Int32Array(POOL);
  const sampler = samplerFrom(createSamplerState({ name: "uniform" }, N));
  sampler.draw({ key: keyFromSeed(seed), step: 0, item: 0, S: POOL }, ids, new Float64Array(POOL));
  const pool = new Map<number, number>();
  for (const id of ids.sort()) pool.set(id, (pool.get(id) ?? 0) + 1);
  return pool;
}

function dot(row: number, id: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += hidden[row * D + d]! * table[id * D + d]!;
  return sum;
}

async function layerOf(options: Partial<OutputLayerOptions>): Promise<OutputLayer> {
  const layer = await OutputLayer.create({
    ...{ classes: N, dim: D, batch: B, seed: "pool", negatives: KEEP, optimizer: { name: "sgd", learningRate: 0.4 } },
    samplerOptions: { pool: POOL, law: { name: "uniform" } },
    ...options,
  });
  layer.setTable(table);
  return layer;
}

describe("hard: each row keeps the candidates of the pool with the greatest logits", () => {
  it.each(["native", "wasm", "reference"] as const)(
    "%s: loss and dH are those of a sampled softmax over them",
    async (backend) => {
      const layer = await layerOf({ loss: "sampled-softmax", sampler: "hard", backend }).catch((error: unknown) => {
        if (backend === "native") return undefined;
        throw error;
      });
      if (layer === undefined) return;
      const pool = poolOf("pool");
      const { loss, hiddenGradient } = await layer.step(hidden, labels);
      let expected = 0;
      for (let row = 0; row < B; row++) {
        const own = [...pool].filter(([id]) => id !== labels[row]);
        const kept = own.sort(([a], [b]) => dot(row, b) - dot(row, a) || a - b).slice(0, KEEP);
        const terms = kept.map(([id, count]) => [id, count * Math.exp(dot(row, id))] as const);
        const target = dot(row, labels[row]!);
        const Z = terms.reduce((sum, [, term]) => sum + term, Math.exp(target));
        expected += (Math.log(Z) - target) / B;
        for (let d = 0; d < D; d++) {
          const of = (id: number) => table[id * D + d]!;
          const mean = terms.reduce(
            (sum, [id, term]) => sum + (term / Z) * of(id),
            (Math.exp(target) / Z) * of(labels[row]!),
          );
          expect(Math.abs(hiddenGradient[row * D + d]! - (mean - of(labels[row]!)) / B)).toBeLessThan(1e-6);
        }
      }
      expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-5);
      await layer.close();
    },
  );

  it("goes with ranking losses as well, and is the whole pool's loss if all are kept", async () => {
    for (const loss of ["bpr", "sampled-softmax"] as const) {
      const all = await layerOf({ loss, sampler: "hard", negatives: POOL });
      const plain = await layerOf({
        ...{ loss, sampler: "uniform", negatives: POOL, samplerOptions: {}, accidentalHits: "remove" },
        ...(loss === "bpr" ? {} : { correction: "none" as const }),
      });
      expect((await all.step(hidden, labels)).loss).toBe((await plain.step(hidden, labels)).loss);
      expect(all.table()).toEqual(plain.table());
      await all.close();
      await plain.close();
    }
  });
});

describe("two-pass: each row draws from the pool by its softmax", () => {
  it("has the loss of the pool's sampled softmax, exactly, and gradients of the rows it drew", async () => {
    const layer = await layerOf({ loss: "sampled-softmax", sampler: "two-pass" });
    const plain = await layerOf({ loss: "sampled-softmax", sampler: "uniform", negatives: POOL, samplerOptions: {} });
    const [some, all] = [await layer.step(hidden, labels), await plain.step(hidden, labels)];
    expect(Math.abs(some.loss / all.loss - 1)).toBeLessThan(1e-6);
    expect(layer.table()).not.toEqual(plain.table());
    await layer.close();
    await plain.close();
  });

  it("draws each entry as often as its exponential says, on the average: 1e-6 false alarms", async () => {
    const [C, R, steps] = [40, 3, 4000];
    const plan = new MemoryPlan();
    const spec = { kind: "two-pass", keep: 7 } as const;
    const [z, sum] = [plan.reserve("z", 4 * C * R), plan.reserve("sum", 8 * R)];
    const scratch = plan.reserve("scratch", selectionBytes(spec, R));
    const memory = KernelMemory.create(plan.bytes, false);
    const kernels = instantiateKernels(await compileKernels("wasm", false), memory);
    const selection = new Selection(kernels, spec, keyFromSeed("draws"), R, scratch);
    const exponentials = Float32Array.from({ length: C * R }, () => 0.05 + random.uniform() ** 4);
    const moments = new Moments(C * R);
    const sums = Array.from({ length: R }, (_, r) => {
      let total = 0;
      for (let c = 0; c < C; c++) total += exponentials[c * R + r]!;
      return total;
    });
    const tile = { z, ld: R, C, scale: 1, add: 0, inner: 0, weight: 0 };
    for (let step = 0; step < steps; step++) {
      memory.f32.set(exponentials, z >>> 2);
      memory.f64.set(sums, sum >>> 3);
      selection.afterExponentials(tile, { R, sum } as Parameters<Selection["afterExponentials"]>[1], 0, step);
      moments.add(memory.floats(z, C * R));
      for (let r = 0; r < R; r++) {
        let total = 0;
        for (let c = 0; c < C; c++) total += memory.f32[(z >>> 2) + c * R + r]!;
        expect(Math.abs(total / sums[r]! - 1)).toBeLessThan(1e-5);
      }
    }
    expectMean(moments, exponentials, { falseAlarmRate: 1e-6, absolute: 1e-6 });
  });

  it("is refused with losses that are no softmax", async () => {
    const options = { classes: N, dim: D, batch: B, sampler: "two-pass", loss: "nce" } as const;
    await expect(OutputLayer.create(options)).rejects.toThrow(OptionError);
  });
});

it.each(["hard", "two-pass"] as const)("%s has the same bits with 0 to 3 workers", async (sampler) => {
  const tables = [];
  for (const workers of [0, 1, 2, 3]) {
    const layer = await layerOf({ loss: "sampled-softmax", sampler, workers });
    for (let step = 0; step < 5; step++) await layer.step(hidden, labels);
    tables.push(layer.table());
    await layer.close();
  }
  for (const other of tables.slice(1)) expect(other).toEqual(tables[0]);
});

it("a pool smaller than what rows take from it is refused", async () => {
  await expect(layerOf({ sampler: "hard", negatives: POOL + 1 })).rejects.toThrow(`from a pool of ${POOL}`);
});
