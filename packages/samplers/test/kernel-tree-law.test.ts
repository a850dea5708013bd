import { keyFromSeed } from "@logq/core";
import { compileKernels, instantiateKernels, KernelMemory } from "@logq/kernels";
import { expect, it } from "vitest";
import { divergenceFromSoftmax } from "../src/contextual/divergence.js";
import {
  type KernelTreeInputs,
  kernelTreeFrom,
  planKernelTree,
  type QuadraticKernelOptions,
  type RandomFeaturesOptions,
  validateKernelTreeOptions,
} from "../src/contextual/index.js";
import { TreeLayout } from "../src/contextual/kernel-tree-layout.js";
import { MATRIX, orthogonalRows } from "../src/contextual/orthogonal-rows.js";
import { CONTEXTUAL_BACKENDS, ContextualBench, FASTEST } from "./contextual-bench.js";

const TREE_KEY = keyFromSeed("tree");
const SCALE = 0.8;
/** Classes enough for two levels of nodes above the blocks. */
const [n, D, S] = [1203, 6, 16];
const ROWS = 5;
const BLOCK = 8;
const small = { block: BLOCK, arity: 2, refreshSteps: 4 } as const;

type Options = QuadraticKernelOptions | RandomFeaturesOptions;

function benchOf(
  options: Options,
  inputs: Partial<KernelTreeInputs> = {},
  backend = FASTEST,
  [classes, width] = [n, D],
): ContextualBench {
  const maker = {
    plan: (count: number, d: number) => planKernelTree(options, count, d),
    create: (count: number, d: number, kernels: ContextualBench["kernels"], table: number, scratch: number) =>
      kernelTreeFrom(options, count, d, kernels, table, scratch, {
        key: TREE_KEY,
        scale: SCALE,
        hasBiases: true,
        ...inputs,
      }),
  };
  return new ContextualBench(backend, maker, classes, width, S);
}

function built(...args: Parameters<typeof benchOf>): ContextualBench {
  const bench = benchOf(...args);
  bench.sampler.build(bench.reader);
  bench.draw(0, ROWS);
  return bench;
}

/** Rows as float64 vectors. */
const rowsOf = ({ reader }: ContextualBench) =>
  Array.from({ length: reader.n }, (_, id) => [...reader.rows.subarray(id * reader.D, (id + 1) * reader.D)]);
/** Rows of bfloat16 as they lie in the table, which is the first region of the bench's memory, as float64 vectors. */
function storedRows({ memory, n: classes, D: width }: ContextualBench, options: Options): number[][] {
  const layout = new TreeLayout(validateKernelTreeOptions(options, classes, width), classes, width, 64, 0);
  const halves = new Uint16Array(memory.u8.buffer);
  return Array.from({ length: classes }, (_, id) => {
    const at = (layout.table.rows + id * layout.rowBytes) >>> 1;
    const bits = Uint32Array.from(halves.subarray(at, at + layout.width), (half) => half * 65536);
    return [...new Float32Array(bits.buffer)];
  });
}

/** Rows (n, D) rounded by the definition of the kernel, with the class as the id, as float64 vectors. */
async function roundedRows({ reader }: ContextualBench): Promise<number[][]> {
  const { n: classes, D: width } = reader;
  const kernels = instantiateKernels(await compileKernels("reference", false), KernelMemory.create(2 ** 20, false));
  const { f32, i32 } = kernels.memory;
  const ld = Math.ceil(width / 8) * 8;
  const [row, id, table] = [64, 128 + 4 * width, 256 + 4 * width];
  return Array.from({ length: classes }, (_, c) => {
    f32.set(reader.rows.subarray(c * width, (c + 1) * width), row >>> 2);
    i32[id >>> 2] = c;
    kernels.narrow.roundRows(table, ld, 0, row, width, 1, width, id, { key: TREE_KEY, step: 0, table: 255 });
    kernels.narrow.widenRows(row, width, table, ld, 0, 1, width);
    return [...f32.subarray(row >>> 2, (row >>> 2) + width)];
  });
}

const contextOf = ({ memory, hidden, ld, D: width }: ContextualBench, row: number) => [
  ...memory.floats(hidden + 4 * row * ld, width),
];
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** q of every class, from what blocks are drawn by and what classes are drawn by within a block. */
function lawOf(blockMass: (ids: number[]) => number, weight: (id: number) => number, classes = n): number[] {
  const ids = Array.from({ length: classes }, (_, id) => id);
  const blocks = Array.from({ length: Math.ceil(classes / BLOCK) }, (_, b) => ids.slice(b * BLOCK, (b + 1) * BLOCK));
  const masses = blocks.map(blockMass);
  const all = total(masses);
  return blocks.flatMap((block, b) => {
    const weights = block.map(weight);
    return weights.map((value) => ((masses[b] / all) * value) / total(weights));
  });
}

function expectLaw(bench: ContextualBench, row: number, q: readonly number[], tolerance = 2e-5): void {
  const logQ = bench.enumerate(row);
  for (let id = 0; id < q.length; id++) {
    const wanted = Math.log(S * q[id]);
    expect(logQ[id] === wanted || Math.abs(logQ[id] - wanted) < tolerance, `class ${id}: ${logQ[id]}, ${wanted}`).toBe(
      true,
    );
  }
}

/** The classes whose rows the refresh of a step reads. */
function classesRead({ sampler, n: classes, D: width }: ContextualBench, step: number): number[] {
  const ids: number[] = [];
  const readRows = (first: number, count: number) => {
    for (let id = first; id < first + count; id++) ids.push(id);
  };
  const reader = { n: classes, D: width, readRows, readBiases: () => {} };
  const units = sampler.refreshUnits(step);
  for (let unit = 0; unit < units; unit++) sampler.refresh(unit, step, reader);
  return ids;
}

/** What the sampler multiplies rows with, (count, D). */
function matrixOf(matrix: number, count: number, unit: boolean, scale: number): number[][] {
  const rows = orthogonalRows(TREE_KEY, matrix, count, D, unit);
  return Array.from({ length: count }, (_, i) => [...rows.subarray(i * D, (i + 1) * D)].map((value) => value * scale));
}

for (const backend of CONTEXTUAL_BACKENDS) {
  for (const [r, blockLaw] of [
    [D, "kernel"],
    [D, "softmax"],
    [3, "kernel"],
    [3, "softmax"],
  ] as const) {
    it(`quadratic kernel, r = ${r}, ${blockLaw} in blocks, on ${backend.name}: q is (α·⟨Ph, Pw⟩²/τ² + 1)·e^{b/τ}, enumerated`, () => {
      const alpha = 7;
      const bench = built({ name: "quadratic-kernel", alpha, projection: r, blockLaw, ...small }, {}, backend);
      const P = matrixOf(MATRIX.projection, r, true, 1 / Math.sqrt(r));
      const project = (x: number[]) => (r === D ? x : P.map((p) => dot(p, x)));
      const rows = rowsOf(bench);
      for (let row = 0; row < ROWS; row++) {
        const h = contextOf(bench, row);
        const g = (id: number) => Math.exp(SCALE * bench.reader.biases[id]);
        const kernel = (id: number) => (alpha * (SCALE * dot(project(h), project(rows[id]))) ** 2 + 1) * g(id);
        const softmax = (id: number) => Math.exp(SCALE * dot(h, rows[id])) * g(id);
        const q = lawOf((ids) => total(ids.map(kernel)), blockLaw === "kernel" ? kernel : softmax);
        expectLaw(bench, row, q);
      }
    });
  }

  for (const blockLaw of ["kernel", "softmax"] as const) {
    for (const r of [D, 3]) {
      it(`quadratic kernel, r = ${r}, ${blockLaw} of rows of bfloat16 in blocks, on ${backend.name}: q is that of sums as they were read and of rows as they are stored, enumerated`, () => {
        const alpha = 7;
        const tableType = "bfloat16";
        const options = { name: "quadratic-kernel", alpha, projection: r, blockLaw, tableType, ...small } as const;
        const bench = built(options, {}, backend);
        const P = matrixOf(MATRIX.projection, r, true, 1 / Math.sqrt(r));
        const project = (x: number[]) => (r === D ? x : P.map((p) => dot(p, x)));
        const rows = rowsOf(bench);
        const stored = storedRows(bench, options);
        for (let row = 0; row < ROWS; row++) {
          const h = contextOf(bench, row);
          const g = (id: number) => Math.exp(SCALE * bench.reader.biases[id]);
          const kernelOf = (v: number[], id: number) => (alpha * (SCALE * dot(project(h), v)) ** 2 + 1) * g(id);
          const kernel = (id: number) => kernelOf(project(rows[id]), id);
          const weight = (id: number) =>
            blockLaw === "kernel" ? kernelOf(stored[id], id) : Math.exp(SCALE * dot(h, stored[id])) * g(id);
          expectLaw(
            bench,
            row,
            lawOf((ids) => total(ids.map(kernel)), weight),
          );
        }
      });
    }
  }

  for (const width of [1, 7, 8, 9, 128]) {
    it(`stores rows of width ${width} as they round by class, in whatever order they are refreshed and by whom, on ${backend.name}`, async () => {
      const options = { name: "random-features", features: 4, tableType: "bfloat16", ...small } as const;
      const bench = benchOf(options, {}, backend, [203, width]);
      bench.sampler.build(bench.reader);
      expect(storedRows(bench, options)).toEqual(await roundedRows(bench));
      for (let i = 0; i < bench.reader.rows.length; i++) bench.reader.rows[i] *= -1.7;
      const rounded = await roundedRows(bench);
      expect(rounded).not.toEqual(rowsOf(bench));
      for (const [first, descending] of [
        [8, true],
        [13, false],
      ] as const) {
        for (let step = first; step < first + 4; step++) bench.refresh(step, descending);
        expect(storedRows(bench, options)).toEqual(rounded);
      }
    });
  }

  it(`positive features on ${backend.name}: q is the mean of products of features by block and the softmax within, enumerated`, () => {
    const sharpness = 0.7;
    const options = { name: "random-features", features: 8, sharpness, floor: 1e-9, ...small } as const;
    const bench = built(options, {}, backend);
    const W = matrixOf(MATRIX.frequencies, 8, false, 1);
    const root = Math.sqrt(sharpness * SCALE);
    const phi = (x: number[]) => W.map((w) => Math.exp(root * dot(w, x) - 0.5 * root * root * dot(x, x)));
    const rows = rowsOf(bench);
    for (let row = 0; row < ROWS; row++) {
      const h = contextOf(bench, row);
      const g = (id: number) => Math.exp(SCALE * bench.reader.biases[id]);
      const estimate = (id: number) => dot(phi(h), phi(rows[id])) * g(id);
      const q = lawOf(
        (ids) => total(ids.map(estimate)),
        (id) => Math.exp(SCALE * dot(h, rows[id])) * g(id),
      );
      expectLaw(bench, row, q);
    }
  });

  it(`trigonometric features on ${backend.name}: the clamp at the bound leaves Σ g·e^{‖w‖²/2τ}, enumerated`, () => {
    const options = { name: "random-features", kind: "trigonometric", floor: 1, sharpness: 1, ...small } as const;
    const bench = built(options, {}, backend);
    const rows = rowsOf(bench);
    for (let row = 0; row < ROWS; row++) {
      const h = contextOf(bench, row);
      const g = (id: number) => Math.exp(SCALE * bench.reader.biases[id]);
      const bound = (id: number) => Math.exp(0.5 * SCALE * dot(rows[id], rows[id])) * g(id);
      const q = lawOf(
        (ids) => total(ids.map(bound)),
        (id) => Math.exp(SCALE * dot(h, rows[id])) * g(id),
      );
      expectLaw(bench, row, q);
    }
  });
}

it("trigonometric features with mass enough for no clamp: q is the estimate by block, enumerated", () => {
  const options = {
    name: "random-features",
    kind: "trigonometric",
    features: 512,
    floor: 1e-3,
    sharpness: 1,
    ...small,
  } as const;
  const bench = built(options);
  const W = matrixOf(MATRIX.frequencies, 256, false, Math.sqrt(SCALE));
  const rows = rowsOf(bench);
  for (let row = 0; row < ROWS; row++) {
    // Short contexts: then every block's estimate is well above 0.
    const h = contextOf(bench, row).map((value) => value / 4);
    bench.memory.floats(bench.hidden + 4 * row * bench.ld, D).set(h);
    const g = (id: number) => Math.exp(SCALE * bench.reader.biases[id]);
    const estimate = (id: number) => {
      const waves = W.map((w) => Math.cos(dot(w, h) - dot(w, rows[id])));
      return total(waves) * Math.exp(0.5 * SCALE * dot(rows[id], rows[id])) * g(id);
    };
    bench.draw(0, ROWS);
    const blocks = Array.from({ length: Math.ceil(n / BLOCK) }, (_, b) => b * BLOCK);
    for (const b of blocks) {
      const ids = Array.from({ length: Math.min(BLOCK, n - b) }, (_, i) => b + i);
      expect(total(ids.map(estimate))).toBeGreaterThan(0);
    }
    const q = lawOf(
      (ids) => total(ids.map(estimate)),
      (id) => Math.exp(SCALE * dot(h, rows[id])) * g(id),
    );
    expectLaw(bench, row, q, 1e-4);
  }
});

it("unigram factors: without a context, q is the unigram law itself", () => {
  const unigram = Array.from({ length: n }, (_, id) => (id % 7 === 0 || id < 20 ? 0 : 1 / (id + 1)));
  for (const options of [
    { name: "quadratic-kernel", classFactor: "unigram", ...small },
    { name: "quadratic-kernel", classFactor: "unigram", blockLaw: "kernel", ...small },
  ] as const) {
    const bench = built(options, { unigram });
    expectLaw(
      bench,
      1,
      unigram.map((value) => value / total(unigram)),
    );
  }
});

it("a step refreshes its slice and nothing else: q is that of a tree built from the mixed table", () => {
  const options = { name: "quadratic-kernel", ...small } as const;
  const partly = built(options);
  const mixed = benchOf(options);
  const changed = benchOf(options);
  for (let i = 0; i < n * D; i++) changed.reader.rows[i] *= -1.5;
  const before = Float32Array.from(partly.reader.rows);
  partly.reader.rows.set(changed.reader.rows);
  partly.reader.biases.fill(0.25);
  const biases = Float32Array.from(mixed.reader.biases);
  const step = 6;
  partly.refresh(step);
  const touched = new Set(classesRead(changed, step));
  expect(touched.size).toBeGreaterThan(0);
  expect(touched.size).toBeLessThan(n / 2);
  for (let id = 0; id < n; id++) {
    const source = touched.has(id) ? partly.reader.rows : before;
    mixed.reader.rows.set(source.subarray(id * D, (id + 1) * D), id * D);
    mixed.reader.biases[id] = touched.has(id) ? 0.25 : biases[id];
  }
  mixed.sampler.build(mixed.reader);
  expect(partly.draw(3, ROWS)).toEqual(mixed.draw(3, ROWS));
  for (let row = 0; row < ROWS; row++) expect(partly.enumerate(row)).toEqual(mixed.enumerate(row));
});

it("every class is read exactly once in a pass of refreshes, for any number of steps and any size", () => {
  for (const classes of [1, 33, 203, 9000, 40_000]) {
    for (const refreshSteps of [1, 3, 64]) {
      const bench = benchOf({ name: "quadratic-kernel", refreshSteps }, {}, FASTEST, [classes, 2]);
      const reads = new Uint8Array(classes);
      for (let step = 5; step < 5 + refreshSteps; step++) {
        for (const id of classesRead(bench, step)) reads[id]++;
      }
      expect(reads.every((count) => count === 1)).toBe(true);
    }
  }
});

it("refreshes a tree of many units to the bits of a build, its upper levels too", () => {
  const shape: [number, number] = [300_000, 2];
  const options = { name: "quadratic-kernel", arity: 2, refreshSteps: 5 } as const;
  const [refreshed, fresh] = [0, 1].map(() => benchOf(options, {}, FASTEST, shape));
  refreshed.sampler.build(refreshed.reader);
  for (const { reader } of [refreshed, fresh]) for (let i = 0; i < reader.rows.length; i++) reader.rows[i] *= -2;
  fresh.sampler.build(fresh.reader);
  expect(refreshed.draw(3, ROWS)).not.toEqual(fresh.draw(3, ROWS));
  for (let step = 12; step < 17; step++) refreshed.refresh(step, step % 2 === 0);
  expect(refreshed.draw(3, ROWS)).toEqual(fresh.draw(3, ROWS));
  const logQ = refreshed.enumerate(2);
  expect(logQ).toEqual(fresh.enumerate(2));
  expect(Math.abs(total([...logQ].map((value) => Math.exp(value) / S)) - 1)).toBeLessThan(3e-6);
});

it("draw j of a row is the same whatever S is", () => {
  const make = (size: number) => {
    const maker = {
      plan: () => planKernelTree({ name: "random-features", ...small }, n, D),
      create: (_n: number, _D: number, kernels: ContextualBench["kernels"], table: number, scratch: number) =>
        kernelTreeFrom({ name: "random-features", ...small }, n, D, kernels, table, scratch, {
          key: TREE_KEY,
          scale: SCALE,
          hasBiases: true,
        }),
    };
    const bench = new ContextualBench(FASTEST, maker, n, D, size);
    bench.sampler.build(bench.reader);
    return [...bench.draw(4, 1).ids];
  };
  const longest = make(700);
  for (const size of [1, 2, 3, 255, 256, 257, 699]) expect(make(size)).toEqual(longest.slice(0, size));
});

it("stays a law for rows so long and biases so far apart that e^… is no float32", () => {
  const cases: Options[] = [
    { name: "quadratic-kernel", ...small },
    { name: "quadratic-kernel", blockLaw: "kernel", projection: 3, ...small },
    { name: "random-features", ...small },
    { name: "random-features", kind: "trigonometric", ...small },
    { name: "random-features", tableType: "bfloat16", ...small },
  ];
  for (const options of cases) {
    const bench = benchOf(options);
    for (let i = 0; i < n * D; i++) bench.reader.rows[i] *= 10;
    for (let id = 0; id < n; id++) bench.reader.biases[id] = 300 * Math.sin(id);
    bench.sampler.build(bench.reader);
    for (let i = 0; i < ROWS * bench.ld; i++) bench.memory.f32[(bench.hidden >>> 2) + i] *= 3;
    const { ids, logQ } = bench.draw(1, ROWS);
    expect(ids.every((id) => id >= 0 && id < n)).toBe(true);
    expect(logQ.every((value) => Number.isFinite(value))).toBe(true);
    for (let row = 0; row < ROWS; row++) {
      const all = bench.enumerate(row);
      expect(all.every((value) => Number.isFinite(value))).toBe(true);
      expect(Math.abs(total([...all].map((value) => Math.exp(value) / S)) - 1)).toBeLessThan(1e-5);
    }
  }
});

it("rows of bfloat16 are as near to the softmax as those of float32, to 0.001 nats and 0.2% of KL", () => {
  const [classes, width] = [2000, 128];
  for (const options of [
    { name: "quadratic-kernel" },
    { name: "random-features" },
    { name: "random-features", projection: 40 },
  ] as const) {
    const [wide, narrow] = (["float32", "bfloat16"] as const).map((tableType) => {
      const bench = benchOf({ ...options, tableType }, { scale: 1 }, FASTEST, [classes, width]);
      for (let id = 0; id < classes; id++) bench.reader.biases[id] = -Math.log(id + 2);
      bench.sampler.build(bench.reader);
      bench.draw(0, ROWS);
      const rows = rowsOf(bench);
      return Array.from({ length: ROWS }, (_, row) => {
        const h = contextOf(bench, row);
        const logits = rows.map((w, id) => dot(h, w) + bench.reader.biases[id]);
        return divergenceFromSoftmax(logits, bench.enumerate(row), S).kl;
      });
    });
    for (const [row, kl] of wide.entries()) {
      expect(Math.abs(narrow[row] - kl), `${JSON.stringify(options)}, row ${row}: ${kl}`).toBeLessThan(
        0.001 + 0.002 * kl,
      );
    }
  }
});

it("comes nearer to the softmax than the unigram law does, on Gaussian rows with Zipf biases", () => {
  const [classes, width] = [2000, 24];
  const zipf = Float32Array.from({ length: classes }, (_, id) => -Math.log(id + 2));
  const mass = total([...zipf].map(Math.exp));
  const unigram = zipf.map((value) => value - Math.log(mass));
  const cases: Options[] = [
    { name: "quadratic-kernel" },
    { name: "quadratic-kernel", blockLaw: "kernel", alpha: 1, projection: width },
    { name: "random-features" },
    { name: "random-features", kind: "trigonometric", sharpness: 0.5 },
  ];
  for (const options of cases) {
    const bench = benchOf(options, { scale: 1 }, FASTEST, [classes, width]);
    bench.reader.biases.set(zipf);
    bench.sampler.build(bench.reader);
    bench.draw(0, ROWS);
    const rows = rowsOf(bench);
    for (const row of [0, 2, 3, 4]) {
      const h = contextOf(bench, row);
      const logits = rows.map((w, id) => dot(h, w) + zipf[id]);
      const ours = divergenceFromSoftmax(logits, bench.enumerate(row), S);
      const theirs = divergenceFromSoftmax(logits, unigram, 1);
      expect(ours.kl, `${JSON.stringify(options)}, row ${row}`).toBeLessThan(theirs.kl);
    }
  }
});

it("writes nothing outside the bytes that were planned", () => {
  const cases: Options[] = [
    { name: "quadratic-kernel", ...small },
    { name: "quadratic-kernel", blockLaw: "kernel", projection: 3, ...small },
    { name: "random-features", features: 10, projection: 5, ...small },
    { name: "random-features", kind: "trigonometric", features: 6, ...small },
    { name: "quadratic-kernel", tableType: "bfloat16", projection: 3, ...small },
    { name: "random-features", features: 10, projection: 5, tableType: "bfloat16", ...small },
  ];
  for (const backend of CONTEXTUAL_BACKENDS) {
    for (const options of cases) {
      const { tableBytes, scratchBytes } = planKernelTree(options, n, D);
      const bench = benchOf(options, {}, backend);
      const end = 64 + tableBytes + 2 * scratchBytes;
      const before = bench.memory.u8.slice();
      bench.sampler.build(bench.reader);
      for (let step = 0; step < 4; step++) bench.refresh(step);
      expect(bench.memory.u8.subarray(0, 64)).toEqual(before.subarray(0, 64));
      expect(bench.memory.u8.subarray(end)).toEqual(before.subarray(end));
      // One thread draws: the scratch of the other stays as it is.
      const other = 64 + tableBytes + scratchBytes;
      const idle = bench.memory.u8.slice(other, other + scratchBytes);
      bench.draw(0, 64);
      expect(bench.memory.u8.subarray(other, other + scratchBytes)).toEqual(idle);
    }
  }
});
