import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { FileFormatError, MissingFileError } from "@logq/core";
import { prepareText } from "@logq/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSource, describeData, evaluatedExamples, trainingExamples } from "../src/measure/data.js";
import { settingsOf } from "./fixture.js";

let folder: string;
let prepared: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-data-"));
  const text = path.join(folder, "text");
  await writeFile(text, "the cat sat on the mat\nthe dog sat on the cat\n".repeat(50));
  prepared = path.join(folder, "words");
  await prepareText({ train: text, validation: text, output: prepared });
});
afterAll(() => rm(folder, { recursive: true }));

describe("trainingExamples", () => {
  it("grow with the time, up to 300 for each class", () => {
    expect(trainingExamples(100_000, 64, 5)).toBe(400_000);
    expect(trainingExamples(1_000_000, 64, 5)).toBe(400_000);
    expect(trainingExamples(100_000, 64, 30)).toBe(2_400_000);
    expect(trainingExamples(1_000, 64, 5)).toBe(300_000);
    expect(trainingExamples(10, 64, 5)).toBe(4_096);
  });

  it("are fewer where classes are few enough for it, so that the full softmax can pass over them, but at least 16 for each class", () => {
    const examples = trainingExamples(4_000, 64, 5);
    expect(examples).toBeLessThan(200_000);
    expect(examples).toBeGreaterThanOrEqual(16 * 4_000);
  });
});

describe("evaluatedExamples", () => {
  it("fall as classes grow, between 8,192 and 512", () => {
    const counts = [10, 1_000, 20_000, 100_000, 1_000_000].map((n) => evaluatedExamples(n, 64));
    expect(counts).toEqual([8192, 8192, 8192, 2048, 512]);
  });
});

describe("DataSource", () => {
  it("keeps the data of a size for the cells of that size, and knows the best cross-entropy of what is evaluated", async () => {
    const source = new DataSource(settingsOf({ seconds: "0.2" }));
    const first = await source.of(200);
    expect(await source.of(200)).toBe(first);
    expect(first.dataset.classes.size).toBe(200);
    expect(first.bestCrossEntropy).toBeGreaterThan(1);
    expect(first.bestCrossEntropy).toBeLessThan(Math.log(200));
    expect(await source.of(100)).not.toBe(first);
  });

  it("opens a prepared data set, whose best cross-entropy nobody knows, at its own size alone", async () => {
    const settings = settingsOf({ data: prepared });
    const { classes, ...description } = await describeData(settings);
    expect(description.name).toBe("words");
    expect(description.examples).toBeGreaterThan(500);
    const source = new DataSource(settings);
    expect(await source.of(classes!)).toMatchObject({ bestCrossEntropy: null });
    await expect(source.of(3)).rejects.toThrow(`has ${classes} classes, not 3`);
  });

  it("a folder that holds no data set is an error before anything is measured", async () => {
    const error = describeData(settingsOf({ data: folder }));
    await expect(error).rejects.toSatisfy((e) => e instanceof MissingFileError || e instanceof FileFormatError);
  });
});
