import { MemoryLimitError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { EngineHost } from "../dist/engine/host.js";
import { EpochOrder } from "../dist/sources/order.js";
import { rowOfClass } from "../dist/table/lanes.js";
import { type EngineCase, engineSpec, parameterBytes, withEngine } from "./support/engines.js";

/** Every input and every class once an epoch of 5 steps, so that it is known which step meets a poisoned row. */
const N = 150;
const B = 30;
const ONCE = {
  n: N,
  B,
  D: 9,
  S: 7,
  lanes: 4,
  source: {
    kind: "pair",
    inputs: Int32Array.from({ length: N }, (_, i) => i),
    targets: Int32Array.from({ length: N }, (_, i) => (i * 7) % N),
  },
} as const;

const CASES: Readonly<Record<string, EngineCase>> = {
  "sampled softmax, adam": { ...ONCE, loss: "sampled-softmax", optimizer: { name: "adam" } },
  "sampled softmax, clipped": { ...ONCE, loss: "sampled-softmax", optimizer: { name: "adagrad", clipNorm: 0.1 } },
  "nce, rows' own": { ...ONCE, loss: "nce", per: "row" },
  "full softmax": { ...ONCE, loss: "full-softmax", optimizer: { name: "momentum" } },
  "full softmax, clipped": { ...ONCE, loss: "full-softmax", optimizer: { name: "adam", clipNorm: 0.1 } },
  "one-vs-all, logits anew": { ...ONCE, loss: "one-vs-all", keepLogits: false },
};

/** The input of the first row of a step's batch. */
function inputOfStep(of: EngineCase, step: number): number {
  const order = new EpochOrder(N, B, engineSpec(of).key);
  order.seek(step);
  return order.example(0);
}

/** What the tables are after `steps` good steps, and after a run of 5 that meets NaN in step `steps`. */
async function poisoned(of: EngineCase, workers: number, steps: number, what: "class" | "bias" | "embedding") {
  return withEngine(engineSpec(of), { workers }, async ({ host, train }) => {
    const input = inputOfStep(of, steps);
    const { table, encoder } = host.layout;
    const row = rowOfClass(host.spec.table, (input * 7) % N);
    const plant = {
      class: table.placed.pieces[0]!.address + 4 * (row * host.spec.table.ld + 8),
      bias: table.bias + 4 * row,
      embedding: encoder.tables[0]!.address + 4 * encoder.tables[0]!.ld * input,
    }[what];
    host.memory.f32[plant >>> 2] = Number.NaN;
    if (steps > 0) await train(0, steps);
    const before = parameterBytes(host);
    const error = await train(steps, 5 - steps).catch((reason: unknown) => reason);
    return { before, after: parameterBytes(host), error };
  });
}

/** Worker threads take their time to start: a clipped candidate loss, and both kinds of full ones, stand for all. */
const WITH_WORKERS = ["sampled softmax, clipped", "full softmax", "one-vs-all, logits anew"];

const RUNS = [0, 2].flatMap((workers) =>
  Object.entries(CASES)
    .filter(([name]) => workers === 0 || WITH_WORKERS.includes(name))
    .map(([name, of]) => ({ name, of, workers })),
);

describe("NaN in a table: a DivergenceError with the step, and the tables as they were before it", () => {
  it.each(RUNS)(
    "in an embedding that step 2 needs: $name, $workers workers",
    async ({ of, workers }) => {
      const { before, after, error } = await poisoned(of, workers, 2, "embedding");
      expect(error).toMatchObject({ name: "DivergenceError", code: "LOGQ_DIVERGENCE", values: { step: 2 } });
      expect(after.equals(before)).toBe(true);
    },
    15_000,
  );

  it.each(RUNS)(
    "in a class row, or a bias, that the first step needs: $name, $workers workers",
    async ({ of, workers }) => {
      for (const what of workers === 0 ? (["class", "bias"] as const) : (["class"] as const)) {
        const { before, after, error } = await poisoned(of, workers, 0, what);
        expect(error).toMatchObject({ name: "DivergenceError", values: { step: 0 } });
        expect(after.equals(before)).toBe(true);
      }
    },
    15_000,
  );
});

describe("NaN", () => {
  it("that a later step of a command meets leaves the steps before it in the tables", async () => {
    const of = CASES["sampled softmax, adam"]!;
    const input = inputOfStep(of, 3);
    const bytes = await Promise.all(
      [5, 3].map((steps) =>
        withEngine(engineSpec(of), { workers: 2 }, async ({ host, train }) => {
          const { address, ld } = host.layout.encoder.tables[0]!;
          host.memory.f32[(address >>> 2) + ld * input] = Number.NaN;
          const error = await train(0, steps).catch((reason: unknown) => reason);
          if (steps === 5) expect(error).toMatchObject({ name: "DivergenceError", values: { step: 3 } });
          return parameterBytes(host);
        }),
      ),
    );
    expect(bytes[0]!.equals(bytes[1]!)).toBe(true);
  }, 15_000);

  it.each(["negative-sampling", "full-softmax"] as const)(
    "in the input of a row that is ignored, for want of a label, is found too: %s",
    async (loss) => {
      // Skip-gram over different words: example 0, the left neighbour of the first word, does not exist; example 1 is the right one.
      const tokens = Int32Array.from({ length: 12 }, (_, i) => i + 1);
      const mode = { kind: "window", mode: "pair", window: 1, eos: -1, withinLine: false, filled: false } as const;
      const spec = engineSpec({ loss, n: 40, B: 4, S: 3, seed: 2, source: { ...mode, tokens } });
      const order = new EpochOrder(24, 4, spec.key);
      const batches = Array.from({ length: 6 }, (_, step) => {
        order.seek(step);
        return [0, 1, 2, 3].map((row) => order.example(row));
      });
      const step = batches.findIndex((examples) => examples.includes(0));
      expect(batches[step]).not.toContain(1);
      await withEngine(spec, {}, async ({ host, train }) => {
        const { address, ld } = host.layout.encoder.tables[0]!;
        host.memory.f32[(address >>> 2) + ld * tokens[0]!] = Number.NaN;
        const before = parameterBytes(host);
        await expect(train(step, 1)).rejects.toMatchObject({ name: "DivergenceError", values: { step } });
        expect(parameterBytes(host).equals(before)).toBe(true);
      });
    },
  );

  it("that is mended lets an engine without workers go on", async () => {
    const of = CASES["full softmax"]!;
    await withEngine(engineSpec(of), {}, async ({ host, train }) => {
      const at = host.layout.table.placed.pieces[0]!.address >>> 2;
      const value = host.memory.f32[at]!;
      host.memory.f32[at] = Number.NaN;
      await expect(train(0, 1)).rejects.toMatchObject({ name: "DivergenceError" });
      host.memory.f32[at] = value;
      await train(0, 2);
    });
  });

  it("is what a learning rate of 1e30 ends in, within a few steps", async () => {
    const spec = engineSpec({ ...ONCE, loss: "sampled-softmax", optimizer: { name: "sgd", learningRate: 1e30 } });
    await withEngine(spec, { workers: 2 }, async ({ train }) => {
      await expect(train(0, 20)).rejects.toMatchObject({ name: "DivergenceError", values: { learningRate: 1e30 } });
    });
  }, 15_000);
});

describe("memory", () => {
  const refusal = async (n: number, D: number, lanes: number) => {
    const spec = engineSpec({ loss: "sampled-softmax", n, D, lanes, sampler: { name: "uniform" }, vocabulary: 10 });
    const error = await EngineHost.create(spec, { workers: 2, backend: "wasm" }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MemoryLimitError);
    return (error as MemoryLimitError).values as { bytes: number; limit: number; memories?: number[] };
  };

  it("that the machine lacks is refused before it is asked for, with the bytes", async () => {
    // Half a terabyte.
    const { bytes, limit, memories } = await refusal(2 ** 27, 1024, 1024);
    expect(bytes).toBeGreaterThan(2 ** 27 * 1025 * 4);
    expect(limit).toBeLessThan(bytes);
    expect(memories!.reduce((sum, some) => sum + some, 0)).toBe(bytes);
    expect(Math.max(...memories!)).toBeLessThanOrEqual(2 ** 32);
  });

  it("that a lane needs more of than one memory holds is refused, with the bytes", async () => {
    const { bytes, limit } = await refusal(2 ** 27, 32, 2);
    expect(bytes).toBeGreaterThan(2 ** 26 * 32 * 4);
    expect(limit).toBe(2 ** 32);
  });
});
