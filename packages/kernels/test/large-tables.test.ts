import { expectAllClose, matmul, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { MemoryPlan } from "../src/index.js";
import { FLAVOURS } from "./support/backends.js";

const D = 5;

/** Elements between rows: 4 KiB, so that few rows reach far. Pages that nobody touches cost nothing. */
const LD = 1024;

/** Row numbers on both sides of 2 GiB (row 524,288) and up to the last row of a table of 3.8 GiB. */
const ROWS = 996_000;
const TOUCHED = [0, 1, 262_144, 524_286, 524_287, 524_288, 524_289, 800_001, ROWS - 1];
const COUNT = TOUCHED.length;

describe.each(FLAVOURS)("a table of 3.8 GiB: $name", ({ create, shared }) => {
  const plan = new MemoryPlan();
  const indices = plan.reserve("indices", 4 * COUNT);
  const offsets = plan.reserve("offsets", 4 * 2);
  const table = plan.reserve("table", 4 * LD * ROWS);
  const source = plan.reserve("source", 4 * D * COUNT);
  const out = plan.reserve("out", 4 * D * COUNT);
  const other = plan.reserve("other", 4 * COUNT * COUNT);
  const packed = plan.reserve("packed", 65_536);
  const memory = plan.allocate(shared);
  const { rows, matrix, optimizer } = create(memory);
  const values = new TestRandom(6).normalFloats(COUNT * D);

  function rowAt(j: number): Float32Array {
    return memory.floats(table + 4 * LD * TOUCHED[j]!, D);
  }

  function place(): void {
    memory.ints(indices, COUNT).set(TOUCHED);
    memory.ints(offsets, 2).set([0, COUNT]);
    memory.floats(source, D * COUNT).set(values);
    for (let j = 0; j < COUNT; j++) rowAt(j).fill(0);
  }

  it("stands across 2 GiB, operands beyond it as well", () => {
    expect(table).toBeLessThan(2 ** 31);
    expect(source).toBeGreaterThan(2 ** 31 + 2 ** 30);
  });

  it("rows are scattered to and gathered from where they are", () => {
    place();
    rows.scatterRows(table, LD, indices, source, D, COUNT, D);
    for (let j = 0; j < COUNT; j++) expect([...rowAt(j)]).toEqual([...values.subarray(j * D, (j + 1) * D)]);
    rows.gatherRows(out, D, table, LD, indices, COUNT, D);
    expect([...memory.floats(out, COUNT * D)]).toEqual([...values]);
  });

  it("rows are summed, multiplied pairwise and updated where they are", () => {
    place();
    rows.scatterRows(table, LD, indices, source, D, COUNT, D);
    rows.weightedRowSums(out, D, table, LD, offsets, indices, 0, 1, D, false);
    const ones = new Float32Array(COUNT).fill(1);
    expectAllClose(memory.floats(out, D), matmul(ones, values, 1, COUNT, D), { absolute: 1e-5 });

    rows.pairDots(other, table, LD, indices, source, D, 0, COUNT, D);
    const squares = Array.from({ length: COUNT }, (_, j) => rowAt(j).reduce((sum, x) => sum + x * x, 0));
    expectAllClose(memory.floats(other, COUNT), squares, { relative: 1e-6 });

    const rule = { kind: "sgd", learningRate: 0.5, weightDecay: 0, gradientScale: 1 } as const;
    const unused = { momentum: 0, beta1: 0, beta2: 0, epsilon: 0, correction1: 1, correction2: 1 };
    const block = { table, ldTable: LD, indices, gradient: source, ldGradient: D, count: COUNT, D };
    optimizer.updateRows({ ...rule, ...unused }, { ...block, state: 0, secondState: 0 });
    for (let j = 0; j < COUNT; j++) {
      expectAllClose(
        rowAt(j),
        values.subarray(j * D, (j + 1) * D).map((x) => 0.5 * x),
        { name: `row ${TOUCHED[j]}` },
      );
    }
  });

  it("a product reads rows on both sides of 2 GiB, by rows and by columns", () => {
    place();
    // Two rows that are neighbours across 2 GiB, as the left operand in place.
    const first = table + 4 * LD * TOUCHED[3]!;
    const four = Float32Array.from({ length: 4 * D }, (_, at) => at + 1);
    for (let i = 0; i < 4; i++) memory.floats(first + 4 * LD * i, D).set(four.subarray(i * D, (i + 1) * D));

    matrix.packRight(packed, source, D, D, D);
    matrix.multiply(other, D, first, LD, 1, packed, 4, D, D, false);
    const right = values.subarray(0, D * D);
    expectAllClose(memory.floats(other, 4 * D), matmul(four, right, 4, D, D), { absolute: 1e-4 });

    matrix.packRight(packed, first, LD, 4, D);
    matrix.multiply(other, D, source, 1, COUNT, packed, COUNT, 4, D, false);
    const left = Float32Array.from({ length: COUNT * 4 }, (_, at) => values[(at % 4) * COUNT + Math.floor(at / 4)]!);
    expectAllClose(memory.floats(other, COUNT * D), matmul(left, four, COUNT, 4, D), { absolute: 1e-4 });
  });
});
