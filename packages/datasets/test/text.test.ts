import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { EmptyInputError, FileFormatError, MissingFileError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { openDataset, type Progress, prepareText, type TextDataset, type TextOptions } from "../src/index.js";
import { fileOf, rejection, temporaryDirectory } from "./files.js";

const directory = await temporaryDirectory();
let outputs = 0;

async function prepared(options: Omit<TextOptions, "output">): Promise<TextDataset> {
  const output = join(directory, `text ${outputs++}`);
  await prepareText({ output, ...options });
  return (await openDataset(output)) as TextDataset;
}

function words(dataset: TextDataset, part: "train" | "validation" | "test" = "train"): string {
  return Array.from(dataset.splits[part]?.tokens ?? [], (id) => dataset.classes.name(id)).join(" ");
}

function names(dataset: TextDataset): string[] {
  return Array.from({ length: dataset.classes.size }, (_, id) => dataset.classes.name(id));
}

describe("prepareText", () => {
  it("numbers words by count, ties by first appearance, and ends each line, also empty ones, with <eos>", async () => {
    const train = await fileOf(directory, "a.txt", "b a a\n\n  c  b a\nd");
    const dataset = await prepared({ train });
    expect(names(dataset)).toEqual(["<eos>", "a", "b", "c", "d"]);
    expect([...dataset.classes.counts]).toEqual([4, 3, 2, 1, 1]);
    expect(words(dataset)).toBe("b a a <eos> <eos> c b a <eos> d <eos>");
    expect([dataset.eos, dataset.unknown]).toEqual([0, -1]);
    expect(dataset.classes.id("c")).toBe(3);
    expect(dataset.classes.id("nowhere")).toBeUndefined();
  });

  it("shares every array with workers", async () => {
    const dataset = await prepared({ train: await fileOf(directory, "shared.txt", "x y") });
    expect(dataset.splits.train?.tokens.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(dataset.classes.counts.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("makes rare and unseen words the class that a literal <unk> is, with their counts", async () => {
    const train = await fileOf(directory, "rare.txt", "a a a b <unk> c\n");
    const test = await fileOf(directory, "rare-test.txt", "z a <unk>\n");
    const dataset = await prepared({ train, test, minCount: 2 });
    expect(names(dataset)).toEqual(["a", "<unk>", "<eos>"]);
    expect([...dataset.classes.counts]).toEqual([3, 3, 1]);
    expect(words(dataset)).toBe("a a a <unk> <unk> <unk> <eos>");
    expect(words(dataset, "test")).toBe("<unk> a <unk> <eos>");
  });

  it("adds <unk> with count 0 when only a held-out part needs it", async () => {
    const train = await fileOf(directory, "seen.txt", "a a\n");
    const dataset = await prepared({ train, validation: await fileOf(directory, "unseen.txt", "b\n") });
    expect(dataset.classes.name(dataset.unknown)).toBe("<unk>");
    expect(dataset.classes.counts[dataset.unknown]).toBe(0);
  });

  it.each([
    [5, ["a", "<eos>", "<unk>", "b", "c"], [4, 3, 3, 3, 2]],
    [4, ["<unk>", "a", "<eos>", "b"], [5, 4, 3, 3]],
    [3, ["<unk>", "a", "<eos>"], [8, 4, 3]],
  ])("keeps %i classes in all when maxClasses says so", async (maxClasses, expected, counts) => {
    const train = await fileOf(directory, "many.txt", "a a a a\nb b b\nc c d e f\n");
    const dataset = await prepared({ train, maxClasses });
    expect([...dataset.classes.counts]).toEqual(counts);
    expect(names(dataset).sort()).toEqual([...expected].sort());
  });

  it("needs no <unk> when maxClasses is just enough", async () => {
    const train = await fileOf(directory, "enough.txt", "a b c\n");
    const dataset = await prepared({ train, maxClasses: 4 });
    expect([dataset.classes.size, dataset.unknown]).toEqual([4, -1]);
  });

  it("takes one column of tab-separated lines, gzipped, CRLF, with a byte order mark", async () => {
    const train = await fileOf(directory, "t.tsv.gz", "\ufeffx\t1\tone two\r\ny\t2\tthree\tmore\r\n");
    expect(words(await prepared({ train, textColumn: 2 }))).toBe("one two <eos> three <eos>");
    expect(words(await prepared({ train, textColumn: 0 }))).toBe("x <eos> y <eos>");
  });

  it("splits at all white space of Unicode and folds case by Unicode", async () => {
    const spaces = "\t\v\f\r \u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000";
    const letters = "\u00a1\u1681\u200b\u2060\u3001\u00e9";
    const train = await fileOf(
      directory,
      "spaces.txt",
      `${[...spaces].map((s, i) => `w${i}${s}`).join("")}${letters}\n`,
    );
    const dataset = await prepared({ train, endOfLine: false });
    expect(dataset.classes.size).toBe(spaces.length + 1);
    expect(dataset.classes.id(letters)).toBeDefined();
    expect(dataset.eos).toBe(-1);
    const upper = await fileOf(directory, "upper.txt", "ÄRGER The\nTHE ärger\n");
    expect(words(await prepared({ train: upper, lowerCase: true, endOfLine: false }))).toBe("ärger the the ärger");
  });

  it("reads lines and words that span chunks of the stream", async () => {
    const long = "x".repeat(700_000);
    const train = await fileOf(directory, "long.txt.gz", `a ${long}\n${"tail ".repeat(100_000)}`);
    const dataset = await prepared({ train });
    expect(dataset.splits.train?.tokens.length).toBe(2 + 1 + 100_000 + 1);
    expect(dataset.classes.id(long)).toBeDefined();
  });

  it("holds out whole lines by ratio, the same for the same seed, the shares within 5 sigma", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `w${i % 7} w${i % 7}`).join("\n");
    const train = await fileOf(directory, "ratio.txt", lines);
    const options = { train, validationRatio: 0.1, testRatio: 0.05, seed: 3 };
    const dataset = await prepared(options);
    const count = (part: "train" | "validation" | "test") => (dataset.splits[part]?.tokens.length ?? 0) / 3;
    expect(count("train") + count("validation") + count("test")).toBe(20_000);
    expect(Math.abs(count("validation") - 2000)).toBeLessThan(5 * Math.sqrt(20_000 * 0.1 * 0.9));
    expect(Math.abs(count("test") - 1000)).toBeLessThan(5 * Math.sqrt(20_000 * 0.05 * 0.95));
    expect(dataset.classes.counts.reduce((a, b) => a + b)).toBe(dataset.splits.train?.tokens.length);
    expect(words(await prepared(options), "test")).toBe(words(dataset, "test"));
    expect(words(await prepared({ ...options, seed: 4 }), "test")).not.toBe(words(dataset, "test"));
    // The test part does not depend on how much goes to validation.
    expect(words(await prepared({ ...options, validationRatio: 0 }), "test")).toBe(words(dataset, "test"));
  });

  it("tells how far it is, up to every byte, then that it writes", async () => {
    const heard: Progress[] = [];
    const train = await fileOf(directory, "progress.txt.gz", "a b c\n".repeat(200_000));
    await prepared({ train, onProgress: (progress) => heard.push(progress) });
    expect(heard.at(-1)).toEqual({ phase: "write", bytesRead: heard[0].bytesTotal, bytesTotal: heard[0].bytesTotal });
    expect(heard.every((progress, i) => i === 0 || progress.bytesRead >= heard[i - 1].bytesRead)).toBe(true);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a missing one", { train: undefined }, "train is missing: must be a file name or several"],
    ["one out of range", { minCount: 0 }, "minCount is 0: too small: expected number to be >=1"],
    [
      "one of another type",
      { lowerCase: "yes" },
      'lowerCase is "yes": invalid input: expected boolean, received string',
    ],
    ["two classes of one name", { unknown: "x", endOfLine: "x" }, 'unknown and endOfLine are both "x"'],
    ["an unknown one", { lowercase: true }, 'unknown option "lowercase"'],
    ["shares that leave nothing", { validationRatio: 0.5, testRatio: 0.5 }, "validationRatio 0.5 and testRatio 0.5"],
    ["a share and a file for one part", { testRatio: 0.1, test: "t.txt" }, "testRatio is 0.1, but test names files"],
  ])("refuses options: %s", async (_, wrong, message) => {
    const error = await rejection(prepareText({ output: "unused", train: "unused", ...wrong } as TextOptions));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(message);
  });

  it("refuses a missing file, a directory, an empty file, a broken gzip file and a missing column", async () => {
    const output = join(directory, "never");
    const train = await fileOf(directory, "columns.tsv", "a\tb\nonly one\n");
    const broken = join(directory, "broken.txt.gz");
    await fileOf(directory, "broken.txt.gz", "some text\n".repeat(1000));
    await truncate(broken, 30);
    const missing = await rejection(prepareText({ output, train: join(directory, "no such file") }));
    expect(missing).toBeInstanceOf(MissingFileError);
    expect(missing.values).toEqual({ file: join(directory, "no such file") });
    expect(await rejection(prepareText({ output, train: directory }))).toBeInstanceOf(MissingFileError);
    const empty = await fileOf(directory, "empty.txt", "\n\n");
    expect(await rejection(prepareText({ output, train: empty }))).toBeInstanceOf(EmptyInputError);
    expect(await rejection(prepareText({ output, train: broken }))).toBeInstanceOf(FileFormatError);
    const column = await rejection(prepareText({ output, train, textColumn: 1 }));
    expect(column).toBeInstanceOf(FileFormatError);
    expect(column.values).toEqual({ file: train, line: 2, content: "only one" });
  });
});
