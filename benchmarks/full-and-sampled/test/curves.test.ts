import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CurvePoint } from "@logq/micro-benchmarks";
import { Printed } from "@logq/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { levelTimes } from "../src/curves/levels.js";
import type { CurvesResults } from "../src/curves/results.js";
import { parseCurves } from "../src/curves/settings.js";
import { curves } from "../src/curves/study.js";
import { someTitles } from "../src/curves/titles.js";
import { runStudy } from "../src/shared/study.js";
import { withTitles } from "./small.js";

const curve = (...values: readonly (readonly [number, number])[]): CurvePoint[] =>
  values.map(([seconds, value], step) => ({ step, seconds, value }));

/** Within 1e-12. */
const near = (level: number, full: number, sampled: number) => ({
  level,
  full: expect.closeTo(full, 12),
  sampled: expect.closeTo(sampled, 12),
  ratio: expect.closeTo(full / sampled, 11),
});

describe("titles to train on", () => {
  // Lengths 1, 2, 3, 4, … with their ends, 0.
  const tokens = Int32Array.from(Array.from({ length: 60 }, (_, i) => [...Array(1 + (i % 5)).fill(i + 1), 0]).flat());

  it.each([1, 17, 60, 120, 239])("are whole, as they stand, and at least %i words, but no title more", (rows) => {
    const some = someTitles(tokens, 0, rows);
    expect(some.length).toBeGreaterThanOrEqual(rows);
    expect(some.length).toBeLessThan(rows + 6);
    const whole = tokens
      .join(",")
      .split(",0")
      .map((title) => title.replace(/^,/, ""));
    for (const title of some.join(",").split(",0")) expect(whole).toContain(title.replace(/^,/, ""));
  });

  it("are spread evenly: half of them have half of each half's words", () => {
    const some = someTitles(tokens, 0, tokens.length / 2);
    const early = some.filter((token) => token > 0 && token <= 30).length;
    expect(Math.abs(early / some.filter((token) => token > 0).length - 0.5)).toBeLessThan(0.06);
  });

  it("are all where so many are asked for", () => {
    expect(someTitles(tokens, 0, tokens.length)).toBe(tokens);
  });
});

describe("the time to a level", () => {
  it("is compared at every level that the full curve reaches in its first epoch, and at the lowest that both do", () => {
    const full = curve([0, 8], [10, 7], [20, 6.1], [30, 5]);
    const sampled = curve([0, 8], [1, 6.8], [2, 6.4], [3, 6.25]);
    expect(levelTimes(full, sampled, 2, 0.5)).toEqual([
      near(7.5, 5, 0.5 / 1.2),
      near(7, 10, 1 / 1.2),
      near(6.5, 10 + 50 / 9, 1.75),
      near(6.25, 10 + 75 / 9, 3),
    ]);
  });

  it("is nothing where sampling never gets", () => {
    const [only] = levelTimes(curve([0, 8], [10, 7]), curve([0, 8], [1, 8.2]), 1, 0.9);
    expect(only).toMatchObject({ level: 7.2, sampled: null, ratio: null });
  });
});

describe("the command line of curves", () => {
  it("means the shapes of the peers' training, and smaller ones with --quick", () => {
    const usual = parseCurves([], new Printed().output);
    expect(usual).toMatchObject({
      settings: { rows: 1_600_000, dim: 128, batch: 1024, negatives: 2048, sampler: "unigram", epochs: 1 },
      places: { out: undefined, page: undefined, from: undefined, json: false },
    });
    const quick = parseCurves(["--quick", "--rows", "123"], new Printed().output);
    expect(quick).toMatchObject({ settings: { rows: 123, dim: 16, batch: 256, logitBytes: null } });
  });

  it.each([
    ["--nonsense"],
    ["more"],
    ["--rows 0"],
    ["--growth 1"],
    ["--level 0"],
    ["--epochs x"],
    ["--products float16"],
    ["--schedule falling"],
  ])("refuses %s in one line, and ends with 2", async (line) => {
    const printed = new Printed();
    expect(await runStudy(curves, line.split(" "), printed.output)).toBe(2);
    expect(printed.out).toBe("");
    expect(printed.err).toMatch(/^.+\n$/);
  });

  it("ends with 0 after help", async () => {
    const printed = new Printed();
    expect(await runStudy(curves, ["--help"], printed.output)).toBe(0);
    expect(printed.out).toContain("--growth");
  });
});

describe("a quick run on small titles", () => {
  let results: CurvesResults;
  let page: string;
  let chart: string;
  const shown = new Printed();

  beforeAll(async () => {
    await withTitles(async (folder) => {
      const document = path.join(folder, "docs/curves.md");
      await mkdir(path.dirname(document));
      await writeFile(document, "# Curves\n\n## The numbers\n\nold\n");
      const line = ["--quick", "--data", folder, "--workers", "1", "--level", "0.2", "--epochs", "2"];
      const printed = new Printed();
      const kept = [...line, "--json", "--page", document, "--out", path.join(folder, "kept")];
      expect(await runStudy(curves, kept, printed.output)).toBe(0);
      results = JSON.parse(printed.out);
      page = await readFile(document, "utf8");
      chart = await readFile(path.join(folder, "docs/images/curves.svg"), "utf8");
      const file = path.join(folder, "kept", `${results.date.slice(0, 10)}-curves.json`);
      expect(JSON.parse(await readFile(file, "utf8"))).toEqual(results);
      expect(await runStudy(curves, ["--from", file], shown.output)).toBe(0);
      await writeFile(file, JSON.stringify({ ...results, format: 0 }));
      expect(await runStudy(curves, ["--from", file], new Printed().output)).toBe(1);
    });
  }, 60_000);

  it("starts both from the same model, and measures both at the same steps", () => {
    const { full, sampled, examples } = results;
    expect(full.stepsPerEpoch).toBe(Math.ceil(examples / 256));
    expect(sampled.points.map(({ step }) => step)).toEqual(full.points.map(({ step }) => step));
    expect(full.points.at(-1)!.step).toBe(2 * full.stepsPerEpoch);
    expect(sampled.points[0]).toEqual(full.points[0]);
    expect(full.points[0]).toMatchObject({ step: 0, seconds: 0 });
  });

  it("learns with both: at least 0.3 nats", () => {
    const { full, sampled } = results.ending;
    const start = results.full.points[0]!.metrics["cross-entropy"]!;
    expect(full.value).toBeLessThan(start - 0.3);
    expect(sampled.value).toBeLessThan(start - 0.3);
    expect(results.ending.difference).toBeCloseTo(sampled.value / full.value - 1, 12);
    expect(results.levels.length).toBeGreaterThan(0);
  });

  it("puts the numbers into the document and the chart beside it, and shows them again from a file", () => {
    expect(page).toMatch(/^# Curves\n\n## The numbers\n\n.+; Node .+; 1 thread, /);
    expect(page).not.toContain("old");
    expect(page.slice(page.indexOf("numbers\n\n") + 9)).toBe(shown.out);
    expect(page.match(/^\| \d\.\d{3} \|/gm)).toHaveLength(results.levels.length);
    expect(page).toContain("(images/curves.svg)");
    expect(chart).toMatch(/^<\?xml .+<svg .*full softmax/s);
  });
});

describe("without data", () => {
  it("says which folder is expected, and ends with 1", async () => {
    const printed = new Printed();
    expect(await runStudy(curves, ["--data", "/nowhere"], printed.output)).toBe(1);
    expect(printed.err).toContain("reddit-titles/titles.tsv.gz");
  });
});
