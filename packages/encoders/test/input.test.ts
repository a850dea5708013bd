import { NotFiniteError, OptionError, ShapeError } from "@logq/core";
import { KernelMemory } from "@logq/kernels";
import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { checkInput, type EncoderInput, type EncoderSpec, scaleBagWeights, writeMeanWeights } from "../src/index.js";
import { SPEC } from "./harness.js";

const INPUT: EncoderInput = { offsets: 64, ids: 128, weights: 192 };

function memoryOf(offsets: number[], ids: number[], weights: number[]): KernelMemory {
  const memory = KernelMemory.create(512, false);
  memory.ints(INPUT.offsets, offsets.length).set(offsets);
  memory.ints(INPUT.ids, ids.length).set(ids);
  memory.floats(INPUT.weights, weights.length).set(weights);
  return memory;
}

describe("scaleBagWeights", () => {
  it("divides by the sum of the row, within 1e-7, and passes over empty rows", () => {
    const memory = memoryOf([0, 2, 2, 5], [], [1, 3, 0.5, 0.25, 0.25, 9]);
    scaleBagWeights(memory, INPUT, 3);
    expectAllClose(memory.floats(INPUT.weights, 6), [0.25, 0.75, 0.5, 0.25, 0.25, 9], { relative: 1e-7 });
  });

  it("refuses a row whose weights sum to zero or to no finite number, and names it", () => {
    const zero = memoryOf([0, 1, 3], [], [1, 2, -2]);
    expect(() => scaleBagWeights(zero, INPUT, 2)).toThrow(OptionError);
    expect(() => scaleBagWeights(zero, INPUT, 2)).toThrow(/row 1 sum to 0/);
    const infinite = memoryOf([0, 1], [], [Infinity]);
    expect(() => scaleBagWeights(infinite, INPUT, 1)).toThrow(NotFiniteError);
  });
});

describe("writeMeanWeights", () => {
  it("writes what scaling ones gives, bit by bit, and passes over empty rows", () => {
    const offsets = [0, 3, 3, 10, 11, 60];
    const ones = memoryOf(offsets, [], new Array<number>(61).fill(1));
    scaleBagWeights(ones, INPUT, 5);
    const written = memoryOf(offsets, [], new Array<number>(61).fill(-7));
    writeMeanWeights(written, INPUT, 5);
    expect([...written.floats(INPUT.weights, 60)]).toEqual([...ones.floats(INPUT.weights, 60)]);
    expect(written.floats(INPUT.weights, 61)[60]).toBe(-7);
  });
});

describe("checkInput", () => {
  const check = (memory: KernelMemory, rows: number, maxIds = 9, spec: EncoderSpec = SPEC) =>
    checkInput(memory, spec, INPUT, rows, maxIds);

  it("accepts what is right", () => {
    expect(() => check(memoryOf([0, 2, 2, 3], [0, 22, 5], [1, 0, -1]), 3)).not.toThrow();
  });

  it("refuses offsets that fall, or do not start at 0", () => {
    expect(() => check(memoryOf([0, 2, 1], [0, 0], [1, 1]), 2)).toThrow(/offset 2 is 1/);
    expect(() => check(memoryOf([1, 2], [0, 0], [1, 1]), 1)).toThrow(ShapeError);
  });

  it("refuses ids outside the vocabulary, with id and position", () => {
    expect(() => check(memoryOf([0, 2], [0, 23], [1, 1]), 1)).toThrow(/input id 23 at position 1 is not in \[0, 23\)/);
    expect(() => check(memoryOf([0, 2], [-1, 2], [1, 1]), 1)).toThrow(OptionError);
    const windows: EncoderSpec = { ...SPEC, input: "concat", window: 2 };
    expect(() => check(memoryOf([], [0, 1, 2, 23], [1, 1, 1, 1]), 2, 4, windows)).toThrow(/position 3/);
  });

  it("refuses more ids than there is room for", () => {
    expect(() => check(memoryOf([0, 3], [0, 1, 2], [1, 1, 1]), 1, 2)).toThrow(/3 input ids, but room for 2/);
  });

  it("refuses weights that are not finite, with the position", () => {
    expect(() => check(memoryOf([0, 2], [0, 1], [1, Number.NaN]), 1)).toThrow(/position 1 is NaN/);
  });
});
