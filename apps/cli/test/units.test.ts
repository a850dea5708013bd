import { PassThrough } from "node:stream";
import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { withFlags } from "../src/base/flag-names.js";
import { bytes, clock, decimal, duration } from "../src/base/format.js";
import { LineProgress } from "../src/base/progress.js";
import { integer, number, seed, widths } from "../src/base/values.js";
import { parseFeatures } from "../src/models/input.js";
import { parseSplit, splitOptions } from "../src/prepare/split.js";
import { epochEstimate } from "../src/train/estimate.js";
import { describeProfiles } from "../src/train/profile.js";
import { readSamplerOptions } from "../src/train/sampler-options.js";
import { progressText } from "../src/train/watch.js";

const PROGRESS = {
  step: 50,
  totalSteps: 400,
  epoch: 0.5,
  examples: 1600,
  examplesPerSecond: 800,
  wordsPerSecondPerThread: undefined,
  loss: 3.21,
  temperature: undefined,
  seconds: 2,
  secondsLeft: 14,
  probe: undefined,
  validation: undefined,
};

describe("values", () => {
  it("numbers are decimal and finite", () => {
    expect(["1", "-2.5", ".5", "1e-3", "+4"].map(number)).toEqual([1, -2.5, 0.5, 0.001, 4]);
    for (const text of ["", " ", "NaN", "Infinity", "0x10", "1e999", "1,5", "1_000", "--lr"]) {
      expect(() => number(text), text).toThrow(InvalidArgumentError);
    }
    expect(integer("1e6")).toBe(1_000_000);
    expect(() => integer("1e16")).toThrow(InvalidArgumentError);
    expect(widths("256,128")).toEqual([256, 128]);
    expect(() => widths("256,")).toThrow(InvalidArgumentError);
    expect([seed("7"), seed("seven"), seed("7.5")]).toEqual([7, "seven", "7.5"]);
  });

  it("features are names and weights; a name may hold a colon", () => {
    expect(parseFeatures("a:1,b:c:2.5, d")).toEqual([
      ["a", 1],
      ["b:c", 2.5],
      ["d", 1],
    ]);
    for (const text of ["", "a:", "a:x", ":1", "a:Infinity"])
      expect(() => parseFeatures(text), text).toThrow("--features");
  });
});

describe("--sampler-option", () => {
  it("names options, also parts of options; numbers, yes, no and none are values", () => {
    expect(
      readSamplerOptions(["batches=8", "frequency.kind=streaming", "frequency.rate=1e-3", "structure=alias"]),
    ).toEqual({
      batches: 8,
      frequency: { kind: "streaming", rate: 0.001 },
      structure: "alias",
    });
    expect(readSamplerOptions(["a=yes", "b=no", "c=none", "d=", "e=x=y"])).toEqual({
      a: true,
      b: false,
      c: null,
      d: "",
      e: "x=y",
    });
  });

  it.each([["plain"], ["=1"], [".a=1"], ["a.=1"], ["__proto__.a=1"]])("refuses %s", (word) => {
    expect(() => readSamplerOptions([word])).toThrow("--sampler-option");
  });

  it("refuses a part of what has a value", () => {
    expect(() => readSamplerOptions(["a=1", "a.b=2"])).toThrow("a has a value of its own");
  });
});

describe("--split", () => {
  const usual = { validation: 0.1, test: 0.2 };

  it("ratio holds out the usual shares of the parts that have no file; a ratio of one's own goes before", () => {
    expect(splitOptions({ split: "ratio" }, usual)).toEqual({ validationRatio: 0.1, testRatio: 0.2 });
    expect(splitOptions({ split: "ratio", test: ["t"] }, usual)).toEqual({ validationRatio: 0.1 });
    const own = splitOptions({ split: "ratio", test: ["t"], validationRatio: 0.3 }, usual);
    expect(own).toEqual({ validationRatio: 0.3 });
    expect(splitOptions({ validationRatio: 0.3 }, usual)).toEqual({ validationRatio: 0.3 });
    expect(splitOptions({}, usual)).toEqual({});
  });

  it("shares by number stand alone", () => {
    expect(splitOptions({ split: parseSplit("0.98,0.01,0.01") }, usual)).toEqual({
      validationRatio: 0.01,
      testRatio: 0.01,
    });
    expect(() => splitOptions({ split: parseSplit("0.8,0.1,0.1"), testRatio: 0.1 }, usual)).toThrow("give one of them");
    for (const text of ["0.9,0.1", "1.1,-0.1,0", "half", "0.8,0.1,0.2"]) expect(() => parseSplit(text), text).toThrow();
  });
});

describe("words for people", () => {
  it("numbers", () => {
    expect([0, 999, 1000, 51_200_000].map(bytes)).toEqual(["0 B", "999 B", "1 kB", "51.2 MB"]);
    expect([0, 59.2, 3725, Number.POSITIVE_INFINITY].map(clock)).toEqual(["0:00", "1:00", "1:02:05", "–"]);
    expect([0.123, 12.34, 3725].map(duration)).toEqual(["0.12 s", "12.3 s", "1:02:05"]);
    expect([0.12345, 1234.56, 1e30, Number.NaN].map(decimal)).toEqual(["0.1235", "1234.6", "1.0000e+30", "–"]);
  });

  it("options of the libraries are named as flags, other words are left alone", () => {
    expect(withFlags("textColumn is missing: the format tsv needs it")).toBe(
      "--text-column is missing: the format tsv needs it",
    );
    expect(withFlags("learning rate must be a number above 0, not 0")).toBe("--lr must be a number above 0, not 0");
    expect(withFlags("batch must be an integer")).toBe("--batch must be an integer");
    expect(withFlags("a row of the batch is empty")).toBe("a row of the batch is empty");
  });

  it("a sampled loss is called by its name, the exact cross-entropy by its part", () => {
    const probe = { step: 40, seconds: 1, crossEntropy: 6.5 };
    expect(progressText({ ...PROGRESS, probe }, "sampled-softmax", "validation")).toBe(
      "step 50/400  epoch 0.50  800 examples/s  sampled-softmax loss 3.2100  exact cross-entropy 6.5000 (validation probe)  0:14 left",
    );
    expect(progressText({ ...PROGRESS, wordsPerSecondPerThread: 123_456 }, "nce", "test")).toMatch(
      / 123,456 words\/s\/thread {2}nce loss /,
    );
    expect(progressText(PROGRESS, "nce", "test")).not.toMatch(/cross-entropy|perplexity|temperature/);
    expect(progressText({ ...PROGRESS, temperature: 0.07 }, "nce", "test")).toMatch(
      /loss 3\.2100 {2}temperature 0\.0700 /,
    );
  });

  it("in a pipe a line comes every ten seconds, at most", () => {
    const sink = new PassThrough();
    let now = 0;
    const progress = new LineProgress(sink, "training", () => now);
    for (now = 0; now < 35; now++) progress.update(now / 100, `at ${now}`);
    progress.end();
    expect(String(sink.read())).toBe("training 10%  at 10\ntraining 20%  at 20\ntraining 30%  at 30\n");
  });
});

it("the time of an epoch is told from the first steps", () => {
  const options = { loss: { name: "full-softmax" } } as Parameters<typeof epochEstimate>[0];
  expect(epochEstimate(options, PROGRESS, 90_000)).toBe(
    "full-softmax: about 1:00:00 for an epoch of 90,000 steps (40.0 ms each), by the first 50 steps",
  );
});

describe("--profile", () => {
  const kernels = (products: number, loss: number) => ({
    ...{ gather: 0, products, packing: 0, loss, optimizer: 0, sums: 0, drawing: 0, dense: 0, vectors: 0 },
  });

  it("tells milliseconds a step by phase and worker, JavaScript as what no kernel took, and shares that sum up", () => {
    const training = [
      {
        rows: { busy: 70, waiting: 20, own: 10, kernels: kernels(40, 10) },
        build: { busy: 0.01, waiting: 0, own: 0, kernels: kernels(0, 0) },
      },
      { rows: { busy: 80, waiting: 0, own: 0, kernels: kernels(60, 10) } },
    ];
    const evaluation = [{ classes: { busy: 9, waiting: 1, own: 0, kernels: kernels(8, 1) } }];
    const [steps, evaluations] = describeProfiles({ training, evaluation }, 10).split(
      "\nMilliseconds of all evaluations:\n",
    );
    const table = steps!.trimEnd().split("\n").slice(2);
    expect(table.map((row) => row.slice(0, 12).trim())).toEqual([
      "",
      "rows 0",
      "rows 1",
      "all",
      "share",
      "gather, prod",
    ]);
    expect(table[1]).toMatch(/7\.000 +2\.000 +· +4\.000 +· +1\.000 .* 1\.000 +1\.000$/);
    expect(table[3]).toMatch(/15\.000 +2\.000 +· +10\.000 +· +2\.000 .* 2\.000 +1\.000$/);
    expect(table[4]).toMatch(/88\.2% +11\.8% +0\.0% +58\.8% .* 11\.8% +5\.9%$/);
    // Without the 10 ms that the profile itself took: 120 of 160.
    expect(table[5]).toMatch(/: 75\.0% of workers x wall time without the profile's own$/);
    expect(evaluations).toMatch(/^ +busy .*\nclasses +9\.000 +1\.000 /);
  });
});
