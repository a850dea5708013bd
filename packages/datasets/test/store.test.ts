import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileFormatError, MissingFileError } from "@logq/core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  decodeHead,
  encodeHead,
  hasDataset,
  openDataset,
  prepareLabels,
  preparePairs,
  prepareText,
  readSummary,
  writeArrayFile,
} from "../src/index.js";
import { fileOf, rejection, temporaryDirectory } from "./files.js";

const DATASET = { magic: "LOGQDATA", version: 1 };
const directory = await temporaryDirectory();
const text = join(directory, "a text");
const pairs = join(directory, "some pairs");
const labels = join(directory, "the labels");

beforeAll(async () => {
  const words = await fileOf(directory, "words.txt", "a b a\nc ü\n");
  await prepareText({ output: text, train: words, test: words, maxClasses: 4, seed: "s" });
  const chosen = await fileOf(directory, "chosen.txt", "u a b\nv b\n");
  await preparePairs({ output: pairs, format: "adjacency", train: chosen });
  const rows = await fileOf(directory, "rows.txt", "2 3 2\n0 0:1\n1 1:2 2:3\n");
  await prepareLabels({ output: labels, format: "xmlc", train: rows });
});

describe("a dataset directory", () => {
  it("is one head and one raw little-endian file an array", async () => {
    expect((await readdir(text)).sort()).toEqual([
      "classes.counts.float64",
      "classes.names.uint8",
      "classes.offsets.uint32",
      "dataset.logq",
      "test.tokens.int32",
      "train.tokens.int32",
    ]);
    const tokens = await readFile(join(text, "train.tokens.int32"));
    const opened = await openDataset(text);
    if (opened.kind !== "text") throw new Error(opened.kind);
    expect(Array.from({ length: 7 }, (_, i) => tokens.readInt32LE(4 * i))).toEqual([
      ...(opened.splits.train?.tokens ?? []),
    ]);
    expect(opened.directory).toBe(text);
  });

  it("tells its summary without its arrays: sizes, sources and every option, defaults filled in", async () => {
    const summary = await readSummary(text);
    expect(summary).toMatchObject({
      kind: "text",
      classes: 4,
      splits: { train: { lines: 2, tokens: 7 }, test: { lines: 2, tokens: 7 } },
      options: { maxClasses: 4, minCount: 1, lowerCase: false, seed: "s", endOfLine: "<eos>" },
    });
    expect(summary.sources[0]).toEqual({ file: join(directory, "words.txt"), part: "train", bytes: 11 });
    expect(summary).not.toHaveProperty("arrays");
    await rm(join(directory, "words.txt"));
    expect((await openDataset(text)).options).toEqual(summary.options);
  });

  it("is recognised by its magic", async () => {
    expect(await hasDataset(text)).toBe(true);
    expect(await hasDataset(directory)).toBe(false);
    expect(await hasDataset(join(directory, "nowhere"))).toBe(false);
  });

  it("is replaced by a later preparation, leaving nothing beside it", async () => {
    const output = join(directory, "again");
    const first = await fileOf(directory, "first.txt", "a b c\n");
    await prepareText({ output, train: first, test: first });
    await prepareText({ output, train: first });
    expect((await readSummary(output)).splits).toEqual({ train: { lines: 1, tokens: 4 } });
    expect(await readdir(output)).not.toContain("test.tokens.int32");
    expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

type Damage = (copy: string) => Promise<unknown>;

/** The parts of a head that are damaged below. */
interface Head {
  arrays: { name: string; file: string; type: string; length: number }[];
  classes: number;
  users?: number;
  special: { eos?: number };
}

/** Rewrites the head of a copy. */
function head(change: (head: Head) => void): Damage {
  return async (copy) => {
    const file = join(copy, "dataset.logq");
    const value = decodeHead(DATASET, await readFile(file), file) as Head;
    change(value);
    await writeFile(file, encodeHead(DATASET, value));
  };
}

const array = (name: string, data: Int32Array | Uint32Array | Float64Array | Float32Array): Damage => {
  return (copy) => writeArrayFile(join(copy, name), data);
};
const rawHead = (bytes: Uint8Array): Damage => {
  return (copy) => writeFile(join(copy, "dataset.logq"), bytes);
};

describe("openDataset refuses with a FileFormatError", () => {
  it.each<[string, () => string, Damage, Record<string, unknown>]>([
    ["another magic", () => text, rawHead(encodeHead({ magic: "LOGQCKPT", version: 1 }, {})), { magic: "LOGQCKPT" }],
    ["another version", () => text, rawHead(encodeHead({ magic: "LOGQDATA", version: 2 }, {})), { version: 2 }],
    ["an empty head", () => text, rawHead(new Uint8Array()), { magic: "" }],
    ["a head cut in its prefix", () => text, (copy) => truncate(join(copy, "dataset.logq"), 11), { bytes: 11 }],
    ["a head cut in its body", () => text, (copy) => truncate(join(copy, "dataset.logq"), 50), { bytes: 50 }],
    ["a head of another shape", () => text, rawHead(encodeHead(DATASET, { kind: "text" })), { at: "classes" }],
    ["a file outside", () => text, head((h) => (h.arrays[0].file = "../x")), { at: "arrays.0.file" }],
    ["an array less", () => text, head((h) => h.arrays.pop()), { array: "test.tokens" }],
    ["a type that is not the array's", () => text, head((h) => (h.arrays[3].type = "uint32")), { type: "uint32" }],
    [
      "a file too short",
      () => text,
      (copy) => truncate(join(copy, "train.tokens.int32"), 24),
      { bytes: 24, expected: 28 },
    ],
    ["a file too long", () => text, (copy) => truncate(join(copy, "train.tokens.int32"), 30), { bytes: 30 }],
    [
      "a class too great",
      () => text,
      array("train.tokens.int32", Int32Array.of(0, 0, 4, 0, 0, 0, 0)),
      { index: 2, value: 4 },
    ],
    ["a negative class", () => text, array("train.tokens.int32", Int32Array.of(0, 0, 0, 0, 0, 0, -1)), { value: -1 }],
    [
      "counts that rise",
      () => text,
      array("classes.counts.float64", Float64Array.of(2, 2, 3, 1)),
      { index: 2, value: 3 },
    ],
    [
      "counts that are not whole",
      () => text,
      array("classes.counts.float64", Float64Array.of(2, Number.NaN, 1, 1)),
      { index: 1 },
    ],
    [
      "names that fall back",
      () => text,
      array("classes.offsets.uint32", Uint32Array.of(0, 9, 2, 3, 12)),
      { index: 2, value: 2 },
    ],
    ["another number of classes", () => text, head((h) => h.classes++), { expectedLength: 6 }],
    ["an <eos> that is no class", () => text, head((h) => (h.special.eos = 4)), { id: 4, classes: 4 }],
    ["no <eos> at all", () => text, head((h) => delete h.special.eos), { name: "eos" }],
    [
      "items beyond the last offset",
      () => pairs,
      array("train.offsets.int32", Int32Array.of(0, 2, 2)),
      { last: 2, total: 3 },
    ],
    ["offsets that do not begin at 0", () => pairs, array("train.offsets.int32", Int32Array.of(1, 2, 3)), { first: 1 }],
    ["an item that is no class", () => pairs, array("train.items.int32", Int32Array.of(0, 1, 2)), { value: 2 }],
    ["no number of users", () => pairs, head((h) => delete h.users), { name: "users" }],
    ["a feature out of range", () => labels, array("train.features.int32", Int32Array.of(0, 1, 3)), { value: 3 }],
    [
      "a value that is not finite",
      () => labels,
      array("train.values.float32", Float32Array.of(1, Number.NaN, 3)),
      { index: 1, value: Number.NaN },
    ],
    [
      "a value less",
      () => labels,
      head((h) => (h.arrays.find((array) => array.name === "train.values")!.length = 2)),
      { expectedLength: 3 },
    ],
  ])("%s", async (name, source, damage, values) => {
    const copy = join(directory, `damaged ${name}`);
    await cp(source(), copy, { recursive: true });
    await openDataset(copy);
    await damage(copy);
    const error = await rejection(openDataset(copy));
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error.values).toMatchObject(values);
  });

  it("but a missing head or array with a MissingFileError", async () => {
    const nowhere = await rejection(openDataset(join(directory, "nowhere")));
    expect(nowhere).toBeInstanceOf(MissingFileError);
    const copy = join(directory, "incomplete");
    await cp(text, copy, { recursive: true });
    await rm(join(copy, "test.tokens.int32"));
    expect((await rejection(openDataset(copy))).values).toEqual({ file: join(copy, "test.tokens.int32") });
  });
});
