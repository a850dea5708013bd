import { describe, expect, it } from "vitest";
import { conclude } from "../src/analysis/conclusion.js";
import { findCrossover } from "../src/analysis/crossover.js";
import type { CellResult } from "../src/measure/types.js";
import type { Results } from "../src/sweep/results.js";
import { resultsOf } from "./fixture.js";

const line = (values: Record<number, number>) =>
  Object.entries(values).map(([classes, value]) => ({ classes: Number(classes), value }));

describe("findCrossover", () => {
  it("finds the meeting point of two power laws exactly (relative error < 1e-12)", () => {
    // n / 1000 and sqrt(n / 10): equal at n = 100,000.
    const full = line({ 1000: 1, 1000000: 1000 });
    const sampled = line({ 1000: 10, 1000000: 10 ** 2.5 });
    const found = findCrossover(full, sampled);
    expect(found).toMatchObject({ kind: "between", below: 1_000, above: 1_000_000 });
    expect(Math.abs((found as { classes: number }).classes / 1e5 - 1)).toBeLessThan(1e-12);
  });

  it("says always, with the smallest size, when sampling is cheaper everywhere", () => {
    expect(findCrossover(line({ 100: 2, 1000: 20 }), line({ 100: 1, 1000: 1 }))).toEqual({
      kind: "always",
      classes: 100,
    });
  });

  it("says never, with the largest size, when sampling is nowhere cheaper; equal is not cheaper", () => {
    const found = findCrossover(line({ 100: 1, 1000: 2 }), line({ 100: 3, 1000: 2 }));
    expect(found).toEqual({ kind: "never", classes: 1000, exceptions: [] });
  });

  it("says never, and names the exception, when sampling loses at the largest size only", () => {
    const found = findCrossover(line({ 100: 2, 1000: 2 }), line({ 100: 1, 1000: 3 }));
    expect(found).toEqual({ kind: "never", classes: 1000, exceptions: [100] });
  });

  it("takes the last crossing of curves that cross three times", () => {
    const full = line({ 10: 1, 100: 3, 1000: 1, 10000: 4 });
    const sampled = line({ 10: 2, 100: 2, 1000: 2, 10000: 2 });
    expect(findCrossover(full, sampled)).toMatchObject({ kind: "between", below: 1000, above: 10000 });
  });

  it("looks only at sizes that both curves have", () => {
    expect(findCrossover(line({ 100: 5, 1000: 9 }), line({ 100: 1 }))).toEqual({ kind: "always", classes: 100 });
    expect(findCrossover(line({ 100: 5 }), line({ 1000: 1 }))).toEqual({ kind: "unknown" });
    expect(findCrossover([], [])).toEqual({ kind: "unknown" });
  });
});

describe("conclude", () => {
  const results = resultsOf();
  const change = (of: (cell: CellResult) => Partial<CellResult>): Results => ({
    ...results,
    cells: results.cells.map((cell) => ({ ...cell, ...of(cell) })),
  });

  it("names the crossover, both sides of it and the factor at the largest size", () => {
    expect(conclude(results).time).toBe(
      "A step of sampled softmax (unigram sampler) is cheaper than a full softmax step from about 1,200 classes on (measured: dearer at 1,000, cheaper at 4,000); at 100,000 classes it takes 1.51 ms instead of 105 ms, 69 times less.",
    );
  });

  it("calls a baseline above half of the GEMM rate good and one below it slow", () => {
    expect(conclude(results).baseline).toContain(
      "78% of this machine's own GEMM rate at 100,000 classes, so the comparison is with",
    );
    const slow = conclude(change((cell) => (cell.loss === "full-softmax" ? { gemmShare: 0.2 } : {})));
    expect(slow.baseline).toContain("20%");
    expect(slow.baseline).toContain("slow baseline");
    expect(conclude(change(() => ({ gemmShare: null }))).baseline).toContain("was not measured");
  });

  it("owns up to a machine that other programs used", () => {
    expect(conclude(results).baseline).not.toContain("Other programs");
    const machine = { ...results.machine, processorShare: 0.5 };
    expect(conclude({ ...results, machine }).baseline).toContain("the threads had the processor for 50% of the time");
  });

  it("compares accuracy at the largest size both losses have, and owns up to larger sizes", () => {
    const { accuracy } = conclude(results);
    expect(accuracy).toContain(
      "After 5 s of training each, at 4,000 classes, sampled softmax is 0.45 and full softmax 0.68 nats above",
    );
    expect(accuracy).toContain("after one pass over the data each, at 4,000 classes");
    expect(accuracy).toContain("At larger class counts the full softmax did not get through the data once");
  });

  it("speaks of cross-entropy itself where the best is unknown", () => {
    const { accuracy } = conclude(change(() => ({ bestCrossEntropy: null })));
    expect(accuracy).toContain("the exact cross-entropy of sampled softmax is");
    expect(accuracy).not.toContain("best reachable");
  });

  it("says that nothing can be said without accuracy or without one of the losses", () => {
    expect(conclude(change(() => ({ crossEntropy: null, crossEntropyAtEqualSteps: null }))).accuracy).toContain(
      "No class count",
    );
    const alone = conclude({ ...results, cells: results.cells.filter((cell) => cell.loss === "full-softmax") });
    expect(alone.crossover).toEqual({ kind: "unknown" });
    expect(alone.time).toContain("no crossover can be named");
  });
});
