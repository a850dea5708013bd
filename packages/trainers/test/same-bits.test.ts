import { availableBackends } from "@logq/blas";
import type { BackendName } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import {
  type EngineCase,
  engineSpec,
  labelSource,
  lossSum,
  parameterBytes,
  someWords,
  stepsDone,
  textSource,
  userSource,
  withEngine,
} from "./support/engines.js";

/** Nothing divides anything: not the rows of a block, not a tile, not a lane, not a vector. */
const ODD = { n: 1003, D: 33, B: 101, S: 65, lanes: 16 } as const;
const STEPS = 6;

const window = textSource(1003, 420, { window: 3, filled: true });

const CASES: Readonly<Record<string, EngineCase>> = {
  "full softmax, logits kept": { ...ODD, loss: "full-softmax" },
  "full softmax, logits anew, adam": {
    ...ODD,
    loss: "full-softmax",
    keepLogits: false,
    optimizer: { name: "adam" },
  },
  "full softmax, clipped, cosine": {
    ...ODD,
    loss: "full-softmax",
    lossOptions: { normalize: true, temperature: 0.2 },
    optimizer: { name: "adagrad", clipNorm: 0.1 },
  },
  "sampled softmax, a window with dropout, clipped adam": {
    ...ODD,
    loss: "sampled-softmax",
    source: window,
    encoder: { input: "concat", window: 3, embedding: 17, hidden: [35], dropout: 0.25 },
    optimizer: { name: "adam", clipNorm: 0.1 },
  },
  "sampled softmax, rows' own, cosine": {
    ...ODD,
    loss: "sampled-softmax",
    per: "row",
    S: 13,
    lossOptions: { normalize: true, temperature: 0.2 },
    optimizer: { name: "rowwise-adagrad" },
  },
  "nce, several labels": {
    ...ODD,
    loss: "nce",
    source: labelSource(1003, 300, 500),
    vocabulary: 300,
    optimizer: { name: "momentum", learningRate: 0.02 },
  },
  "negative sampling, skip-gram": {
    ...ODD,
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
    source: textSource(1003, 420, { window: 4, mode: "neighbours", stretches: someWords(1003, 0.2) }),
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.01 },
  },
  "sampled softmax, CBOW": {
    ...ODD,
    loss: "sampled-softmax",
    source: textSource(1003, 420, { window: 4, mode: "around", stretches: someWords(1003, 0.2) }),
    optimizer: { name: "rowwise-adagrad" },
  },
  "bpr, several labels": { ...ODD, loss: "bpr", source: labelSource(1003, 300, 500), vocabulary: 300 },
  "warp, hits removed": { ...ODD, loss: "warp", sampler: { name: "uniform" } },
  "ccl, rows' own": { ...ODD, loss: "ccl", bias: false, per: "row", S: 13 },
  "margin, angular": { ...ODD, loss: "margin", bias: false, lossOptions: { marginKind: "angular", temperature: 0.2 } },
  "sampled softmax, a cap on the logits, clipped": {
    ...ODD,
    loss: "sampled-softmax",
    lossOptions: { softCap: 3 },
    optimizer: { name: "sgd", clipNorm: 0.1 },
  },
  "sampled softmax, label smoothing": { ...ODD, loss: "sampled-softmax", lossOptions: { labelSmoothing: 0.1 } },
  "hierarchical softmax, a window with dropout, clipped": {
    ...ODD,
    loss: "hierarchical-softmax",
    source: window,
    encoder: { input: "concat", window: 3, embedding: 17, hidden: [35], dropout: 0.25 },
    optimizer: { name: "adam", clipNorm: 0.1 },
  },
  "hierarchical softmax, balanced, several labels": {
    ...ODD,
    loss: "hierarchical-softmax",
    tree: "balanced",
    source: labelSource(1003, 300, 500),
    vocabulary: 300,
    optimizer: { name: "rowwise-adagrad" },
  },
  "sampled softmax, rows' own, capped, class weights": {
    ...ODD,
    loss: "sampled-softmax",
    lossOptions: { softCap: 3 },
    labelFactor: (id) => 1 + (id % 5),
    per: "row",
    S: 13,
  },
  "full softmax, learned temperature": {
    ...ODD,
    loss: "full-softmax",
    lossOptions: { normalize: true, temperature: 0.2 },
    learnTemperature: true,
    optimizer: { name: "adam" },
  },
  "sampled softmax, learned temperature, clipped": {
    ...ODD,
    loss: "sampled-softmax",
    lossOptions: { normalize: true, temperature: 0.2 },
    learnTemperature: true,
    optimizer: { name: "adagrad", clipNorm: 0.1 },
  },
  "one-vs-all, propensities": {
    ...ODD,
    loss: "one-vs-all",
    lossOptions: { labelMass: "weight" },
    labelFactor: (id) => 1 + (id % 9),
    source: labelSource(1003, 300, 500),
    vocabulary: 300,
  },
  "tied, sampled softmax, a window with dropout, clipped adam": {
    ...ODD,
    loss: "sampled-softmax",
    tied: true,
    source: window,
    encoder: { input: "concat", window: 3, embedding: 33, hidden: [35], dropout: 0.25 },
    optimizer: { name: "adam", clipNorm: 0.1 },
  },
  "tied, sampled softmax, histories, cosine": {
    ...ODD,
    loss: "sampled-softmax",
    tied: true,
    source: userSource("history", 1003, 200, 9),
    lossOptions: { normalize: true, temperature: 0.2 },
    optimizer: { name: "rowwise-adagrad" },
  },
  "tied, nce, rows' own, more inputs than a block": {
    ...ODD,
    loss: "nce",
    tied: true,
    per: "row",
    S: 3,
    source: textSource(1003, 420, { window: 5, mode: "around" }),
  },
  "tied, full softmax, words around, adagrad": {
    ...ODD,
    loss: "full-softmax",
    tied: true,
    source: textSource(1003, 420, { window: 2, mode: "around" }),
    optimizer: { name: "adagrad" },
  },
  "tied, full softmax, clipped, logits anew": {
    ...ODD,
    loss: "full-softmax",
    tied: true,
    keepLogits: false,
    source: window,
    encoder: { input: "concat", window: 3, embedding: 33, hidden: [35] },
    optimizer: { name: "momentum", learningRate: 0.02, clipNorm: 0.1 },
  },
  "one-vs-all": { ...ODD, loss: "one-vs-all", source: labelSource(1003, 300, 500), vocabulary: 300 },
};

async function run(of: EngineCase, workers: number, parts: readonly number[] = [STEPS], backend: BackendName = "wasm") {
  return withEngine(engineSpec(of), { workers, backend }, async ({ host, train }) => {
    let first = 0;
    for (const count of parts) {
      await train(first, count);
      first += count;
    }
    return { bytes: parameterBytes(host), loss: lossSum(host) };
  });
}

const FAST = (await availableBackends()).filter((name) => name !== "reference");

describe("0, 1, 2 and 3 workers end with the same bytes in all tables and optimizer states", () => {
  describe.each(FAST)("%s", (backend) => {
    it.each(Object.entries(CASES))(
      "%s",
      async (_, of) => {
        const [alone, ...crews] = await Promise.all([0, 1, 2, 3].map((workers) => run(of, workers, [STEPS], backend)));
        for (const crew of crews) {
          expect(crew!.bytes.equals(alone!.bytes)).toBe(true);
          expect(crew!.loss).toBe(alone!.loss);
        }
      },
      180_000,
    );
  });

  it("and another seed with others", async () => {
    const of = CASES["full softmax, logits kept"]!;
    const [one, two] = await Promise.all([run(of, 0), run({ ...of, seed: 2 }, 0)]);
    expect(one.bytes.equals(two.bytes)).toBe(false);
  });
});

describe("a run in several commands has the bytes of a run in one", () => {
  it.each(Object.entries(CASES))("%s", async (_, of) => {
    const [whole, parts] = await Promise.all([run(of, 0), run(of, 0, [1, 2, 3])]);
    expect(parts.bytes.equals(whole.bytes)).toBe(true);
    expect(parts.loss).toBe(whole.loss);
  });

  it("also with workers", async () => {
    const of = CASES["sampled softmax, a window with dropout, clipped adam"]!;
    const [whole, parts] = await Promise.all([run(of, 2), run(of, 2, [3, 1, 2])]);
    expect(parts.bytes.equals(whole.bytes)).toBe(true);
  }, 180_000);
});

describe("a run that was asked to stop", () => {
  it.each([1, 3])(
    "ends after the same whole step in all of %i workers, and goes on from there",
    async (workers) => {
      // Long enough that the request, made as soon as it has begun, comes before its end.
      const long = 30;
      const of = CASES["sampled softmax, a window with dropout, clipped adam"]!;
      const whole = await run(of, 0, [long]);
      const stopped = await withEngine(engineSpec(of), { workers }, async ({ host, train }) => {
        const running = train(0, long);
        host.crew.requestStop();
        await running;
        const done = stepsDone(host);
        expect(done).toBeGreaterThanOrEqual(1);
        expect(done).toBeLessThan(long);
        await train(done, long - done);
        return { bytes: parameterBytes(host), steps: stepsDone(host) };
      });
      expect(stopped.steps).toBe(long);
      expect(stopped.bytes.equals(whole.bytes)).toBe(true);
    },
    15_000,
  );
});

describe("keeping logits or computing them anew makes no difference to a single bit", () => {
  it.each([
    ["full softmax", { ...ODD, loss: "full-softmax", lossOptions: { labelSmoothing: 0.1, temperature: 0.9 } }],
    ["full softmax, cosine", { ...ODD, loss: "full-softmax", lossOptions: { normalize: true, temperature: 0.2 } }],
    ["one-vs-all", { ...ODD, loss: "one-vs-all" }],
  ] as const)("%s", async (_, of) => {
    const [kept, anew] = await Promise.all([run({ ...of, keepLogits: true }, 0), run({ ...of, keepLogits: false }, 0)]);
    expect(anew.bytes.equals(kept.bytes)).toBe(true);
    expect(anew.loss).toBe(kept.loss);
  });
});
