import { tmpdir } from "node:os";
import { MissingFileError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { checkOptions, fitClasses, type RawOptions } from "../src/options.js";

describe("checkOptions", () => {
  it("nothing given is the quick preset", () => {
    const { settings, json, fresh } = checkOptions({});
    expect(settings).toMatchObject({
      preset: "quick",
      samplers: null,
      samplersAt: 20_000,
      negatives: [256],
      data: null,
    });
    expect([json, fresh]).toEqual([false, false]);
  });

  it("lists are read without repetitions; sizes and workers ascend, negatives keep their order", () => {
    const { settings } = checkOptions({
      classes: "1e4, 1_000,1000",
      workers: "2,1",
      negatives: "512,64",
      losses: "nce,full-softmax",
    });
    expect(settings.classes).toEqual([1_000, 10_000]);
    expect(settings.workers).toEqual([1, 2]);
    expect(settings.negatives).toEqual([512, 64]);
    expect(settings.losses).toEqual(["full-softmax", "nce"]);
  });

  it("an option replaces its part of the preset only", () => {
    const { settings } = checkOptions({ preset: "full", seconds: "2.5" });
    expect(settings.seconds).toBe(2.5);
    expect(settings.classes.at(-1)).toBe(1_000_000);
    expect(settings.samplers).toEqual(["uniform", "log-uniform", "unigram"]);
  });

  const wrong: [RawOptions, string][] = [
    [{ preset: "huge" }, '--preset must be one of quick, full, not "huge"'],
    [{ classes: "1" }, "--classes must be an integer in [2, 2147483647], not 1"],
    [{ classes: "10,,20" }, '--classes must be a list with commas between its items, not "10,,20"'],
    [{ classes: "" }, '--classes must be a list with commas between its items, not ""'],
    [{ classes: "many" }, '--classes must be a number, not "many"'],
    [{ classes: "10.5" }, "--classes must be an integer in [2, 2147483647], not 10.5"],
    [{ losses: "softmax" }, "--losses must be one of full-softmax, sampled-softmax"],
    [{ samplers: "alias" }, "--samplers must be one of uniform, log-uniform, unigram"],
    [{ negatives: "0" }, "--negatives must be an integer in [1, 1048576], not 0"],
    [{ workers: "0" }, "--workers must be an integer in [1, 64], not 0"],
    [{ dim: "-4" }, "--dim must be an integer in [1, 4096], not -4"],
    [{ seconds: "0" }, "--seconds must be a number in [0.1, 86400], not 0"],
    [{ seconds: "Infinity" }, "--seconds must be a number in [0.1, 86400], not Infinity"],
    [{ seed: "x" }, '--seed must be a number, not "x"'],
    [{ backend: "gpu" }, "--backend must be one of auto, native, blas, wasm, reference"],
  ];
  it.each(wrong)("%j is refused with an OptionError of one line", (raw, message) => {
    expect(() => checkOptions(raw)).toThrow(OptionError);
    expect(() => checkOptions(raw)).toThrow(message);
    expect(() => checkOptions(raw)).toThrow(/^[^\n]*$/);
  });

  it("a data folder that does not exist is a MissingFileError", () => {
    expect(() => checkOptions({ data: "no/such/folder" })).toThrow(MissingFileError);
    expect(checkOptions({ data: tmpdir() }).settings.data).toBe(tmpdir());
  });
});

describe("fitClasses", () => {
  const data = { name: "words", classes: 7_000, examples: 1e6 };

  it("synthetic data takes any size", () => {
    const options = checkOptions({});
    expect(fitClasses(options, { ...data, classes: null })).toBe(options.settings);
  });

  it("a data set is measured at its own size, whatever sizes the preset has", () => {
    expect(fitClasses(checkOptions({}), data)).toMatchObject({ classes: [7_000], samplersAt: 7_000 });
    expect(fitClasses(checkOptions({ preset: "full" }), data)).toMatchObject({ classes: [7_000], samplersAt: null });
    expect(fitClasses(checkOptions({ classes: "7000" }), data).classes).toEqual([7_000]);
  });

  it.each(["7001", "10,7000"])("--classes %s names another size and is refused", (classes) => {
    expect(() => fitClasses(checkOptions({ classes }), data)).toThrow(
      /words has 7,000 classes; data sets are measured/,
    );
  });
});
