import { crossSparsely, expectAllClose, SMALL_AWKWARD_SIZES, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { BACKENDS, type Backend } from "./support/backends.js";
import { onBench } from "./support/bench.js";
import { columnOf } from "./support/tiles.js";

interface Entry {
  value: number;
  id: number;
}

/** What a list of k should hold: a full sort by value, then by id, without −∞, filled up with fresh places. */
function best(entries: Entry[], k: number): Entry[] {
  const sorted = entries.filter(({ value }) => value > -Infinity).sort((a, b) => b.value - a.value || a.id - b.id);
  return Array.from({ length: k }, (_, i) => sorted[i] ?? { value: -Infinity, id: -1 });
}

interface Tile {
  z: ArrayLike<number>;
  C: number;
  R: number;
  firstId: number;
  idStep: number;
  padding?: number;
  scale?: number;
  add?: ArrayLike<number>;
}

interface Lists {
  values: Float64Array;
  ids: Float64Array;
}

/** Fresh lists of k, offered the tiles one after the other; with floors, if there are any, which are answered as they end. */
function topK(
  backend: Backend,
  k: number,
  R: number,
  tiles: Tile[],
  floors?: ArrayLike<number>,
): Lists & { floors?: Float64Array } {
  return onBench(backend, (bench) => {
    const floor = floors === undefined ? undefined : bench.vector(floors);
    const values = bench.output(R, k);
    const ids = bench.ints(new Int32Array(R * k));
    bench.kernels.tile.clearTopK(values.address, ids.address, k, R);
    for (const { z, C, firstId, idStep, padding, scale = 1, add } of tiles) {
      const tile = bench.matrix(z, C, R, padding);
      const addAt = add === undefined ? 0 : bench.vector(add).address;
      bench.kernels.tile.topK(
        values.address,
        ids.address,
        k,
        tile.address,
        tile.ld,
        C,
        R,
        scale,
        addAt,
        floor?.address ?? 0,
        firstId,
        idStep,
      );
      expectAllClose(tile.read(), z, { name: "the tile stays" });
    }
    return { values: values.read(), ids: ids.read(), ...(floor && { floors: floor.read() }) };
  });
}

function entriesOf(tiles: Tile[], r: number): Entry[] {
  return tiles.flatMap(({ z, C, R, firstId, idStep }) =>
    Array.from(columnOf(z, C, R, r), (value, c) => ({ value, id: firstId + c * idStep })),
  );
}

function expectLists({ values, ids }: Lists, truth: Entry[][], k: number): void {
  for (const [r, entries] of truth.entries()) {
    expect(Array.from(values.subarray(r * k, (r + 1) * k))).toEqual(entries.map(({ value }) => value));
    expect(Array.from(ids.subarray(r * k, (r + 1) * k))).toEqual(entries.map(({ id }) => id));
  }
}

/** Few distinct values, so that ties abound; some −∞. */
function duplicates(random: TestRandom, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => (random.integer(10) === 0 ? -Infinity : random.integer(6) - 3));
}

describe.each(BACKENDS)("topK: $name", (backend) => {
  const cases = crossSparsely(
    {
      C: [1, 2, 3, 8, 17, 100, 300],
      R: [...SMALL_AWKWARD_SIZES, 33],
      k: [1, 2, 5, 10, 20],
      idStep: [1, 16],
      tied: [false, true],
      padding: [0, 1],
    },
    4,
  );

  it("scales and adds before it compares", () => {
    const [C, R, k] = [13, 6, 3];
    const random = new TestRandom(5);
    const z = random.normalFloats(C * R);
    const add = random.normalFloats(C, 4);
    const lists = topK(backend, k, R, [{ z, C, R, firstId: 7, idStep: 2, scale: 0.5, add }]);
    for (let r = 0; r < R; r++) {
      const entries = Array.from(columnOf(z, C, R, r), (value, c) => ({ value: 0.5 * value + add[c]!, id: 7 + 2 * c }));
      const truth = best(entries, k);
      expect(Array.from(lists.ids.subarray(r * k, (r + 1) * k))).toEqual(truth.map(({ id }) => id));
      expectAllClose(
        lists.values.subarray(r * k, (r + 1) * k),
        truth.map(({ value }) => value),
        { relative: 3e-7, absolute: 1e-6 },
      );
    }
  });

  it("a floor keeps out what is below it, not what equals it, and rises to the worst of a full list", () => {
    const z = [1, 5, 3, 2, 5, 9, 3, 4, 0];
    const { values, ids, floors } = topK(backend, 2, 3, [{ z, C: 3, R: 3, firstId: 0, idStep: 1 }], [3, 5, 10]);
    expect(Array.from(values)).toEqual([3, -Infinity, 5, 5, -Infinity, -Infinity]);
    expect(Array.from(ids)).toEqual([2, -1, 0, 1, -1, -1]);
    expect(Array.from(floors!)).toEqual([3, 5, 10]);
    const full = topK(backend, 2, 3, [{ z, C: 3, R: 3, firstId: 0, idStep: 1 }], [-Infinity, -Infinity, 2]);
    expect(Array.from(full.floors!)).toEqual([2, 5, 3]);
  });

  it("lanes that share a floor merge to what they merge to without one", () => {
    const [C, R, k, lanes] = [90, 7, 5, 4];
    const random = new TestRandom(6);
    const all = Array.from({ length: lanes }, () => duplicates(random, C * R));
    const merged = (shared: boolean) =>
      onBench(backend, (bench) => {
        const { tile } = bench.kernels;
        const floor = bench.vector(new Array(R).fill(-Infinity));
        const lists = all.map((z, lane) => {
          const [values, ids] = [bench.output(R, k), bench.ints(new Int32Array(R * k))];
          tile.clearTopK(values.address, ids.address, k, R);
          const at = bench.matrix(z, C, R);
          const floorAt = shared ? floor.address : 0;
          tile.topK(values.address, ids.address, k, at.address, at.ld, C, R, 1, 0, floorAt, lane, lanes);
          return [values, ids] as const;
        });
        const [into, ids] = lists[0]!;
        for (const [values, otherIds] of lists.slice(1)) {
          tile.mergeTopK(into.address, ids.address, values.address, otherIds.address, k, R);
        }
        return [Array.from(into.read()), Array.from(ids.read())];
      });
    expect(merged(true)).toEqual(merged(false));
  });

  it(`equals a full sort, ties to the lower id, whatever the order of the tiles (${cases.length} shapes)`, () => {
    for (const { C, R, k, idStep, tied, padding } of cases) {
      const random = new TestRandom(C * 1000 + R * 10 + k);
      const draw = () => (tied ? duplicates(random, C * R) : random.normalFloats(C * R));
      const tiles = [0, 1, 2].map((t) => ({ z: draw(), C, R, firstId: 3 + t * C * idStep, idStep, padding }));
      const truth = Array.from({ length: R }, (_, r) => best(entriesOf(tiles, r), k));
      expectLists(topK(backend, k, R, tiles), truth, k);
      expectLists(topK(backend, k, R, [tiles[2]!, tiles[0]!, tiles[1]!]), truth, k);
    }
  });

  it("never takes −∞: fewer than k candidates leave −∞ and −1 at the end", () => {
    const z = [-Infinity, 1, -Infinity, -Infinity, 2, -Infinity];
    const { values, ids } = topK(backend, 3, 2, [{ z, C: 3, R: 2, firstId: 7, idStep: 1 }]);
    expect([...values]).toEqual([2, -Infinity, -Infinity, 1, -Infinity, -Infinity]);
    expect([...ids]).toEqual([9, -1, -1, 7, -1, -1]);
  });

  it("takes the largest and the smallest finite float32, +∞ before all", () => {
    const z = Float32Array.from([-3.4028234663852886e38, 3.4028234663852886e38, Infinity, 0]);
    const { ids } = topK(backend, 4, 1, [{ z, C: 4, R: 1, firstId: 0, idStep: 1 }]);
    expect([...ids]).toEqual([2, 1, 3, 0]);
  });
});

describe.each(BACKENDS)("mergeTopK: $name", (backend) => {
  it("merging lists of parts equals the list of the whole, ties included, from either side", () => {
    for (const { R, k, C } of crossSparsely({ R: SMALL_AWKWARD_SIZES, k: [1, 2, 5, 16], C: [1, 3, 40] }, 2)) {
      const random = new TestRandom(R * 100 + k);
      const tiles = [0, 1].map((t) => ({ z: duplicates(random, C * R), C, R, firstId: t, idStep: 2 }));
      const parts = tiles.map((tile) => topK(backend, k, R, [tile]));
      const truth = Array.from({ length: R }, (_, r) => best(entriesOf(tiles, r), k));
      for (const [into, from] of [
        [parts[0]!, parts[1]!],
        [parts[1]!, parts[0]!],
      ] as const) {
        const merged = onBench(backend, (bench) => {
          const values = bench.matrix(into.values, R, k);
          const ids = bench.ints(into.ids);
          const otherValues = bench.matrix(from.values, R, k);
          const otherIds = bench.ints(from.ids);
          const { tile } = bench.kernels;
          tile.mergeTopK(values.address, ids.address, otherValues.address, otherIds.address, k, R);
          expectAllClose(otherValues.read(), from.values, { name: "the other lists stay" });
          return { values: values.read(), ids: ids.read() };
        });
        expectLists(merged, truth, k);
      }
    }
  });
});
