import { join } from "node:path";
import { EmptyInputError, FileFormatError, OptionError } from "@logq/core";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { openDataset, type PairsDataset, type PairsOptions, preparePairs, type SplitName } from "../src/index.js";
import { fileOf, rejection, temporaryDirectory } from "./files.js";

const directory = await temporaryDirectory();
let outputs = 0;

async function prepared(options: Omit<PairsOptions, "output">): Promise<PairsDataset> {
  const output = join(directory, `pairs ${outputs++}`);
  await preparePairs({ output, ...options });
  return (await openDataset(output)) as PairsDataset;
}

/** { user: "item item" } of the users who chose something. */
function choices(dataset: PairsDataset, part: SplitName = "train"): Record<string, string> {
  const split = dataset.splits[part];
  if (!split) throw new Error(`no ${part}`);
  const rows = Array.from({ length: dataset.users.size }, (_, user) => [
    dataset.users.name(user),
    Array.from(split.items.subarray(split.offsets[user], split.offsets[user + 1]), (id) =>
      dataset.classes.name(id),
    ).join(" "),
  ]);
  return Object.fromEntries(rows.filter(([, items]) => items !== ""));
}

function items(dataset: PairsDataset): string[] {
  return Array.from({ length: dataset.classes.size }, (_, id) => dataset.classes.name(id));
}

describe("preparePairs", () => {
  it("reads adjacency lines, users without items and users on several lines", async () => {
    const train = await fileOf(directory, "a.txt", "u1 a b\nu2\nu3 b c b\n\nu1 c\n");
    const dataset = await prepared({ format: "adjacency", train });
    expect(choices(dataset)).toEqual({ u1: "a b c", u3: "b c b" });
    expect(dataset.users.size).toBe(3);
    expect(dataset.users.id("u3")).toBe(2);
    expect(items(dataset)).toEqual(["b", "c", "a"]);
    expect([...dataset.classes.counts]).toEqual([3, 2, 1]);
    expect(dataset.splits.train?.items.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(dataset.splits.train?.offsets.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("leaves one out: the last is test, the one before validation, fewer than 3 stay", async () => {
    const train = await fileOf(directory, "p.txt", "u a\nv x\nu b\nu c\nv y\nu d\nw a\nw b\nw c\n");
    const dataset = await prepared({ format: "pairs", train, leaveOneOut: true });
    expect(choices(dataset)).toEqual({ u: "a b", v: "x y", w: "a" });
    expect(choices(dataset, "validation")).toEqual({ u: "c", w: "b" });
    expect(choices(dataset, "test")).toEqual({ u: "d", w: "c" });
  });

  it("keeps items of the held-out parts as classes of count 0, unless minCount drops them from every part", async () => {
    const train = await fileOf(directory, "k.txt", "u a b a\n");
    const test = await fileOf(directory, "k-test.txt", "u b z\nv a\n");
    const kept = await prepared({ format: "adjacency", train, test });
    expect(items(kept)).toEqual(["a", "b", "z"]);
    expect([...kept.classes.counts]).toEqual([2, 1, 0]);
    expect(choices(kept, "test")).toEqual({ u: "b z", v: "a" });
    const output = join(directory, "dropped");
    const summary = await preparePairs({ output, format: "adjacency", train, test, minCount: 2 });
    expect(summary.leftOut).toEqual({ items: 2, interactions: 3 });
    const dropped = (await openDataset(output)) as PairsDataset;
    expect(items(dropped)).toEqual(["a"]);
    expect(choices(dropped, "test")).toEqual({ v: "a" });
  });

  it("reads csv columns by name, quoted, in order of time, ties in order of the file", async () => {
    const csv = 'time,"item, name",user,more\n3,"say ""hi""",u,x\n1,b,u,\n3,c,u,\n2,d,v,\n1.5,é,u,\n';
    const train = await fileOf(directory, "r.csv.gz", csv);
    const columns = { userColumn: "user", itemColumn: "item, name" };
    const timed = await prepared({ format: "csv", train, ...columns, timeColumn: "time" });
    expect(choices(timed)).toEqual({ u: 'b é say "hi" c', v: "d" });
    expect(choices(await prepared({ format: "csv", train, ...columns }))).toEqual({ u: 'say "hi" b c é', v: "d" });
  });

  it("reads tsv columns by position without a head line, quotes being plain characters, dates as times", async () => {
    const train = await fileOf(directory, "r.tsv", '2020-02-01\tu\t"a\n2020-01-01T10:00:00Z\tu\tb"\n');
    const columns = { userColumn: 1, itemColumn: 2, timeColumn: 0 };
    expect(choices(await prepared({ format: "tsv", train, ...columns }))).toEqual({ u: 'b" "a' });
  });

  it("reads tsv columns by name, with empty lines, CRLF and unused columns of any number", async () => {
    const train = await fileOf(directory, "n.tsv.gz", "t\tuser\titem\r\n5\tu\ta b\r\n\r\n-1e3\tu\té\tmore\r\n");
    const columns = { userColumn: "user", itemColumn: "item", timeColumn: "t" };
    expect(choices(await prepared({ format: "tsv", train, ...columns }))).toEqual({ u: "é a b" });
  });

  it.each(["UNCOMPRESSED", "SNAPPY"] as const)("reads Parquet columns over several row groups (%s)", async (codec) => {
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: "uid", data: [7n, 8n, 7n, 7n, 8n], type: "INT64" },
        { name: "title", data: ["x", "y", "z", "x", "ü"], type: "STRING" },
        { name: "when", data: [3, 2, 1, 2, 1], type: "DOUBLE" },
      ],
      codec,
      rowGroupSize: 2,
    });
    const train = await fileOf(directory, `r ${codec}.parquet`, new Uint8Array(buffer));
    const columns = { userColumn: "uid", itemColumn: "title", timeColumn: "when" };
    const dataset = await prepared({ format: "parquet", train, ...columns });
    expect(choices(dataset)).toEqual({ 7: "z x x", 8: "ü y" });
  });

  it("holds interactions out by ratio within a user, shares within 5 sigma, everybody keeping one", async () => {
    const lines = Array.from({ length: 2000 }, (_, u) => `u${u} ${"i ".repeat(u % 20 === 0 ? 1 : 10)}`).join("\n");
    const train = await fileOf(directory, "ratio.txt", lines);
    const dataset = await prepared({ format: "adjacency", train, validationRatio: 0.2, testRatio: 0.1, seed: "s" });
    const total = 1900 * 10 + 100;
    const sizes = (["train", "validation", "test"] as const).map((part) => dataset.splits[part]?.items.length ?? 0);
    expect(sizes[0] + sizes[1] + sizes[2]).toBe(total);
    expect(Math.abs(sizes[1] - 0.2 * 19_000)).toBeLessThan(5 * Math.sqrt(19_000 * 0.2 * 0.8));
    expect(Math.abs(sizes[2] - 0.1 * 19_000)).toBeLessThan(5 * Math.sqrt(19_000 * 0.1 * 0.9));
    expect(Object.keys(choices(dataset)).length).toBe(2000);
  });

  it.each<[string, Partial<PairsOptions>, string]>([
    ["an unknown format", { format: "json" as "csv" }, 'format is "json"'],
    ["no columns", { format: "csv", userColumn: "u" }, "itemColumn is missing: the format csv needs it"],
    ["columns where there are none", { format: "pairs", userColumn: "u" }, "the format pairs has no columns"],
    ["names mixed with positions", { format: "csv", userColumn: "u", itemColumn: 1 }, "give all by name"],
    ["positions in Parquet", { format: "parquet", userColumn: 0, itemColumn: 1 }, "parquet file have names"],
    ["two ways to one part", { format: "pairs", leaveOneOut: true, testRatio: 0.1 }, "and so does testRatio"],
  ])("refuses options: %s", async (_, wrong, message) => {
    const options = { output: "unused", train: "unused", ...wrong } as PairsOptions;
    const error = await rejection(preparePairs(options));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(message);
  });

  const named = { userColumn: "u", itemColumn: "i" };
  it.each<[string, string, Partial<PairsOptions>, Record<string, unknown>]>([
    ["a pair of three", "u a\nu a b\n", { format: "pairs" }, { line: 2, content: "u a b" }],
    ["a record of other length", "u,i\n1,2\n1,2,3\n", { format: "csv", ...named }, { line: 3 }],
    ["an open quote", 'u,i\n1,"2\n', { format: "csv", ...named }, { problem: "CSV_QUOTE_NOT_CLOSED" }],
    ["a column not there", "a,b\n1,2\n", { format: "csv", ...named }, { column: "u", columns: ["a", "b"] }],
    ["an empty field", "u,i\n1,\n", { format: "csv", ...named }, { record: 2, column: "i", content: "" }],
    [
      "a time that is none",
      "u,i,t\n1,2,soon\n",
      { format: "csv", ...named, timeColumn: "t" },
      { record: 2, column: "t" },
    ],
    ["a tsv without the column", "a\tb\n1\t2\n", { format: "tsv", ...named }, { column: "u", columns: ["a", "b"] }],
    ["an empty tsv field", "u\ti\n1\t\n", { format: "tsv", ...named }, { line: 2, column: "i", content: "" }],
    [
      "a tsv time that is none",
      "u\ti\tt\n1\t2\tsoon\n",
      { format: "tsv", ...named, timeColumn: "t" },
      { line: 2, column: "t", content: "soon" },
    ],
    ["a short record", "1\n", { format: "tsv", userColumn: 0, itemColumn: 3 }, { line: 1, column: 3 }],
    ["no Parquet", "PAR0 this is not Parquet", { format: "parquet", ...named }, {}],
  ])("refuses %s with a FileFormatError that says where", async (name, content, options, values) => {
    const train = await fileOf(directory, `bad ${name}.txt`, content);
    const error = await rejection(
      preparePairs({ output: join(directory, "never"), train, ...options } as PairsOptions),
    );
    expect(error).toBeInstanceOf(FileFormatError);
    expect(error.values).toMatchObject({ file: train, ...values });
  });

  it("refuses files without an interaction", async () => {
    const train = await fileOf(directory, "nobody.txt", "u1\nu2\n");
    const error = await rejection(preparePairs({ output: join(directory, "never"), format: "adjacency", train }));
    expect(error).toBeInstanceOf(EmptyInputError);
  });
});
