import { OptionError } from "@logq/core";
import { ACTIVATION } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { type EncoderSpec, inputWidth, layerShapes, validateEncoderSpec } from "../src/index.js";
import { SPEC } from "./harness.js";

describe("validateEncoderSpec", () => {
  it("returns a complete copy", () => {
    const { initialScale: _, ...given } = SPEC;
    expect(validateEncoderSpec(given)).toEqual({ ...SPEC, initialScale: 0.1 });
  });

  const WRONG: readonly [string, Record<string, unknown>, RegExp][] = [
    ["an unknown input", { input: "rnn" }, /input must be one of bag, concat, external, not "rnn"/],
    ["an empty vocabulary", { vocabulary: 0 }, /vocabulary must be an integer in \[1, 2147483647\], not 0/],
    ["a vocabulary without input", { input: "external" }, /vocabulary must be an integer in \[0, 0\], not 23/],
    ["an unknown reduction", { reduce: "max" }, /reduce must be one of mean, sum/],
    ["a window of nothing", { input: "concat" }, /window must be an integer in \[1/],
    ["a fractional width", { embedding: 2.5 }, /embedding must be an integer/],
    ["hidden that is no list", { hidden: 5 }, /hidden must be a list of at most 254 widths, not 5/],
    ["an empty layer", { hidden: [4, 0] }, /hidden\[1\] must be an integer in \[1/],
    ["layers on external input", { input: "external", vocabulary: 0, hidden: [4] }, /at most 0 widths, not \[4\]/],
    ["more layers than masks", { hidden: new Array(255).fill(1) }, /at most 254/],
    ["an unknown activation", { activation: "gelu" }, /activation must be one of tanh, relu/],
    ["certain dropout", { dropout: 1 }, /dropout must be a number in \[0/],
    ["no width", { D: 0 }, /D must be an integer in \[1/],
    ["a scale of zero", { initialScale: 0 }, /initialScale must be a number above 0/],
    ["a scale that is not a number", { initialScale: Number.NaN }, /initialScale must be a number above 0, not NaN/],
    ["an input vector too wide", { input: "concat", window: 2 ** 20, embedding: 2 ** 20 }, /width of the encoder/],
    ["an unknown option", { width: 4 }, /no option "width"; it has input, vocabulary/],
  ];

  it.each(WRONG)("refuses %s with the values", (_, fields, message) => {
    const validate = () => validateEncoderSpec({ ...SPEC, ...fields } as EncoderSpec);
    expect(validate).toThrow(OptionError);
    expect(validate).toThrow(message);
  });
});

describe("layerShapes", () => {
  const widths = (spec: EncoderSpec) => layerShapes(spec).map(({ inputs, outputs }) => [inputs, outputs]);

  it("a bag whose width is D has no layers", () => {
    expect(widths(SPEC)).toEqual([]);
  });

  it("a last linear layer leads to D, unless the width is D already", () => {
    expect(widths({ ...SPEC, D: 4 })).toEqual([[6, 4]]);
    expect(widths({ ...SPEC, hidden: [8, 6] })).toEqual([
      [6, 8],
      [8, 6],
    ]);
    const layers = layerShapes({ ...SPEC, hidden: [8], activation: "relu", D: 5 });
    expect(layers).toEqual([
      { inputs: 6, outputs: 8, activation: ACTIVATION.relu },
      { inputs: 8, outputs: 5, activation: ACTIVATION.linear },
    ]);
  });

  it("concat puts window rows side by side", () => {
    const spec: EncoderSpec = { ...SPEC, input: "concat", window: 3 };
    expect(inputWidth(spec)).toBe(18);
    expect(widths(spec)).toEqual([[18, 6]]);
    expect(widths({ ...spec, D: 18 })).toEqual([]);
  });
});
