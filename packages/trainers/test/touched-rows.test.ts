import { describe, expect, it } from "vitest";
import type { OptimizerSpec } from "../dist/optimize/optimizer.js";
import { readClassTable } from "../dist/table/export.js";
import { type EngineCase, engineSpec, type RunningEngine, readTables, withEngine } from "./support/engines.js";

/** One example a class asks for, three draws: given lists say who is drawn, so every row's use is known. */
function knownDraws(optimizer: Partial<OptimizerSpec>, more: Partial<EngineCase> = {}) {
  const n = 12;
  const spec = engineSpec({
    loss: "sampled-softmax",
    n,
    D: 5,
    B: 2,
    S: 4,
    lanes: 4,
    vocabulary: 3,
    lossOptions: { correction: "none" },
    source: { kind: "pair", inputs: Int32Array.of(0, 1), targets: Int32Array.of(7, 2) },
    optimizer,
    ...more,
    sampler: { name: "uniform" },
  });
  const given = { S: 4, lists: 1, ids: Int32Array.of(7, 3, 7, 7), logQ: null, classLogQ: null };
  const state = {
    spec: { ...spec.training!.candidates!.state!.spec, name: "given" as const },
    n,
    unigram: null,
    given,
  };
  return { ...spec, training: { ...spec.training!, candidates: { state, S: 4, per: more.per ?? ("batch" as const) } } };
}

const USED = [2, 3, 7];

async function changes(engine: RunningEngine, steps: number) {
  const start = readTables(engine.host);
  await engine.train(0, steps);
  const end = readTables(engine.host);
  const moved = (a: Float32Array, b: Float32Array, width: number) =>
    Array.from({ length: a.length / width }, (_, row) => row).filter((row) =>
      a.subarray(row * width, (row + 1) * width).some((value, d) => value !== b[row * width + d]),
    );
  return {
    classes: moved(start.classes, end.classes, 5),
    bias: moved(start.bias, end.bias, 1),
    inputs: moved(start.encoder[0]!, end.encoder[0]!, 5),
  };
}

describe("rows that no step used do not move, whatever the optimizer remembers", () => {
  it.each([
    { name: "sgd", weightDecay: 0.1 },
    { name: "momentum", weightDecay: 0.1 },
    { name: "adagrad", weightDecay: 0.1, initialAccumulator: 0.1 },
    { name: "rowwise-adagrad", weightDecay: 0.1 },
    { name: "adam", weightDecay: 0.1 },
    { name: "adam", clipNorm: 0.01 },
  ] as const)("%o", async (optimizer) => {
    for (const per of ["batch", "row"] as const) {
      await withEngine(knownDraws(optimizer, { per }), {}, async (engine) => {
        expect(await changes(engine, 3)).toEqual({ classes: USED, bias: USED, inputs: [0, 1] });
      });
    }
  });

  it("a row with momentum stands still in the steps that do not use it", async () => {
    // Two examples an epoch, one a step: class 7 is used in the steps of its example alone.
    const source = { kind: "pair", inputs: Int32Array.of(0, 1), targets: Int32Array.of(7, 2) } as const;
    const spec = engineSpec({
      loss: "nce",
      n: 12,
      D: 5,
      B: 1,
      S: 1,
      vocabulary: 3,
      source,
      optimizer: { name: "momentum" },
    });
    const given = { S: 1, lists: 1, ids: Int32Array.of(0), logQ: Float64Array.of(0), classLogQ: new Float64Array(12) };
    const state = {
      spec: { ...spec.training!.candidates!.state!.spec, name: "given" as const },
      n: 12,
      unigram: null,
      given,
    };
    const known = { ...spec, training: { ...spec.training!, candidates: { state, S: 1, per: "batch" as const } } };
    await withEngine(known, {}, async ({ host, train }) => {
      const rows: Float32Array[] = [readTables(host).classes];
      for (let step = 0; step < 4; step++) {
        await train(step, 1);
        rows.push(readTables(host).classes);
      }
      for (let epoch = 0; epoch < 2; epoch++) {
        const [a, b, c] = rows.slice(2 * epoch, 2 * epoch + 3).map((table) => table.subarray(7 * 5, 8 * 5).join());
        expect([a === b, b === c].sort()).toEqual([false, true]);
      }
    });
  });
});

describe("a row that is a label and was drawn three times is updated once", () => {
  it.each(["batch", "row"] as const)(
    "adagrad adds the square of the whole gradient once: candidates per %s",
    async (per) => {
      const rate = 0.5;
      const sgd = await withEngine(
        knownDraws({ name: "sgd", learningRate: rate }, { per }),
        {},
        async ({ host, train }) => {
          const before = readTables(host).classes;
          await train(0, 1);
          const after = readTables(host).classes;
          return before.map((value, i) => (value - after[i]!) / rate);
        },
      );
      await withEngine(knownDraws({ name: "adagrad", learningRate: rate }, { per }), {}, async ({ host, train }) => {
        await train(0, 1);
        const accumulator = readClassTable(host, "state");
        for (const id of USED) {
          for (let d = 0; d < 5; d++) {
            const g = sgd[id * 5 + d]!;
            // The gradient was read back from the step of sgd: float32 tables leave it an error of about 3e-7.
            expect(Math.abs(accumulator[id * 5 + d]! - g * g)).toBeLessThan(1e-6 * Math.abs(g) + 1e-12);
          }
        }
        expect(accumulator.filter((value) => value > 0).length).toBe(USED.length * 5);
      });
    },
  );
});
