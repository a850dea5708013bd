import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { compileKernels, instantiateKernels, KernelMemory } from "../dist/index.js";
import { BACKENDS } from "./support/backends.js";
import { onBench } from "./support/bench.js";

/** Walks of several blocks and strips at once, held to the reference. */

const BYTES = 8 * 2 ** 20;
const reference = {
  name: "reference",
  kernels: instantiateKernels(await compileKernels("reference", false), KernelMemory.create(BYTES, false)),
  base: 64,
};

type Backend = typeof reference;

/** Strips of every kind: two vectors, one, and a tail, in either instruction set. */
const ROWS = [3, 16, 29, 31, 43, 75];

describe.each(BACKENDS)("softmax in one walk over blocks and strips: $name", (backend) => {
  /** A second tile, whose logits are `rise` above the first's in every third row. */
  function secondTile(on: Backend, C: number, R: number, rise: number, withAdd: boolean) {
    return onBench(on, (bench) => {
      const random = new TestRandom(C + R);
      const values = random.normalFloats(C * R, 3).map((x, at) => x + ((at % R) % 3) * rise);
      const z = bench.matrix(values, C, R, 5);
      const add = withAdd ? bench.vector(random.normalFloats(C)).address : 0;
      const start = bench.vector(random.normalFloats(R));
      const sum = bench.doubles(Float64Array.from({ length: R }, () => random.uniform(1, 2)));
      const total = bench.doubles(Float64Array.from({ length: R }, () => random.normal()));
      const decay = bench.vector(new Float32Array(R));
      const count = Math.ceil(C / 64);
      const blocks = bench.output(count, R, 2);
      const moved = bench.kernels.tile.softmaxExponentials(
        z.address,
        z.ld,
        C,
        R,
        1.25,
        add,
        start.address,
        sum.address,
        decay.address,
        total.address,
        blocks.address,
        blocks.ld,
      );
      return { moved, z, start, sum, total, decay, blocks };
    });
  }

  it("references, decays, sums, totals and blocks are the reference's; relative errors < 2e-5, of e^x with |x| up to 130", () => {
    for (const R of ROWS) {
      for (const [C, rise, withAdd] of [
        [130, 0, false],
        [130, 40, true],
        [64, 40, false],
        [7, 0, true],
      ] as const) {
        const [got, want] = [secondTile(backend, C, R, rise, withAdd), secondTile(reference, C, R, rise, withAdd)];
        const name = JSON.stringify({ C, R, rise });
        expect(got.moved, name).toBe(want.moved);
        if (rise > 0) expect(got.moved, name).toBe(Math.floor((R + 1) / 3) + Math.floor(R / 3));
        for (const key of ["z", "start", "sum", "decay", "total", "blocks"] as const) {
          const [a, b] = [got[key].read(), want[key].read()];
          expectAllClose(a, b, { relative: 2e-5, absolute: key === "total" ? 1e-3 : 1e-36, name: `${key} ${name}` });
        }
      }
    }
  });
});

describe.each(BACKENDS)("sums over rows: $name", (backend) => {
  it("a class's sum does not depend on the classes beside it, to the bit", () => {
    for (const R of [5, 16, 45, 70]) {
      const C = 7;
      const random = new TestRandom(R);
      const [values, w] = [random.normalFloats(C * R), random.normalFloats(R)];
      onBench(backend, (bench) => {
        const z = bench.matrix(values, C, R, 3);
        const weight = bench.vector(w);
        const sums = (weighted: boolean, first: number, count: number) => {
          const out = bench.output(1, count);
          const at = z.address + 4 * z.ld * first;
          bench.kernels.tile.sumOverRows(out.address, at, z.ld, count, R, weighted ? weight.address : 0);
          return [...out.read()];
        };
        for (const weighted of [false, true]) {
          const all = sums(weighted, 0, C);
          expect(Array.from({ length: C }, (_, c) => sums(weighted, c, 1)[0])).toEqual(all);
        }
      });
    }
  });
});

describe.each(BACKENDS)("topK of strips of every kind: $name", (backend) => {
  /** Three tiles of logits with many ties, some of them NaN, into lists that share floors. */
  function listsOf(on: Backend, R: number, C: number, k: number, scale: number, withAdd: boolean, idStep: number) {
    return onBench(on, (bench) => {
      const random = new TestRandom(R * C + k);
      const values = bench.output(R, k);
      const ids = bench.ints(new Int32Array(R * k));
      const floor = bench.vector(Float32Array.from({ length: R }, () => random.integer(3) - 2));
      const { tile } = bench.kernels;
      tile.clearTopK(values.address, ids.address, k, R);
      for (let t = 0; t < 3; t++) {
        const draw = () => (random.integer(40) === 0 ? Number.NaN : random.integer(100) / 8 - 6);
        const z = bench.matrix(Float32Array.from({ length: C * R }, draw), C, R, 1);
        const add = withAdd ? bench.vector(Float32Array.from({ length: C }, () => random.integer(5))).address : 0;
        const firstId = 11 + t * C * idStep;
        tile.topK(values.address, ids.address, k, z.address, z.ld, C, R, scale, add, floor.address, firstId, idStep);
      }
      return [values, ids, floor].map((operand) => [...operand.read()]);
    });
  }

  it("lists and floors are the reference's, ties and NaN among the logits", () => {
    for (const [i, R] of ROWS.entries()) {
      const C = [8, 21, 64, 100, 7, 50][i]!;
      for (const [k, scale, withAdd, idStep] of [
        [1, 1, false, 1],
        [5, 0.5, false, 3],
        [20, 1, true, 2],
        [9, 2, true, 1],
      ] as const) {
        const args = [R, C, k, scale, withAdd, idStep] as const;
        expect(listsOf(backend, ...args), args.join()).toEqual(listsOf(reference, ...args));
      }
    }
  });
});
