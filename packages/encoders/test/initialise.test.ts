import { philox, STREAM, stepLow, streamWord } from "@logq/core";
import { createReferenceKernels, KernelMemory, MemoryPlan } from "@logq/kernels";
import { expectAllClose, expectMean, kolmogorovTest, Moments } from "@logq/testing";
import { describe, expect, it } from "vitest";
import {
  type EncoderSpec,
  INITIAL_TABLE,
  initialiseRows,
  initialiseTable,
  type ParameterTable,
  planEncoder,
} from "../src/index.js";
import { KEY, readBlock, SPEC } from "./harness.js";

function createTables(spec: EncoderSpec) {
  const plan = new MemoryPlan();
  const { matrix } = createReferenceKernels(KernelMemory.create(64, false));
  const { tables } = planEncoder(plan, spec, { maxRows: 1, training: false, matrix });
  return { memory: plan.allocate(false), tables };
}

function initialValues(spec: EncoderSpec, index = 0, ranges?: readonly (readonly [number, number])[]): Float32Array {
  const { memory, tables } = createTables(spec);
  const table = tables[index];
  for (const [first, rows] of ranges ?? [[0, table.rows]]) initialiseTable(memory, table, KEY, first, rows);
  return readBlock(memory, table, table.rows);
}

describe("initial values", () => {
  const spec: EncoderSpec = { ...SPEC, vocabulary: 101, embedding: 7, D: 7 };

  it("do not depend on the ranges that were filled", () => {
    const whole = initialValues(spec);
    const ranges = [
      [60, 41],
      [0, 1],
      [1, 59],
    ] as const;
    expect(initialValues(spec, 0, ranges)).toEqual(whole);
  });

  it("of a grown vocabulary keep those of the small one", () => {
    const grown = initialValues({ ...spec, vocabulary: 150 });
    expect(grown.subarray(0, 101 * 7)).toEqual(initialValues(spec));
  });

  it("of shards dealt by id mod 4 are those of the whole", () => {
    const whole = initialValues(spec);
    const memory = KernelMemory.create(4096, false);
    for (let lane = 0; lane < 4; lane++) {
      const rows = Math.ceil((101 - lane) / 4);
      const place = { address: 64, ld: 8, columns: 7, rows };
      initialiseRows(memory, { ...place, firstId: lane, idStep: 4, table: INITIAL_TABLE.embedding, limit: 0.7 }, KEY);
      const values = readBlock(memory, place, rows);
      for (let j = 0; j < rows; j++) {
        const id = lane + 4 * j;
        expect(values.subarray(7 * j, 7 * j + 7)).toEqual(whole.subarray(7 * id, 7 * id + 7));
      }
    }
  });

  it("are words of the Philox block (⌊d/4⌋, id, initialise, table)", () => {
    const words = new Uint32Array(4);
    const table = INITIAL_TABLE.embedding;
    philox(KEY, 1, 42, stepLow(table), streamWord(STREAM.initialise, table), words);
    const expected = Math.fround((2 * ((words[2] + 0.5) / 2 ** 32) - 1) * 0.7);
    expectAllClose([initialValues(spec)[42 * 7 + 6]], [expected], { relative: 1e-7 });
  });

  it("of 40,000 embedding elements are uniform: mean, variance and law, false alarm 1e-6 each", () => {
    const limit = 0.2;
    const values = initialValues({ ...spec, vocabulary: 2500, embedding: 16, D: 16, initialScale: limit });
    const moments = new Moments(2);
    for (const value of values) moments.add([value, value * value]);
    expectMean(moments, [0, limit ** 2 / 3], { falseAlarmRate: 1e-6 });
    const { pValue } = kolmogorovTest(values, (x) => (x + limit) / (2 * limit));
    expect(pValue).toBeGreaterThan(1e-6);
  });

  it("of dense layers lie in ±√(6/(inputs + outputs)), reach past 99% of it, and differ between layers; biases are 0", () => {
    const deep = { ...spec, hidden: [40, 40, 40] };
    const limit = Math.sqrt(6 / 80);
    const [second, bias, third] = [3, 4, 5].map((index) => initialValues(deep, index));
    const largest = second.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(Math.fround(limit));
    expect(largest).toBeGreaterThan(0.99 * limit);
    expect(third).not.toEqual(second);
    expect(bias).toEqual(new Float32Array(40));
  });

  it("tables tell trainers their names, kinds and shapes", () => {
    const { tables } = createTables({ ...spec, hidden: [5], D: 3 });
    const described = tables.map((t: ParameterTable) => [t.name, t.kind, t.bias, t.rows, t.columns, t.ld]);
    expect(described).toEqual([
      ["embedding", "sparse", false, 101, 7, 8],
      ["dense0.matrix", "dense", false, 7, 5, 8],
      ["dense0.bias", "dense", true, 1, 5, 8],
      ["dense1.matrix", "dense", false, 5, 3, 4],
      ["dense1.bias", "dense", true, 1, 3, 4],
    ]);
  });
});
