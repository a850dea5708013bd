import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadModel } from "@logq/trainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cli, names, remove, sampleTitles, temporaryFolder, write } from "./support.js";

let folder: string;
/** What a reader must find: names of the classes, their table (n, D) and their biases, in id order. */
let classNames: string[];
let table: Float32Array;
let biases: Float32Array;
let inputs: { rows: number; columns: number; values: Float32Array };
let run: string;

const D = 5;

beforeAll(async () => {
  folder = await write(await temporaryFolder(), { "titles.tsv": sampleTitles(60) });
  const at = (name: string) => join(folder, name);
  run = at("run");
  const columns = ["--text-column", "0", "--label-column", "1"];
  const prepare = [
    "prepare",
    "labels",
    "--train",
    at("titles.tsv"),
    "--format",
    "tsv",
    ...columns,
    "--out",
    at("data"),
  ];
  const train = [
    "train",
    at("data"),
    "--dim",
    String(D),
    "--hidden",
    "3",
    "--max-steps",
    "3",
    "--workers",
    "1",
    "--out",
    run,
  ];
  for (const args of [prepare, train]) expect(await cli(args)).toMatchObject({ code: 0 });
  const model = await loadModel(run);
  classNames = Array.from({ length: model.classes.size }, (_, id) => model.classes.name(id));
  table = model.table();
  biases = model.biases()!;
  inputs = model.encoderTables().find(({ name }) => name === "embedding")!;
  await model.close();
}, 60_000);
afterAll(() => remove(folder));

/** Exports, and reads what was written. */
async function exported(file: string, ...args: string[]): Promise<Buffer> {
  const path = join(folder, file);
  const { code, stderr } = await cli(["export", run, "--out", path, ...args]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return readFile(path);
}

/** Plain readers, written from the descriptions of the formats. */
function readFloats(bytes: Buffer, at: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(at + 4 * i));
}

function readNpy(bytes: Buffer): { shape: number[]; values: Float32Array } {
  expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x93NUMPY\x01\x00");
  const length = bytes.readUInt16LE(8);
  expect((10 + length) % 64).toBe(0);
  const header = bytes.subarray(10, 10 + length).toString("latin1");
  const match = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(header);
  const shape = match![1]!
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  expect(bytes.length).toBe(10 + length + 4 * count);
  return { shape, values: readFloats(bytes, 10 + length, count) };
}

function readSafetensors(bytes: Buffer) {
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  let end = 0;
  const tensors = Object.entries(
    entries as Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>,
  ).map(([name, { dtype, shape, data_offsets }]) => {
    expect(dtype).toBe("F32");
    expect(data_offsets[0]).toBe(end);
    end = data_offsets[1]!;
    return { name, shape, values: readFloats(bytes, 8 + length + data_offsets[0]!, (end - data_offsets[0]!) / 4) };
  });
  expect(length % 8).toBe(0);
  expect(bytes.length).toBe(8 + length + end);
  return { metadata, tensors };
}

describe("exports come back exactly in a plain reader", () => {
  it("npy: float32, C order, rows in id order, data aligned to 64 bytes", async () => {
    expect(readNpy(await exported("classes.npy", "--format", "npy"))).toEqual({
      shape: [classNames.length, D],
      values: table,
    });
    const embeddings = readNpy(await exported("inputs.npy", "--format", "npy", "--table", "inputs"));
    expect(embeddings).toEqual({ shape: [inputs.rows, inputs.columns], values: inputs.values });
  });

  it("npy --names: one name a line in id order, as it is", async () => {
    await exported("with.npy", "--format", "npy", "--names", join(folder, "names.txt"));
    expect(await readFile(join(folder, "names.txt"), "utf8")).toBe(`${classNames.join("\n")}\n`);
  });

  it("word2vec text: nine digits bring every float32 back; white space in names is _", async () => {
    const text = (await exported("words.txt", "--format", "word2vec")).toString("utf8");
    const [head, ...lines] = text.trimEnd().split("\n");
    expect(head).toBe(`${classNames.length} ${D}`);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(classNames.map((name) => name.replace(" ", "_")));
    expect(Float32Array.from(lines.flatMap((line) => line.split(" ").slice(1).map(Number)))).toEqual(table);
  });

  it("word2vec binary: name, space, floats, line feed", async () => {
    const bytes = await exported("words.bin", "--format", "word2vec", "--binary");
    let at = bytes.indexOf("\n") + 1;
    expect(bytes.subarray(0, at).toString()).toBe(`${classNames.length} ${D}\n`);
    for (const [id, name] of classNames.entries()) {
      const space = bytes.indexOf(" ", at);
      expect(bytes.subarray(at, space).toString()).toBe(name.replace(" ", "_"));
      expect(readFloats(bytes, space + 1, D)).toEqual(table.slice(id * D, id * D + D));
      at = space + 1 + 4 * D + 1;
      expect(bytes[at - 1]).toBe(10);
    }
    expect(at).toBe(bytes.length);
  });

  it("safetensors: every table by name, one after another without gaps", async () => {
    const { metadata, tensors } = readSafetensors(await exported("model.safetensors", "--format", "safetensors"));
    expect(metadata).toEqual({ producer: "logq", loss: "sampled-softmax", encoder: "features" });
    const [classes, bias, embedding, ...layers] = tensors;
    expect(classes).toEqual({ name: "classes", shape: [classNames.length, D], values: table });
    expect(bias).toEqual({ name: "class-bias", shape: [classNames.length], values: biases });
    expect(embedding).toEqual({
      name: "encoder.embedding",
      shape: [inputs.rows, inputs.columns],
      values: inputs.values,
    });
    expect(layers.map(({ shape }) => shape)).toEqual([[D, 3], [3], [3, D], [D]]);
  });

  it("replaces an older file and leaves nothing else", async () => {
    const before = await names(folder);
    await exported("classes.npy", "--format", "word2vec");
    expect((await readFile(join(folder, "classes.npy"), "utf8")).startsWith(`${classNames.length} ${D}\n`)).toBe(true);
    expect(await names(folder)).toEqual(before);
  });
});
