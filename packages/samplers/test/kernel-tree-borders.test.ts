import {
  BackendError,
  MemoryLimitError,
  OptionError,
  RandomStream,
  SamplerError,
  ShapeError,
  STREAM,
} from "@logq/core";
import { compileKernels, instantiateKernels, KernelMemory, MAX_MEMORY_BYTES } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { divergenceFromSoftmax } from "../src/contextual/divergence.js";
import {
  type KernelTreeInputs,
  kernelTreeFrom,
  planKernelTree,
  type QuadraticKernelOptions,
  type RandomFeaturesOptions,
  requireContextualFits,
  validateKernelTreeOptions,
} from "../src/contextual/index.js";
import { MATRIX, orthogonalRows } from "../src/contextual/orthogonal-rows.js";
import { SortedUniforms } from "../src/contextual/sorted-uniforms.js";
import { KEY } from "./contract.js";

type Options = QuadraticKernelOptions | RandomFeaturesOptions;

const kernels = instantiateKernels(await compileKernels("wasm", false), KernelMemory.create(2 ** 20, false));

it("fills in defaults that fit the rows", () => {
  expect(validateKernelTreeOptions({ name: "quadratic-kernel" }, 1000, 9)).toEqual({
    name: "quadratic-kernel",
    classFactor: undefined,
    block: 32,
    arity: 4,
    refreshSteps: 64,
    tableType: "float32",
    projection: 9,
    rows: "whole",
    blockLaw: "softmax",
    alpha: 100,
    features: 0,
    kind: "positive",
    floor: 0,
    sharpness: 1,
  });
  expect(validateKernelTreeOptions({ name: "quadratic-kernel", blockLaw: "kernel" }, 1000, 90)).toMatchObject({
    projection: 16,
    rows: "projected",
  });
  expect(validateKernelTreeOptions({ name: "random-features" }, 1000, 90)).toMatchObject({
    projection: 90,
    features: 64,
    kind: "positive",
    sharpness: 0.5,
    blockLaw: "softmax",
  });
});

const wrong: [string, unknown][] = [
  ["no object", null],
  ["no name", {}],
  ["another name", { name: "unigram" }],
  ["an unknown field", { name: "quadratic-kernel", colour: 1 }],
  ["a field of the other sampler", { name: "quadratic-kernel", features: 8 }],
  ["a field of the other sampler, again", { name: "random-features", alpha: 8 }],
  ["alpha 0", { name: "quadratic-kernel", alpha: 0 }],
  ["alpha NaN", { name: "quadratic-kernel", alpha: Number.NaN }],
  ["a projection wider than the rows", { name: "quadratic-kernel", projection: 13 }],
  ["a projection of nothing", { name: "random-features", projection: 0 }],
  ["a block that is no power of two", { name: "quadratic-kernel", block: 24 }],
  ["a block that is too small", { name: "quadratic-kernel", block: 4 }],
  ["an arity of 1", { name: "quadratic-kernel", arity: 1 }],
  ["an arity that is no power of two", { name: "quadratic-kernel", arity: 6 }],
  ["no steps of refresh", { name: "quadratic-kernel", refreshSteps: 0 }],
  ["half a step of refresh", { name: "quadratic-kernel", refreshSteps: 2.5 }],
  ["an unknown factor", { name: "quadratic-kernel", classFactor: "zipf" }],
  ["an unknown law", { name: "quadratic-kernel", blockLaw: "uniform" }],
  ["unknown rows", { name: "quadratic-kernel", rows: "none" }],
  ["an unknown type of rows", { name: "quadratic-kernel", tableType: "float16" }],
  ["an unknown type of rows, again", { name: "random-features", tableType: 16 }],
  ["one feature", { name: "random-features", features: 1 }],
  ["odd waves", { name: "random-features", features: 7, kind: "trigonometric" }],
  ["an unknown kind", { name: "random-features", kind: "square" }],
  ["a floor of 0", { name: "random-features", floor: 0 }],
  ["a floor above 1", { name: "random-features", floor: 1.5 }],
  ["a sharpness above 1", { name: "random-features", sharpness: 2 }],
];

it.each(wrong)("refuses options with %s", (_, options) => {
  expect(() => planKernelTree(options as Options, 100, 12)).toThrow(OptionError);
});

it.each(["quadratic-kernel", "random-features"] as const)("%s: says which type of rows was refused", (name) => {
  expect(() => planKernelTree({ name, tableType: "int8" } as unknown as Options, 100, 12)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("int8"),
      values: expect.objectContaining({ value: "int8" }),
    }),
  );
});

it("refuses what is no count of classes or width", () => {
  for (const [n, D] of [
    [0, 4],
    [2.5, 4],
    [2 ** 31, 4],
    [10, 0],
  ]) {
    expect(() => planKernelTree({ name: "quadratic-kernel" }, n, D)).toThrow(OptionError);
  }
});

it("refuses inputs that make no law, and places that are none", () => {
  const make = (inputs: Partial<KernelTreeInputs>, options: Partial<Options> = {}, table = 64, scratch = 2 ** 19) =>
    kernelTreeFrom({ name: "quadratic-kernel", ...options } as Options, 3, 4, kernels, table, scratch, {
      key: KEY,
      scale: 1,
      hasBiases: false,
      ...inputs,
    });
  expect(make({}).name).toBe("quadratic-kernel");
  expect(() => make({ scale: 0 })).toThrow(OptionError);
  expect(() => make({ scale: Infinity })).toThrow(OptionError);
  const unigram = { classFactor: "unigram" } as const;
  expect(() => make({}, unigram)).toThrow(OptionError);
  expect(() => make({ unigram: [1, 2] }, unigram)).toThrow(ShapeError);
  expect(() => make({ unigram: [1, -2, 3] }, unigram)).toThrow(SamplerError);
  expect(() => make({ unigram: [1, Number.NaN, 3] }, unigram)).toThrow(SamplerError);
  expect(() => make({ unigram: [0, 0, 0] }, unigram)).toThrow(SamplerError);
  expect(() => make({}, {}, 0)).toThrow(ShapeError);
  expect(() => make({}, {}, 64, 100)).toThrow(ShapeError);
});

it("refuses a back-end that packs operands into more than was planned", () => {
  const greedy = { ...kernels, matrix: { ...kernels.matrix, packedBytes: () => 2 ** 30 } };
  expect(() =>
    kernelTreeFrom({ name: "quadratic-kernel" }, 3, 4, greedy, 64, 2 ** 19, { key: KEY, scale: 1, hasBiases: false }),
  ).toThrow(BackendError);
});

it("plans bytes in proportion to what is stored", () => {
  const n = 2 ** 20;
  const { tableBytes } = planKernelTree({ name: "quadratic-kernel", blockLaw: "kernel" }, n, 128);
  const nodes = (n / 32) * (4 / 3);
  const stored = 4 * (n * 16 + n + nodes * (136 + 3));
  expect(tableBytes).toBeGreaterThan(stored);
  expect(tableBytes).toBeLessThan(1.02 * stored);
});

it.each([1, 7, 8, 9, 128])("plans 2 bytes a number for rows of bfloat16 of width %i, padded to 16", (D) => {
  const n = 2 ** 20;
  const bytesOf = (tableType: "float32" | "bfloat16") =>
    planKernelTree({ name: "random-features", tableType }, n, D).tableBytes;
  const [wide, narrow] = [4 * Math.ceil(D / 4) * 4, 2 * Math.ceil(D / 8) * 8];
  expect(bytesOf("float32") - bytesOf("bfloat16")).toBe(n * (wide - narrow));
});

describe("ten million classes of width 128", () => {
  const [n, D] = [10_000_000, 128];

  it.each(["quadratic-kernel", "random-features"] as const)("%s: rows of bfloat16 fit a memory", (name) => {
    const { tableBytes, scratchBytes } = requireContextualFits({ name, tableType: "bfloat16" }, n, D);
    expect(tableBytes + scratchBytes).toBeLessThan(2.9e9);
  });

  it.each(["quadratic-kernel", "random-features"] as const)("%s: rows of float32 do not; bfloat16 is named", (name) => {
    const { tableBytes, scratchBytes } = planKernelTree({ name }, n, D);
    const narrow = planKernelTree({ name, tableType: "bfloat16" }, n, D);
    const narrowBytes = narrow.tableBytes + narrow.scratchBytes;
    const refused = expect.objectContaining({
      code: MemoryLimitError.code,
      message: expect.stringMatching(
        `needs ${tableBytes + scratchBytes} bytes.*tableType bfloat16 it needs ${narrowBytes}$`,
      ),
      values: { sampler: name, bytes: tableBytes + scratchBytes, limit: MAX_MEMORY_BYTES, narrowBytes },
    });
    expect(() => requireContextualFits({ name }, n, D)).toThrow(refused);
  });

  it("what has no such rows is refused with its bytes alone", () => {
    const narrow = { name: "quadratic-kernel", tableType: "bfloat16", projection: 128 } as const;
    for (const [spec, classes] of [
      [{ name: "midx" }, 100 * n],
      [narrow, n],
    ] as const) {
      expect(() => requireContextualFits(spec, classes, D)).toThrow(/holds at most 4294967296$/);
    }
  });
});

it("makes rows that are orthogonal within a run of D, long as normal vectors or of one length", () => {
  const D = 7;
  const rows = orthogonalRows(KEY, MATRIX.frequencies, 17, D, false);
  const equal = orthogonalRows(KEY, MATRIX.frequencies, 17, D, true);
  const stream = new RandomStream(KEY, STREAM.rowCandidates, MATRIX.frequencies, 0);
  const dot = (a: Float64Array, i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += a[i * D + d] * a[j * D + d];
    return sum;
  };
  for (let i = 0; i < 17; i++) {
    let square = 0;
    for (let d = 0; d < D; d++) square += stream.normal(i * D + d) ** 2;
    expect(dot(rows, i, i)).toBeCloseTo(square, 10);
    expect(dot(equal, i, i)).toBeCloseTo(D, 10);
    for (let j = 0; j < i; j++) {
      if (Math.floor(i / D) === Math.floor(j / D)) expect(Math.abs(dot(rows, i, j))).toBeLessThan(1e-12);
    }
  }
});

it("sorts the uniforms of the address and says whose they are", () => {
  const sorted = new SortedUniforms(256, kernels, 64);
  const row = 11;
  const step = 2 ** 33 + 1;
  const stream = new RandomStream(KEY, STREAM.rowCandidates, step, row + 1);
  sorted.address({ key: KEY, step, firstRow: 0, S: 1 }, row);
  for (const [first, count] of [
    [0, 256],
    [256, 1],
    [4, 3],
    [0, 100],
  ]) {
    sorted.fill(first, count);
    expect([...sorted.order.subarray(0, count)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, j) => j),
    );
    for (let i = 0; i < count; i++) {
      expect(sorted.values[i]).toBe(stream.uniform(first + sorted.order[i]));
      if (i > 0) expect(sorted.values[i]).toBeGreaterThanOrEqual(sorted.values[i - 1]);
    }
  }
});

it("measures divergence in nats and bits, by hand", () => {
  const logits = [Math.log(3), 0];
  const logQ = [Math.log(2 * 0.5), Math.log(2 * 0.5)];
  const { kl, chiSquared } = divergenceFromSoftmax(logits, logQ, 2);
  expect(kl).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 12);
  expect(chiSquared).toBeCloseTo(Math.log2(0.75 ** 2 / 0.5 + 0.25 ** 2 / 0.5), 12);
  const same = divergenceFromSoftmax(
    [1, 2, -700],
    [1, 2, -700].map((z) => z - Math.log(Math.E + Math.E ** 2)),
    1,
  );
  expect(Math.abs(same.kl)).toBeLessThan(1e-12);
  expect(Math.abs(same.chiSquared)).toBeLessThan(1e-12);
  expect(divergenceFromSoftmax([0, 0], [0, -Infinity], 1).kl).toBe(Infinity);
  expect(() => divergenceFromSoftmax([0, 0], [0], 1)).toThrow(ShapeError);
});
