import { Printed } from "@logq/testing";
import { OutputLayer } from "@logq/trainers";
import { beforeAll, describe, expect, it } from "vitest";
import { program } from "../src/program.js";
import type { Results, SetResult } from "../src/report/results.js";
import { setTable } from "../src/report/table.js";
import { withData } from "./small.js";

describe("the program on a small text", () => {
  const json = new Printed();
  const table = new Printed();
  let result: SetResult;
  let hasUnit: boolean;

  beforeAll(async () => {
    await withData(async (folder) => {
      const line = ["--data", folder, "--sets", "wikitext-2", "--workers", "1"];
      const [some, one] = [
        ["--steps", "4", "--epsilons", "0.05,0.3", "--json"],
        ["--steps", "1", "--epsilons", "0.3", "--seed", "7", "--no-bfloat16"],
      ];
      expect(await program([...line, ...some], json.output)).toBe(0);
      expect(await program([...line, ...one], table.output)).toBe(0);
      hasUnit = await hasBfloat16Products();
      result = (JSON.parse(json.out) as Results).sets[0]!;
    });
  }, 60_000);

  it("has an exact run first, which has no error", () => {
    expect(result.runs.map(({ epsilon }) => epsilon).slice(0, 3)).toEqual([0, 0.05, 0.3]);
    expect(result.runs[0]).toMatchObject({
      ...{ skippedShare: 0, skippedMass: 0, speed: 1, crossEntropyChange: 0 },
      errors: { hiddenRelative: 0, tableRelative: 0, hiddenLargest: 0, bound: 0 },
    });
    // 40 lines of 25 words, each with its end.
    expect(result.validationExamples).toBe(1040);
  });

  it("finds that filtered runs leave out no more than they may, and err by no more", () => {
    const [exact, ...others] = result.runs;
    const filtered = others.filter(({ epsilon }) => epsilon > 0);
    for (const { epsilon, skippedShare, skippedMass, crossEntropy, crossEntropyChange, errors } of filtered) {
      expect(skippedShare).toBeGreaterThan(0);
      expect(skippedShare).toBeLessThan(1);
      expect(skippedMass).toBeGreaterThan(0);
      expect(skippedMass).toBeLessThanOrEqual(epsilon * (1 + 1e-5));
      expect(errors.hiddenLargest).toBeGreaterThan(0);
      expect(errors.hiddenLargest).toBeLessThanOrEqual(errors.bound! * (1 + 1e-5));
      expect(errors.hiddenRelative).toBeGreaterThan(0);
      expect(errors.tableRelative).toBeGreaterThan(0);
      expect(errors.tableRelative).toBeLessThan(epsilon);
      expect(crossEntropyChange).toBeCloseTo(crossEntropy / exact!.crossEntropy - 1, 12);
      expect(Math.abs(crossEntropyChange)).toBeLessThan(0.05);
    }
    expect(filtered[1]!.skippedShare).toBeGreaterThan(filtered[0]!.skippedShare);
  });

  it("tries products in bfloat16 where the processor has a unit for them: another model, within 1% of the exact cross-entropy", () => {
    const rounded = result.runs.filter(({ products }) => products === "bfloat16");
    expect(rounded.length).toBe(hasUnit ? 1 : 0);
    for (const { epsilon, crossEntropyChange, errors } of rounded) {
      expect(epsilon).toBe(0);
      expect(Math.abs(crossEntropyChange)).toBeLessThan(0.01);
      expect(errors).toMatchObject({ bound: null });
      expect(errors.tableRelative).toBeGreaterThan(1e-5);
      expect(errors.tableRelative).toBeLessThan(0.01);
    }
  });

  it("prints the machine, and a table with a row a run; with --json beside the object", () => {
    expect(table.out).toMatch(/^.+; Node .+; 1 thread, seed 7\.\n\n### WikiText-2\n\n.+, 1 step; .+\n\n\| ε \|/);
    expect(firstCells(table.out)).toEqual(["ε", "---", "exact", "0.3"]);
    expect(table.err).toContain("wikitext-2, 0.3: step 1 of 1");
    expect(json.err).toContain(setTable(result));
    expect(firstCells(json.err).slice(0, 5)).toEqual(["ε", "---", "exact", "0.05", "0.3"]);
  });
});

async function hasBfloat16Products(): Promise<boolean> {
  const options = { classes: 2, dim: 1, batch: 1, loss: "full-softmax", products: "bfloat16" } as const;
  const layer = await OutputLayer.create(options).catch(() => undefined);
  await layer?.close();
  return layer !== undefined;
}

function firstCells(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split(" ")[1]!);
}
