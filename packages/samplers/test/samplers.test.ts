import { RandomStream, STREAM } from "@logq/core";
import { expect, it } from "vitest";
import { Bench, type ContractCase, KEY, samplerContract } from "./contract.js";

const counts = [50, 0, 3, 900, 1, 0, 20, 20, 7, 400, 2, 0, 33];
const skewed = Array.from({ length: 12 }, (_, i) => 1000 / 4 ** i);

const cases: Record<string, ContractCase> = {
  uniform: { spec: { name: "uniform" }, n: 17, S: 5, excluded: [0, 3, 16], repetitions: 2500 },
  "uniform without replacement": {
    spec: { name: "uniform", replacement: false },
    n: 17,
    S: 5,
    excluded: [2, 3, 4, 16],
    repetitions: 5000,
  },
  "uniform without replacement, nearly all": {
    spec: { name: "uniform", replacement: false },
    n: 9,
    S: 5,
    excluded: [0, 4, 8],
    repetitions: 5000,
  },
  "log-uniform": { spec: { name: "log-uniform" }, n: 100, S: 33, excluded: [0, 7, 99], repetitions: 2500 },
  "log-uniform without replacement": {
    spec: { name: "log-uniform", replacement: false },
    n: 30,
    S: 9,
    excluded: [1, 2, 29],
    repetitions: 5000,
  },
  "log-uniform without replacement as TensorFlow counts": {
    spec: { name: "log-uniform", replacement: false, expectedCount: "tensorflow" },
    n: 30,
    S: 9,
    excluded: [1, 2, 29],
    repetitions: 5000,
  },
  "uniform without replacement as TensorFlow counts": {
    spec: { name: "uniform", replacement: false, expectedCount: "tensorflow" },
    n: 12,
    S: 4,
    excluded: [0],
    repetitions: 5000,
  },
  "unigram with classes that never occur": {
    spec: { name: "unigram", distortion: 0.75 },
    n: counts.length,
    S: 8,
    inputs: { counts },
    excluded: [1, 3],
    repetitions: 2500,
  },
  "unigram, smoothed": {
    spec: { name: "unigram", smoothing: 2, distortion: 0.5 },
    n: counts.length,
    S: 8,
    inputs: { counts },
    excluded: [3, 9, 12],
    repetitions: 2500,
  },
  "unigram without replacement": {
    spec: { name: "unigram", replacement: false },
    n: counts.length,
    S: 4,
    inputs: { counts },
    excluded: [1, 3],
    repetitions: 5000,
  },
  "unigram without replacement, so skewed that tries do not suffice": {
    spec: { name: "unigram", replacement: false },
    n: skewed.length,
    S: 9,
    inputs: { counts: skewed },
    excluded: [0, 2],
    repetitions: 5000,
  },
};

for (const [title, one] of Object.entries(cases)) samplerContract(title, one);

it("takes uniforms 2i and 2i + 1 of the address for try i: the meaning of a seed, past the first chunk too", () => {
  for (const [item, stream] of [
    [0, STREAM.candidates],
    [9, STREAM.rowCandidates],
  ] as const) {
    const bench = new Bench({ name: "unigram" }, counts.length, 5000, { counts });
    bench.draw(2 ** 33 + 5, item);
    const uniforms = new RandomStream(KEY, stream, 2 ** 33 + 5, item);
    for (let i = 0; i < 5000; i++) {
      expect(bench.ids[i]).toBe(bench.law.draw(uniforms.uniform(2 * i), uniforms.uniform(2 * i + 1)));
    }
  }
});
