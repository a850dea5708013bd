import { writeFile } from "node:fs/promises";
import path from "node:path";
import { withTemporaryFolder } from "@logq/micro-benchmarks";
import { Printed } from "@logq/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { METRICS, multilabelPage, within } from "../src/multilabel/page.js";
import type { MultilabelResults } from "../src/multilabel/results.js";
import { parseMultilabel } from "../src/multilabel/settings.js";
import { fullStops, multilabel, sampledStops } from "../src/multilabel/study.js";
import type { Point, TrainingRun } from "../src/shared/results.js";
import { runStudy } from "../src/shared/study.js";

const at = (step: number, seconds: number): Point => ({ step, seconds, metrics: {} });

describe("measurements", () => {
  it("of the full training are after each epoch", () => {
    const next = fullStops({ epochs: 2 });
    expect([at(0, 0), at(10, 5), at(20, 9)].map((last) => next(last, 10))).toEqual([10, 20, undefined]);
  });

  it("of sampled ones go on by as many epochs until the time of the full one is over, or enough are done", () => {
    const next = sampledStops({ epochs: 2, longer: 3 }, 100);
    const lasts = [at(0, 0), at(10, 200), at(20, 4), at(40, 8), at(60, 12), at(40, 100)];
    expect(lasts.map((last) => next(last, 10))).toEqual([10, 20, 40, 60, undefined, undefined]);
  });

  it("within a time are the last that took no longer", () => {
    const run = { points: [at(0, 0), at(1, 2), at(2, 4)] } as unknown as TrainingRun;
    expect([0, 3.9, 4, 9].map((seconds) => within(run, seconds).step)).toEqual([0, 1, 2, 2]);
  });
});

describe("the command line of multilabel", () => {
  it("means Amazon-670K's numbers of labels and features, and both sampled forms", () => {
    expect(parseMultilabel([], new Printed().output)).toMatchObject({
      settings: {
        ...{ labels: 670_091, features: 135_909, labelsPerRow: 5 },
        losses: ["sampled-one-vs-all", "sampled-logistic"],
      },
    });
  });

  it.each([
    ["--losses nce"],
    ["--labels 0"],
    ["--exponent 5"],
    ["--longer 0"],
    ["--schedule linear"],
    ["--sampler none"],
    ["--distortion -1"],
  ])("refuses %s in one line, and ends with 2", async (line) => {
    const printed = new Printed();
    expect(await runStudy(multilabel, ["--quick", ...line.split(" ")], printed.output)).toBe(2);
    expect(printed.err).toMatch(/^.+\n$/);
  });
});

describe("a quick run", () => {
  const printed = new Printed();
  let results: MultilabelResults;

  beforeAll(async () => {
    const line = ["--quick", "--labels", "300", "--features", "400", "--epochs", "4", "--workers", "1", "--json"];
    expect(await runStudy(multilabel, line, printed.output)).toBe(0);
    results = JSON.parse(printed.out);
  }, 60_000);

  it("measures full and sampled trainings after the same epochs, from the same model", () => {
    const { full, sampled } = results;
    expect([full, ...sampled].map(({ loss }) => loss)).toEqual([
      "one-vs-all",
      "sampled-one-vs-all",
      "sampled-logistic",
    ]);
    for (const run of sampled) {
      expect(run.points.slice(0, 5).map(({ step }) => step)).toEqual(full.points.map(({ step }) => step));
      expect(run.points[0]).toEqual(full.points[0]);
    }
  });

  it("learns with each: more right labels in the first place than before, by at least 10 rows in 100", () => {
    for (const { points } of [results.full, ...results.sampled]) {
      const first = points[0]!.metrics["precision@1"]!;
      expect(points[4]!.metrics["precision@1"]).toBeGreaterThan(first + 0.1);
    }
  });

  it("has propensity-scored precisions from 0 to 1", () => {
    for (const { points } of [results.full, ...results.sampled]) {
      for (const { metrics } of points) {
        expect(Object.keys(metrics)).toEqual([...METRICS]);
        for (const value of Object.values(metrics)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }
    }
  });

  it("shows a row a training after the same epochs and after the same time, and every measurement", async () => {
    await withTemporaryFolder(async (folder) => {
      const file = path.join(folder, "results.json");
      await writeFile(file, printed.out);
      const again = new Printed();
      expect(await runStudy(multilabel, ["--from", file], again.output)).toBe(0);
      expect(again.out).toBe(`${multilabelPage(results)}\n`);
      const points = [results.full, ...results.sampled].flatMap((run) => run.points);
      expect(again.out.match(/^\| (sampled-)?(one-vs-all|logistic) \|/gm)).toHaveLength(3 + 3 + points.length);
    });
  });

  it("refuses results of something else, and files that are none", async () => {
    await withTemporaryFolder(async (folder) => {
      const file = path.join(folder, "results.json");
      for (const text of ['{"study":"curves","format":1}', "[", "7"]) {
        await writeFile(file, text);
        expect(await runStudy(multilabel, ["--from", file], new Printed().output)).toBe(1);
      }
      expect(await runStudy(multilabel, ["--from", `${file}.no`], new Printed().output)).toBe(1);
    });
  });
});
