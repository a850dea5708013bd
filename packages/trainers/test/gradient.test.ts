import { checkGradient } from "@logq/testing";
import { describe, it } from "vitest";
import {
  type EngineCase,
  engineSpec,
  labelSource,
  readTables,
  textSource,
  userSource,
  withEngine,
} from "./support/engines.js";
import { OracleRun } from "./support/oracle.js";

const STEP = { optimizer: { name: "sgd", learningRate: 1 } } as const;

const CASES: Readonly<Record<string, EngineCase>> = {
  "sampled softmax of a window through tanh, with dropout": {
    ...STEP,
    loss: "sampled-softmax",
    n: 40,
    source: textSource(40, 100, { window: 2, filled: true }),
    encoder: { input: "concat", window: 2, embedding: 3, hidden: [6], dropout: 0.2 },
  },
  "full softmax of features, several labels, cosine": {
    ...STEP,
    loss: "full-softmax",
    n: 40,
    source: labelSource(40, 13, 90),
    vocabulary: 13,
    lossOptions: { normalize: true, temperature: 0.3 },
  },
  "hierarchical softmax, several labels": {
    ...STEP,
    loss: "hierarchical-softmax",
    n: 40,
    source: labelSource(40, 13, 90),
    vocabulary: 13,
    lossOptions: { temperature: 0.7 },
  },
  "full softmax of cosines at a learned temperature, capped, with class weights": {
    ...STEP,
    loss: "full-softmax",
    n: 40,
    lossOptions: { normalize: true, temperature: 0.3, softCap: 2 },
    learnTemperature: true,
    labelFactor: (id) => 0.5 + (id % 3),
  },
  "sampled softmax of cosines at a learned temperature, rows' own candidates": {
    ...STEP,
    loss: "sampled-softmax",
    per: "row",
    S: 5,
    n: 40,
    lossOptions: { normalize: true, temperature: 0.3 },
    learnTemperature: true,
  },
  "sampled softmax of rows' own candidates, capped": {
    ...STEP,
    loss: "sampled-softmax",
    per: "row",
    S: 5,
    n: 40,
    lossOptions: { softCap: 1.5 },
  },
  "nce, rows' own candidates, clipped above its norm": {
    loss: "nce",
    per: "row",
    S: 5,
    n: 40,
    optimizer: { name: "sgd", learningRate: 1, clipNorm: 1e6 },
  },
  "tied tables, sampled softmax of a window through tanh, with dropout": {
    ...STEP,
    loss: "sampled-softmax",
    tied: true,
    n: 40,
    D: 6,
    source: textSource(40, 100, { window: 2, filled: true }),
    encoder: { input: "concat", window: 2, embedding: 6, hidden: [6], dropout: 0.2 },
  },
  "tied tables, full softmax of histories, cosine": {
    ...STEP,
    loss: "full-softmax",
    tied: true,
    n: 41,
    source: userSource("history", 41, 20, 9),
    lossOptions: { normalize: true, temperature: 0.3 },
  },
  "tied tables, nce of words around, rows' own candidates, cosine": {
    ...STEP,
    loss: "nce",
    tied: true,
    per: "row",
    S: 5,
    n: 41,
    source: textSource(41, 150, { window: 2, mode: "around" }),
    lossOptions: { normalize: true, temperature: 0.3 },
  },
};

describe("a step of sgd at rate 1 moves tables by minus the numeric gradient of its loss", () => {
  it.each(Object.entries(CASES))("%s: within 2e-5 of the largest element", async (_, of) => {
    const spec = engineSpec(of);
    await withEngine(spec, {}, async ({ host, train }) => {
      const start = readTables(host);
      await train(0, 1);
      const end = readTables(host);
      const oracle = new OracleRun(spec, start);
      const before = [start.classes, start.bias, ...start.encoder];
      const after = [end.classes, end.bias, ...end.encoder];
      for (const [table, { values, rows }] of oracle.tables.entries()) {
        if (rows === 0) continue;
        const gradient = Float64Array.from(before[table]!, (value, i) => value - after[table]![i]!);
        // Only the forward pass of the oracle is used: its tables are moved, its loss is read.
        const loss = (x: Float64Array) => {
          values.set(x);
          return oracle.loss(0);
        };
        const indices = Array.from({ length: Math.min(20, values.length) }, (_, i) => (i * 11) % values.length);
        checkGradient(loss, before[table]!, gradient, {
          indices,
          tolerance: 2e-5,
          absolute: 1e-7,
          name: `table ${table}`,
        });
        values.set(before[table]!);
      }
    });
  });
});
