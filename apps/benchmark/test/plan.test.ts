import { describe, expect, it } from "vitest";
import { cellKey } from "../src/sweep/cells.js";
import { TimeLeft } from "../src/sweep/estimate.js";
import { planCells, samplerSize } from "../src/sweep/plan.js";
import { settingsOf } from "./fixture.js";

describe("planCells", () => {
  it("quick: four losses at four sizes, and all samplers at one: 22 cells, up to 100,000 classes, no cell twice", () => {
    const plan = planCells(settingsOf());
    expect(plan).toHaveLength(22);
    expect(new Set(plan.map(cellKey)).size).toBe(22);
    expect(Math.max(...plan.map((cell) => cell.classes))).toBe(100_000);
    for (const classes of [1_000, 4_000, 20_000, 100_000]) {
      expect(new Set(plan.filter((cell) => cell.classes === classes).map((cell) => cell.loss)).size).toBe(4);
    }
    const compared = plan.filter((cell) => cell.loss === "nce" && cell.classes === 20_000);
    expect(compared.map((cell) => cell.sampler)).toEqual(["uniform", "log-uniform", "unigram"]);
  });

  it("class counts ascend", () => {
    const sizes = planCells(settingsOf({ classes: "300,100,200" })).map((cell) => cell.classes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });

  it("full product of named samplers, negatives and workers; the full softmax only once per size and workers", () => {
    const settings = settingsOf({
      classes: "100,200",
      losses: "full-softmax,nce",
      samplers: "unigram,uniform",
      negatives: "8,16,32",
      workers: "1,2",
    });
    const plan = planCells(settings);
    expect(plan).toHaveLength(2 * 2 * (1 + 2 * 3));
    for (const cell of plan.filter((one) => one.loss === "full-softmax")) {
      expect(cell).toMatchObject({ sampler: null, negatives: null });
    }
  });

  it("samplers are compared at the largest size up to 20,000, else at the smallest", () => {
    expect(samplerSize([1_000, 20_000, 30_000])).toBe(20_000);
    expect(samplerSize([50_000, 60_000])).toBe(50_000);
    expect(samplerSize([])).toBeNull();
  });
});

describe("TimeLeft", () => {
  const cell = (classes: number) => planCells(settingsOf({ classes: String(classes), losses: "full-softmax" }))[0]!;

  it("starts from the training time, then learns the overhead of each size, or of the nearest", () => {
    const left = new TimeLeft(10);
    expect(left.of([cell(100), cell(100)])).toBe(25);
    left.learn(cell(100), 11);
    left.learn(cell(100), 13);
    left.learn(cell(100_000), 20);
    expect(left.of([cell(100)])).toBe(12);
    expect(left.of([cell(200), cell(50_000)])).toBe(12 + 20);
  });
});
