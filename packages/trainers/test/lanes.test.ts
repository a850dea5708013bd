import { describe, expect, it } from "vitest";
import { readClassTable, readScalars, startBiases, writeClassTable, writeScalars } from "../dist/table/export.js";
import { classesOfLane, classOfRow, rowOfClass, tableShape } from "../dist/table/lanes.js";
import { engineSpec, withEngine } from "./support/engines.js";

const SIZES = [1, 2, 3, 15, 16, 17, 100, 127, 128, 129, 1003];
const LANES = [1, 2, 4, 16, 64];
const SHAPES = SIZES.flatMap((n) => LANES.map((lanes) => ({ n, lanes })));

describe.each(SHAPES)("$n classes in $lanes lanes", ({ n, lanes }) => {
  const shape = tableShape(n, 5, lanes);
  const rows = Array.from({ length: n }, (_, id) => rowOfClass(shape, id));

  it("each class has a row of its own in the lane id mod L, and the row knows its class", () => {
    expect(new Set(rows).size).toBe(n);
    for (const [id, row] of rows.entries()) {
      expect(classOfRow(shape, row)).toBe(id);
      expect(Math.floor(row / shape.rowsPerLane)).toBe(id % lanes);
    }
  });

  it("lanes are in id order, and only the ends of lanes hold no class", () => {
    let classes = 0;
    for (let lane = 0; lane < lanes; lane++) {
      const own = classesOfLane(shape, lane);
      classes += own;
      for (let i = 0; i < shape.rowsPerLane; i++) {
        const id = classOfRow(shape, lane * shape.rowsPerLane + i);
        expect(id < n).toBe(i < own);
        if (i < own) expect(id).toBe(lane + i * lanes);
      }
    }
    expect(classes).toBe(n);
    expect(shape.rows - n).toBeLessThan(lanes);
  });
});

describe("a table's shape", () => {
  it("has rows of whole 16 bytes", () => {
    expect([1, 3, 4, 5, 64, 65].map((D) => tableShape(10, D).ld)).toEqual([4, 4, 4, 8, 64, 68]);
  });

  it.each([
    [0, 4, 16],
    [10, 0, 16],
    [10, 4, 0],
    [10, 4, 3],
    [10, 4, 2048],
    [2.5, 4, 16],
  ])("of %d classes, width %d, %d lanes is refused with the value", (n, D, lanes) => {
    expect(() => tableShape(n, D, lanes)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
  });
});

describe("tables read and written in id order", () => {
  it("come back as they were, whatever the lanes", async () => {
    await withEngine(engineSpec({ loss: "full-softmax", n: 37, D: 5, lanes: 8 }), {}, async ({ host }) => {
      const rows = Float32Array.from({ length: 37 * 5 }, (_, i) => i + 1);
      const { placed, bias } = host.layout.table;
      const { address } = placed.pieces[0]!;
      writeClassTable(host, rows);
      expect(readClassTable(host)).toEqual(rows);
      // Class 9 of 8 lanes of 5 rows: lane 1, second row.
      expect(host.memory.f32[(address >>> 2) + (1 * 5 + 1) * 8]).toBe(9 * 5 + 1);
      const scalars = Float32Array.from({ length: 37 }, (_, i) => i / 2);
      writeScalars(host, bias, scalars);
      expect(readScalars(host, bias)).toEqual(scalars);
    });
  });

  it("have the first values of their class, not of their place: the same with 1 lane and with 16", async () => {
    const tables = await Promise.all(
      [1, 16].map((lanes) =>
        withEngine(engineSpec({ loss: "full-softmax", n: 37, D: 5, lanes }), {}, async ({ host }) =>
          readClassTable(host),
        ),
      ),
    );
    expect(tables[0]).toEqual(tables[1]);
    expect(Math.max(...tables[0]!.map(Math.abs))).toBeLessThanOrEqual(0.8);
  });

  it("start biases at the log of each class's share, a class without examples as half of one", async () => {
    await withEngine(engineSpec({ loss: "full-softmax", n: 4, lanes: 2, vocabulary: 3 }), {}, async ({ host }) => {
      startBiases(host, [6, 3, 0, 0.5]);
      const biases = readScalars(host, host.layout.table.bias);
      [0.6, 0.3, 0.05, 0.05].forEach((share, id) => {
        expect(biases[id]).toBeCloseTo(Math.log(share), 6);
      });
    });
  });
});
