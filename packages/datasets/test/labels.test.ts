import { join } from "node:path";
import { EmptyInputError, FileFormatError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { type LabelsDataset, type LabelsOptions, openDataset, prepareLabels, type SplitName } from "../src/index.js";
import { fileOf, rejection, temporaryDirectory } from "./files.js";

const directory = await temporaryDirectory();
let outputs = 0;

async function prepared(options: Omit<LabelsOptions, "output">) {
  const output = join(directory, `labels ${outputs++}`);
  const summary = await prepareLabels({ output, ...options });
  return { summary, dataset: (await openDataset(output)) as LabelsDataset };
}

/** Rows as "label,label feature:value feature:value". */
function rows({ splits, classes, features }: LabelsDataset, part: SplitName = "train"): string[] {
  const split = splits[part];
  if (!split) throw new Error(`no ${part}`);
  return Array.from({ length: split.labelOffsets.length - 1 }, (_, row) => {
    const labels = split.labels.subarray(split.labelOffsets[row], split.labelOffsets[row + 1]);
    const words: string[] = [];
    for (let i = split.featureOffsets[row]; i < split.featureOffsets[row + 1]; i++) {
      words.push(`${features.name(split.features[i])}:${split.values[i]}`);
    }
    return `${Array.from(labels, (id) => classes.name(id)).join(",")} ${words.join(" ")}`;
  });
}

const XMLC = "4 6 5\n3,1 0:1 5:0.5\n 2:-1.5e0\n1 1:.25 \n3 \n";

describe("prepareLabels from xmlc", () => {
  it("reads rows without labels or features; labels sorted by count, feature ids as they are", async () => {
    const { dataset } = await prepared({ format: "xmlc", train: await fileOf(directory, "x.txt", XMLC) });
    expect(rows(dataset)).toEqual(["3,1 0:1 5:0.5", " 2:-1.5", "1 1:0.25", "3 "]);
    expect(Array.from({ length: 5 }, (_, id) => dataset.classes.name(id))).toEqual(["1", "3", "0", "2", "4"]);
    expect([...dataset.classes.counts]).toEqual([2, 2, 0, 0, 0]);
    expect(dataset.features.size).toBe(6);
    expect(dataset.features.id("5")).toBe(5);
    expect([...(dataset.splits.train?.features ?? [])]).toEqual([0, 5, 2, 1]);
    expect(dataset.splits.train?.values.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("leaves out labels below minCount, and rows that lose all of theirs, in every part", async () => {
    const train = await fileOf(directory, "m.txt", "4 3 4\n0,1 0:1\n2 1:1\n0 2:1\n 0:2\n");
    const test = await fileOf(directory, "m-test.txt", "3 3 4\n3 0:1 1:1\n2,0,3 1:1\n 2:1\n");
    const { dataset, summary } = await prepared({ format: "xmlc", train, test, minCount: 2 });
    expect(rows(dataset)).toEqual(["0 0:1", "0 2:1", " 0:2"]);
    expect(rows(dataset, "test")).toEqual(["0 1:1", " 2:1"]);
    expect(summary.leftOut).toEqual({ rows: 2, labels: 5, features: 0 });
  });

  it("reads numbers as JavaScript does", async () => {
    const values = ["0", "-0.5", "+3", "1e-7", "12345678.9", "0.1234567890123456789", "1E3", "3.", "0.000001"];
    const train = await fileOf(directory, "n.txt", `1 9 1\n0 ${values.map((value, i) => `${i}:${value}`).join(" ")}\n`);
    const { dataset } = await prepared({ format: "xmlc", train });
    expect([...(dataset.splits.train?.values ?? [])]).toEqual(values.map((value) => Math.fround(Number(value))));
  });

  it("deals rows by ratio", async () => {
    const body = Array.from({ length: 5000 }, (_, i) => `${i % 3} 0:${i}`).join("\n");
    const train = await fileOf(directory, "ratio.txt", `5000 1 3\n${body}\n`);
    const { dataset } = await prepared({ format: "xmlc", train, validationRatio: 0.2 });
    const all = [...rows(dataset), ...rows(dataset, "validation")];
    expect(new Set(all).size).toBe(5000);
    expect(Math.abs(rows(dataset, "validation").length - 1000)).toBeLessThan(5 * Math.sqrt(5000 * 0.2 * 0.8));
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["no head line", "0 1:1\n", { line: 1, content: "0 1:1" }],
    ["more labels than ids", "1 1 3000000000\n0 0:1\n", { line: 1 }],
    ["too few rows", "2 1 1\n0 0:1\n", { rows: 1, expected: 2 }],
    ["too many rows", "1 1 1\n0 0:1\n0 0:1\n", { line: 3 }],
    ["an unknown label", "1 1 1\n1 0:1\n", { line: 2 }],
    ["a label that is none", "1 1 1\nx 0:1\n", { line: 2 }],
    ["an unknown feature", "1 1 1\n0 1:1\n", { line: 2 }],
    ["a feature without a value", "1 1 1\n0 0\n", { line: 2 }],
    ["an empty value", "1 1 1\n0 0:\n", { line: 2 }],
    ["a value that is none", "1 1 1\n0 0:1.2.3\n", { line: 2 }],
    ["a value beyond float32", "1 1 1\n0 0:1e39\n", { line: 2 }],
    ["a negative id", "1 1 1\n-0 0:1\n", { line: 2 }],
  ])("refuses %s with a FileFormatError that says where", async (name, content, values) => {
    const train = await fileOf(directory, `bad ${name}.txt`, content);
    const error = await rejection(prepareLabels({ output: join(directory, "never"), format: "xmlc", train }));
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error.values).toMatchObject({ file: train, ...values });
  });

  it("refuses files that disagree on the numbers of labels and features", async () => {
    const train = await fileOf(directory, "d1.txt", "1 2 2\n0 0:1\n");
    const test = await fileOf(directory, "d2.txt", "1 3 2\n0 0:1\n");
    const error = await rejection(prepareLabels({ output: join(directory, "never"), format: "xmlc", train, test }));
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error.values).toMatchObject({ file: test, features: 3, expectedFeatures: 2 });
  });
});

describe("prepareLabels from tsv", () => {
  const TSV = "x\tred\tThe the cat\nx\tblue\tcat dog\nx\tred\tdog THE\nx\t\tno label\nx\tgreen\tbird\n";

  it("makes bags of words with their counts, words and labels sorted by count", async () => {
    const train = await fileOf(directory, "t.tsv", TSV);
    const { dataset, summary } = await prepared({
      format: "tsv",
      train,
      textColumn: 2,
      labelColumn: 1,
      lowerCase: true,
    });
    expect(rows(dataset)).toEqual(["red the:2 cat:1", "blue cat:1 dog:1", "red dog:1 the:1", "green bird:1"]);
    expect([0, 1, 2].map((id) => dataset.classes.name(id))).toEqual(["red", "blue", "green"]);
    expect([0, 1, 2, 3].map((id) => dataset.features.name(id))).toEqual(["the", "cat", "dog", "bird"]);
    expect(summary.leftOut).toEqual({ rows: 1, labels: 0, features: 0 });
  });

  it("leaves out rare labels with their rows, and rare words", async () => {
    const train = await fileOf(directory, "t2.tsv", TSV);
    const test = await fileOf(directory, "t2-test.tsv", "x\tred\tunseen dog\nx\tpink\tdog\n");
    const { dataset, summary } = await prepared({
      format: "tsv",
      train,
      test,
      textColumn: 2,
      labelColumn: 1,
      minCount: 2,
      minFeatureCount: 2,
    });
    expect(rows(dataset)).toEqual(["red cat:1", "red dog:1"]);
    expect(rows(dataset, "test")).toEqual(["red dog:1"]);
    expect(summary.leftOut).toEqual({ rows: 4, labels: 3, features: 4 });
  });

  it("refuses a line without the columns, and input without labels", async () => {
    const options = { output: join(directory, "never"), format: "tsv", textColumn: 1, labelColumn: 0 } as const;
    const short = await fileOf(directory, "short.tsv", "a\tb\nonly\n");
    expect((await rejection(prepareLabels({ ...options, train: short }))).values).toMatchObject({ line: 2 });
    const none = await fileOf(directory, "none.tsv", "\tb\n");
    expect(await rejection(prepareLabels({ ...options, train: none }))).toBeInstanceOf(EmptyInputError);
  });

  it.each<[string, Partial<LabelsOptions>, string]>([
    ["no label column", { format: "tsv", textColumn: 1 }, "labelColumn is missing"],
    ["one column for both", { format: "tsv", textColumn: 1, labelColumn: 1 }, "both 1"],
    ["words in xmlc", { format: "xmlc", minFeatureCount: 2 }, "minFeatureCount is 2, but only the format tsv"],
  ])("refuses options: %s", async (_, wrong, message) => {
    const error = await rejection(prepareLabels({ output: "unused", train: "unused", ...wrong } as LabelsOptions));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(message);
  });
});
