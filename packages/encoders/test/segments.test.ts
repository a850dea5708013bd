import { OptionError } from "@logq/core";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { buildSegments, type EncoderSpec } from "../src/index.js";
import { BACKENDS, createSetting, randomBatch, runStep, type Setting, SPEC, WHOLE } from "./harness.js";
import type { Batch } from "./oracle.js";

interface Use {
  readonly row: number;
  readonly weight: number;
}

function built({ kernels, spec, input, batch, segments, segmentScratch }: Setting): [number, Use[]][] {
  const { memory } = kernels;
  const found = buildSegments(kernels, spec, input, batch.rows, segments, segmentScratch);
  const offsets = memory.ints(segments.offsets, found + 1);
  const rows = memory.ints(segments.rows, batch.ids.length);
  const weights = memory.floats(segments.weights, batch.ids.length);
  return Array.from(memory.ints(segments.unique, found), (id, u) => {
    const uses = Array.from(rows.subarray(offsets[u], offsets[u + 1]), (row, j) => ({
      row,
      weight: segments.weights === 0 ? 1 : weights[offsets[u] + j],
    }));
    return [id, uses];
  });
}

/** The same by a map from id to uses, in the order of the batch. */
function expected(spec: EncoderSpec, batch: Batch): [number, Use[]][] {
  const uses = new Map<number, Use[]>();
  batch.ids.forEach((id, position) => {
    const row = spec.input === "concat" ? position : batch.offsets.findLastIndex((offset) => offset <= position);
    const of = uses.get(id) ?? [];
    of.push({ row, weight: batch.weights ? batch.weights[position] : 1 });
    uses.set(id, of);
  });
  return [...uses].sort(([a], [b]) => a - b);
}

const CONCAT: EncoderSpec = { ...SPEC, input: "concat", window: 3 };

describe.each(BACKENDS)("$name: segments group the uses of each id in row order", (backend) => {
  it.each([
    ["bag", SPEC, false],
    ["weighted bag", SPEC, true],
    ["windows", CONCAT, false],
  ] as const)("%s", (_, spec, weighted) => {
    for (const rows of [1, 2, 9, 130]) {
      const batch = randomBatch(spec, rows, weighted, rows);
      const setting = createSetting(spec, batch, backend);
      expect(built(setting)).toEqual(expected(spec, batch));
    }
  });

  it("a batch of empty bags has none", () => {
    const batch: Batch = { rows: 3, offsets: new Int32Array(4), ids: new Int32Array(0), weights: undefined };
    expect(built(createSetting(SPEC, batch, backend))).toEqual([]);
  });

  it("room for weights without weights holds ones", () => {
    const batch = randomBatch(SPEC, 5, true);
    const setting = createSetting(SPEC, batch, backend);
    const plain = { ...batch, weights: undefined };
    const input = { ...setting.input, weights: 0 };
    expect(built({ ...setting, input, batch: plain })).toEqual(expected(SPEC, plain));
  });

  it("weights without room are refused", () => {
    const setting = createSetting(SPEC, randomBatch(SPEC, 5, true), backend);
    const segments = { ...setting.segments, weights: 0 };
    expect(() => built({ ...setting, segments })).toThrow(OptionError);
  });
});

describe.each(BACKENDS)("$name: gradients of rows that have another gradient as well", (backend) => {
  it.each([SPEC, CONCAT])("$input: are added to it; a row without a use keeps what it has", (spec) => {
    const batch = randomBatch(spec, 17, spec.input === "bag");
    const setting = createSetting(spec, batch, backend);
    const { kernels, encoder, segments, sparseOut } = setting;
    const { memory } = kernels;
    runStep(setting, undefined, WHOLE);
    const found = built(setting).length;
    const offsets = memory.ints(segments.offsets, found + 1);
    // The last row's uses become the one's before it: its own segment is empty.
    offsets[found - 1] = offsets[found];
    const size = found * spec.embedding;
    const out = memory.floats(sparseOut, size);
    encoder.sparseGradient(0, found, sparseOut, spec.embedding);
    const alone = out.slice();
    expect(Math.max(...alone.map(Math.abs))).toBeGreaterThan(0.1);
    const other = new TestRandom(3).normalFloats(size);
    out.set(other);
    encoder.sparseGradient(0, found, sparseOut, spec.embedding, true);
    const sum = alone.map((value, i) => value + other[i]);
    expectAllClose(out, sum, { absolute: 2e-6, name: "sums" });
    expect(out.slice(-spec.embedding)).toEqual(other.slice(-spec.embedding));
  });
});
