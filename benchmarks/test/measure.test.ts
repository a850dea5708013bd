import { expect, test } from "vitest";
import type { Variant } from "../src/measure/group.js";
import { measure } from "../src/measure/measure.js";
import { quantile, summarise } from "../src/measure/statistics.js";

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function variant(name: string, run: () => unknown, more: Partial<Variant> = {}): Variant {
  return { name, work: {}, check() {}, run, ...more };
}

test("rounds are interleaved, every other one in turned order", async () => {
  const calls: string[] = [];
  const one = (name: string) =>
    variant(name, () => {
      if (calls.at(-1) !== name) calls.push(name);
      busy(0.2);
    });
  await measure([one("a"), one("b"), one("c")], { seconds: 0.002, rounds: 3 });
  // The first three are the warm-ups of calibration; a round warms up in its order before it times in it.
  const text = calls.join("");
  expect(text.startsWith("abc")).toBe(true);
  expect(text.endsWith("abcabc")).toBe(true);
  expect(text).toContain("cbacba");
});

test("what is restored is restored before each run, and run once a sample", async () => {
  let ready = false;
  const once = () => {
    expect(ready).toBe(true);
    ready = false;
  };
  const [timing] = await measure([variant("a", once, { before: () => (ready = true) })], { seconds: 0.001, rounds: 2 });
  expect(timing!.samples).toBeGreaterThan(1);
});

test("short work is repeated within a sample, and the time of one execution is told", async () => {
  let runs = 0;
  const start = performance.now();
  const [timing] = await measure([variant("a", () => runs++)], { seconds: 0.002, rounds: 1 });
  const elapsed = performance.now() - start;
  expect(runs).toBeGreaterThan(timing!.samples);
  // Whoever told the time of a sample would be far above.
  expect(timing!.minMs * runs).toBeLessThanOrEqual(elapsed);
});

test("a call that does the work ten times counts as ten executions, promises included", async () => {
  const sleep = () => new Promise((resolve) => setTimeout(resolve, 10));
  const [timing] = await measure([variant("a", sleep, { async: true, perCall: 10 })], { seconds: 0.001, rounds: 2 });
  // Timers are never early by more than a millisecond; how late they are is the machine's affair.
  expect(timing!.minMs).toBeGreaterThan(0.9);
  expect(timing!.roundMediansMs).toHaveLength(2);
});

test("a failure in a run is thrown", async () => {
  const fail = () => {
    throw new Error("broken");
  };
  await expect(measure([variant("a", fail)], { seconds: 0.001, rounds: 1 })).rejects.toThrow("broken");
});

test("quantiles interpolate between neighbours", () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4], 0)).toBe(1);
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

test("samples of all rounds are summed up together, rounds keep their medians", () => {
  const timing = summarise([
    [1, 2, 3],
    [10, 11],
  ]);
  expect(timing).toMatchObject({ medianMs: 3, minMs: 1, samples: 5, roundMediansMs: [2, 10.5] });
  expect(timing.p10Ms).toBeCloseTo(1.4);
  expect(timing.p90Ms).toBeCloseTo(10.6);
});
