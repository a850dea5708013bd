/** The parts that samplers are made of, each alone. */
import { gammaP, kolmogorovTest, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { DistinctSet } from "../src/distinct-set.js";
import { Clocks, exponential } from "../src/samplers/clocks.js";
import { logChance } from "../src/samplers/distinct-draw.js";
import { Earliest } from "../src/samplers/earliest.js";
import { FALSE_ALARM, KEY } from "./contract.js";

describe("Clocks", () => {
  it.each([1, 2, 6, 7, 30, 1000])(
    `let %i arrivals take a Gamma time: Kolmogorov, false alarms ${FALSE_ALARM}`,
    (arrivals) => {
      const clocks = new Clocks();
      const times = Array.from({ length: 5000 }, (_, step) => {
        clocks.address(KEY, step, 0);
        return clocks.elapse(arrivals);
      });
      expect(kolmogorovTest(times, (t) => gammaP(arrivals, t)).pValue).toBeGreaterThan(FALSE_ALARM);
    },
  );

  it("take up where they were: consecutive times are uncorrelated within 5 standard errors", () => {
    const clocks = new Clocks();
    let product = 0;
    for (let step = 0; step < 5000; step++) {
      clocks.address(KEY, step, 0);
      product += (clocks.elapse(1) - 1) * (clocks.elapse(1) - 1);
    }
    expect(Math.abs(product / 5000)).toBeLessThan(5 / Math.sqrt(5000));
  });

  it("give each class a time of its own, whatever was drawn before, up to the last id", () => {
    const clocks = new Clocks();
    clocks.address(KEY, 1, 0);
    const before = [0, 1, 2 ** 31 - 2].map((id) => clocks.ofClass(id));
    clocks.elapse(50);
    expect([0, 1, 2 ** 31 - 2].map((id) => clocks.ofClass(id))).toEqual(before);
    expect(new Set(before).size).toBe(3);
    expect(clocks.uniformOfClass(0)).not.toBe(before[0]);
  });

  it("never ring at 0 or infinity", () => {
    expect(exponential(0)).toBeGreaterThan(0);
    expect(exponential(1 - 2 ** -53)).toBeLessThan(37);
  });
});

describe("logChance", () => {
  it("is log(1 − e^−x) at both ends, relative error below 1e-15", () => {
    expect(Math.abs(logChance(1e-300) / Math.log(1e-300) - 1)).toBeLessThan(1e-15);
    expect(Math.abs(logChance(1e-10) / (Math.log(1e-10) - 0.5e-10) - 1)).toBeLessThan(1e-15);
    expect(Math.abs(logChance(40) / -Math.exp(-40) - 1)).toBeLessThan(1e-15);
    expect(logChance(0)).toBe(-Infinity);
    expect(logChance(Infinity)).toBe(-0);
    expect(Math.abs(logChance(Math.LN2 + 1e-12) - logChance(Math.LN2 - 1e-12))).toBeLessThan(1e-11);
  });
});

describe("Earliest", () => {
  it("keeps what sorting would, ties by id, in any order of arrival", () => {
    const random = new TestRandom(2);
    const earliest = new Earliest();
    for (let round = 0; round < 200; round++) {
      const k = 1 + random.integer(12);
      const pairs = Array.from({ length: random.integer(40) }, (_, id) => ({ time: random.integer(8), id }));
      earliest.reset(k);
      for (const { time, id } of random.shuffle([...pairs])) earliest.offer(time, id);
      earliest.sort();
      const kept = Array.from({ length: earliest.size }, (_, i) => ({ time: earliest.time(i), id: earliest.id(i) }));
      expect(kept).toEqual(pairs.sort((a, b) => a.time - b.time || a.id - b.id).slice(0, k));
    }
  });
});

describe("DistinctSet", () => {
  it("agrees with a Map through growth, reuse and ids that collide", () => {
    const random = new TestRandom(7);
    const set = new DistinctSet();
    for (const entries of [1, 4, 5, 1000, 3, 64, 65]) {
      const oracle = new Map<number, number>();
      set.reset(entries, true);
      while (oracle.size < entries) {
        const id = random.integer(4) === 0 ? random.integer(entries) << 20 : random.integer(2 ** 31 - 1);
        expect(set.has(id)).toBe(oracle.has(id));
        expect(set.get(id, -5)).toBe(oracle.get(id) ?? -5);
        oracle.set(id, oracle.size);
        set.set(id, oracle.get(id)!);
      }
      for (const [id, value] of oracle) expect(set.get(id, -5)).toBe(value);
    }
  });

  it("adds an id once", () => {
    const set = new DistinctSet();
    set.reset(3);
    expect([set.add(0), set.add(7), set.add(0), set.has(7), set.has(1)]).toEqual([true, true, false, true, false]);
    set.reset(3);
    expect(set.has(0)).toBe(false);
  });
});
