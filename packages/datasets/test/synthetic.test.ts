import { ClassIdError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { type SyntheticDataset, syntheticDataset } from "../src/index.js";

const small = { classes: 37, topics: 5, contexts: 23, examples: 200_000, boost: 20, exponent: 0.9, seed: "truth" };

/** p(c | context) of every class, from the truth. */
function lawOf({ truth, classes }: SyntheticDataset, context: number): Float64Array {
  return Float64Array.from({ length: classes.size }, (_, id) => Math.exp(truth.logProbability(context, id)));
}

function entropyOf(law: Float64Array): number {
  return law.reduce((sum, p) => sum - p * Math.log(p), 0);
}

describe("syntheticDataset", () => {
  const dataset = syntheticDataset(small);
  const { truth, splits } = dataset;
  const contexts = Array.from({ length: small.contexts }, (_, context) => context);
  const marginal = new Float64Array(small.classes);
  for (const context of contexts) {
    lawOf(dataset, context).forEach((p, id) => {
      marginal[id] += p * truth.contextProbability(context);
    });
  }

  it("has probabilities that sum to 1 within 1e-12, over classes in every context and over contexts", () => {
    for (const context of contexts) {
      expect(Math.abs(lawOf(dataset, context).reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
    }
    const total = contexts.reduce((sum, context) => sum + truth.contextProbability(context), 0);
    expect(Math.abs(total - 1)).toBeLessThan(1e-12);
  });

  it("makes the classes of the context's topic `boost` times likelier, and nothing else", () => {
    const ofTopic = (topic: number) => lawOf(dataset, contexts.find((context) => truth.topicOf(context) === topic)!);
    const topics = [...new Set(contexts.map((context) => truth.topicOf(context)))];
    expect(topics.length).toBeGreaterThan(2);
    for (const topic of topics) {
      // Against another topic the ratio takes three values: boosted there, in neither, boosted here.
      for (const other of topics.filter((candidate) => candidate !== topic)) {
        const laws = [ofTopic(topic), ofTopic(other)];
        const ratios = new Set(Array.from(laws[0], (p, id) => (p / laws[1][id]).toPrecision(9)));
        const sorted = [...ratios].map(Number).sort((a, b) => a - b);
        expect(sorted.length).toBeLessThanOrEqual(3);
        expect(sorted.at(-1)! / sorted[0]).toBeCloseTo(small.boost ** (sorted.length - 1), 5);
      }
    }
  });

  it("knows the best and the context-free cross-entropy within 1e-12 of the sum over all contexts and classes", () => {
    const best = contexts.reduce(
      (sum, context) => sum + truth.contextProbability(context) * entropyOf(lawOf(dataset, context)),
      0,
    );
    expect(Math.abs(truth.bestCrossEntropy - best)).toBeLessThan(1e-12);
    expect(Math.abs(truth.unigramCrossEntropy - entropyOf(marginal))).toBeLessThan(1e-12);
    expect(truth.bestCrossEntropy).toBeLessThan(truth.unigramCrossEntropy - 0.3);
  });

  it("agrees with Monte Carlo: −log p over the examples is within 4 standard errors of the best cross-entropy", () => {
    for (const split of Object.values(splits)) {
      const surprises = Array.from(split.inputs, (context, i) => -truth.logProbability(context, split.targets[i]));
      const mean = surprises.reduce((sum, value) => sum + value, 0) / surprises.length;
      const variance = surprises.reduce((sum, value) => sum + (value - mean) ** 2, 0) / surprises.length;
      expect(truth.crossEntropyOf(split)).toBeCloseTo(mean, 10);
      expect(Math.abs(mean - truth.bestCrossEntropy)).toBeLessThan(4 * Math.sqrt(variance / surprises.length));
    }
  });

  it("draws pairs of context and class by their law: chi-square within 4 sigma (false alarm below 0.1%)", () => {
    const seen = new Float64Array(small.contexts * small.classes);
    splits.train.inputs.forEach((context, i) => {
      seen[context * small.classes + splits.train.targets[i]]++;
    });
    let chiSquare = 0;
    let cells = 0;
    let rest = { seen: 0, expected: 0 };
    for (const context of contexts) {
      lawOf(dataset, context).forEach((p, id) => {
        const cell = {
          seen: seen[context * small.classes + id],
          expected: small.examples * truth.contextProbability(context) * p,
        };
        // Rare cells are pooled, so that each term is near its normal limit.
        if (cell.expected < 20) rest = { seen: rest.seen + cell.seen, expected: rest.expected + cell.expected };
        else {
          chiSquare += (cell.seen - cell.expected) ** 2 / cell.expected;
          cells++;
        }
      });
    }
    chiSquare += (rest.seen - rest.expected) ** 2 / rest.expected;
    expect(cells).toBeGreaterThan(300);
    expect(Math.abs(chiSquare - cells)).toBeLessThan(4 * Math.sqrt(2 * cells));
  });

  it("numbers classes in descending order of the true marginal law", () => {
    for (let id = 1; id < small.classes; id++) expect(marginal[id]).toBeLessThanOrEqual(marginal[id - 1] * (1 + 1e-12));
  });

  it("counts the training part, and shares its arrays", () => {
    const counts = new Float64Array(small.classes);
    for (const target of splits.train.targets) counts[target]++;
    expect(dataset.classes.counts).toEqual(counts);
    for (const array of [dataset.classes.counts, splits.test.inputs, splits.test.targets]) {
      expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    expect(splits.validation.inputs.length).toBe(20_000);
    expect(dataset.classes.name(3)).toBe("class 3");
    expect([dataset.classes.id("class 3"), dataset.classes.id("class 37"), dataset.classes.id("3")]).toEqual([
      3,
      undefined,
      undefined,
    ]);
  });

  it("is a function of its options: the same seed repeats it, more examples extend it, another seed is another", () => {
    const fewer = syntheticDataset({ ...small, examples: 1000 }).splits.train;
    expect(fewer.inputs).toEqual(splits.train.inputs.subarray(0, 1000));
    expect(fewer.targets).toEqual(splits.train.targets.subarray(0, 1000));
    const other = syntheticDataset({ ...small, examples: 1000, seed: "other" }).splits.train;
    expect(other.targets).not.toEqual(fewer.targets);
    expect(splits.validation.targets.subarray(0, 1000)).not.toEqual(splits.test.targets.subarray(0, 1000));
  });

  it("draws at a cost that does not depend on n: a law of 300,000 classes still sums to 1 and fills its head", () => {
    const large = syntheticDataset({ classes: 300_000, examples: 50_000, seed: 5 });
    let sum = 0;
    for (let id = 0; id < large.classes.size; id++) sum += Math.exp(large.truth.logProbability(7, id));
    expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
    expect(Math.max(...large.splits.train.targets)).toBeLessThan(300_000);
    const standardError = 4 / Math.sqrt(50_000);
    expect(Math.abs(large.truth.crossEntropyOf(large.splits.train) - large.truth.bestCrossEntropy)).toBeLessThan(
      4 * standardError,
    );
  });

  it.each([
    ["one class", { classes: 1, examples: 10 }],
    ["fewer classes than topics", { classes: 3, examples: 1000, topics: 50 }],
    ["one topic", { classes: 10, examples: 100, topics: 1 }],
    ["one context", { classes: 10, examples: 100, contexts: 1 }],
    ["a flat law", { classes: 10, examples: 100, exponent: 0, contextExponent: 0, boost: 1 }],
  ])("works for %s", (_, options) => {
    const odd = syntheticDataset(options);
    expect(Number.isFinite(odd.truth.crossEntropyOf(odd.splits.train))).toBe(true);
    expect(odd.truth.bestCrossEntropy).toBeLessThanOrEqual(odd.truth.unigramCrossEntropy + 1e-12);
    expect(Math.abs(lawOf(odd, 0).reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
  });

  it("refuses options and ids out of range", () => {
    expect(() => syntheticDataset({ classes: 0, examples: 1 })).toThrow(OptionError);
    expect(() => syntheticDataset({ classes: 2, examples: 1, boost: 0.5 })).toThrow("boost is 0.5");
    expect(() => truth.topicOf(small.contexts)).toThrow(ClassIdError);
    expect(() => truth.logProbability(0, -1)).toThrow(ClassIdError);
  });
});
