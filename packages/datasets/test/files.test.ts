import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileFormatError, MissingFileError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import {
  type ArrayType,
  arrayTypeOf,
  decodeHead,
  encodeHead,
  readArrayFile,
  readArrayInPieces,
  readHead,
  writeArrayFile,
  writeDirectoryAtomically,
} from "../src/index.js";
import { fileOf, rejection, temporaryDirectory } from "./files.js";

const directory = await temporaryDirectory();

describe("array files", () => {
  it.each<[ArrayType, number[]]>([
    ["uint8", [0, 255, 7]],
    ["int32", [-(2 ** 31), 2 ** 31 - 1]],
    ["uint32", [2 ** 32 - 1, 0]],
    ["float32", [Math.fround(0.1), -0, Infinity, Number.NaN]],
    ["float64", [0.1, Number.MIN_VALUE, -Infinity]],
  ])("keep %s to the bit, in shared memory", async (type, values) => {
    const file = join(directory, `values.${type}`);
    const constructors = {
      uint8: Uint8Array,
      int32: Int32Array,
      uint32: Uint32Array,
      float32: Float32Array,
      float64: Float64Array,
    };
    const array = constructors[type].from(values);
    expect(arrayTypeOf(array)).toBe(type);
    expect(await writeArrayFile(file, array)).toBe(values.length);
    const read = await readArrayFile(file, type);
    expect([...read]).toEqual(values);
    expect(read.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("take views into shared memory, and pieces one after another", async () => {
    const file = join(directory, "pieces");
    const shared = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 16, 3);
    shared.set([1, 2, 3]);
    expect(await writeArrayFile(file, [shared.subarray(1), new Int32Array(0), Int32Array.of(4)])).toBe(3);
    expect([...(await readArrayFile(file, "int32", 3))]).toEqual([2, 3, 4]);
    await writeArrayFile(file, new Int32Array(0));
    expect((await readArrayFile(file, "int32")).length).toBe(0);
  });

  it("are read in pieces, the last of which may be shorter", async () => {
    const file = join(directory, "in-pieces");
    await writeArrayFile(file, Int32Array.of(1, 2, 3, 4, 5, 6, 7));
    const pieces = async (length: number, piece: number) => {
      const all: number[][] = [];
      for await (const some of readArrayInPieces(file, "int32", length, piece)) all.push([...some]);
      return all;
    };
    expect(await pieces(7, 3)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await pieces(7, 100)).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
    expect((await rejection(pieces(8, 3))).values).toMatchObject({ bytes: 28, expected: 32 });
    await writeArrayFile(file, new Int32Array(0));
    expect(await pieces(0, 3)).toEqual([]);
  });

  it("are refused if their size does not fit or they are missing", async () => {
    const file = await fileOf(directory, "five", "12345");
    expect((await rejection(readArrayFile(file, "int32"))).values).toMatchObject({ bytes: 5, expected: 4 });
    expect((await rejection(readArrayFile(file, "uint8", 6))).values).toMatchObject({ bytes: 5, expected: 6 });
    expect(await rejection(readArrayFile(join(directory, "none"), "uint8"))).toBeInstanceOf(MissingFileError);
    expect(await rejection(readArrayFile(directory, "uint8", 3))).toBeInstanceOf(FileFormatError);
  });
});

describe("heads", () => {
  const format = { magic: "LOGQTEST", version: 3 };

  it("keep nested values and typed arrays, behind magic, version and length", async () => {
    const value = { a: [1, -2.5, "ü", null, true], b: { c: Float32Array.of(1, 2) }, big: 2 ** 45 };
    const bytes = encodeHead(format, value);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("LOGQTEST");
    expect([...bytes.subarray(8, 12)]).toEqual([3, 0, 0, 0]);
    expect(decodeHead(format, bytes, "memory")).toEqual(value);
    const file = join(directory, "head");
    await writeFile(file, bytes);
    expect(await readHead(format, file)).toEqual(value);
    expect(await rejection(readHead(format, join(directory, "no head")))).toBeInstanceOf(MissingFileError);
  });

  it("are refused if bytes are missing, added, or no MessagePack", () => {
    const bytes = encodeHead(format, { a: 1 });
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    for (const wrong of [bytes.subarray(0, 5), bytes.subarray(0, 14), bytes.subarray(0, bytes.length - 1), longer]) {
      expect(() => decodeHead(format, wrong, "memory")).toThrow(FileFormatError);
    }
    const noBody = bytes.slice();
    noBody[16] = 0xc1;
    expect(() => decodeHead(format, noBody, "memory")).toThrow(FileFormatError);
  });
});

describe("writeDirectoryAtomically", () => {
  const rule = { what: "thing", isOurs: async (path: string) => (await readdir(path)).includes("mark") };
  const mark = (content: string) => (path: string) => writeFile(join(path, "mark"), content);
  const hidden = async () => (await readdir(directory)).filter((name) => name.startsWith("."));

  it("makes parents, fills empty directories and replaces its own; answers what the writer answered", async () => {
    const target = join(directory, "deep er", "target");
    const write = async (path: string) => {
      await mark("1")(path);
      return 7;
    };
    expect(await writeDirectoryAtomically(target, write, rule)).toBe(7);
    await writeDirectoryAtomically(target, mark("2"), rule);
    expect(await readFile(join(target, "mark"), "utf8")).toBe("2");
    const empty = join(directory, "empty");
    await mkdir(empty);
    await writeDirectoryAtomically(empty, mark("3"), rule);
    expect(await readFile(join(empty, "mark"), "utf8")).toBe("3");
    expect(await hidden()).toEqual([]);
  });

  it("refuses foreign directories and files before writing anything, and leaves them as they are", async () => {
    const foreign = join(directory, "foreign");
    await mkdir(foreign);
    await writeFile(join(foreign, "precious"), "1");
    let called = false;
    const write = async () => {
      called = true;
    };
    const error = await rejection(writeDirectoryAtomically(foreign, write, rule));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.values).toEqual({ name: "output", value: foreign, entries: ["precious"] });
    const inTheWay = await rejection(writeDirectoryAtomically(join(foreign, "precious"), write, rule));
    expect(inTheWay).toBeInstanceOf(OptionError);
    const below = await rejection(writeDirectoryAtomically(join(foreign, "precious", "below"), write, rule));
    expect(below).toBeInstanceOf(OptionError);
    expect(called).toBe(false);
    expect(await readdir(foreign)).toEqual(["precious"]);
  });

  it("leaves what was there when the writer throws, and nothing beside it", async () => {
    const target = join(directory, "kept");
    await writeDirectoryAtomically(target, mark("old"), rule);
    const failing = async (path: string) => {
      await mark("half")(path);
      throw new Error("disk full");
    };
    expect((await rejection(writeDirectoryAtomically(target, failing, rule))).message).toBe("disk full");
    expect(await readFile(join(target, "mark"), "utf8")).toBe("old");
    expect(await hidden()).toEqual([]);
  });

  it("does not replace what appears at the target while it writes", async () => {
    const target = join(directory, "race");
    const racing = async (path: string) => {
      await mark("mine")(path);
      await mkdir(target);
      await writeFile(join(target, "theirs"), "1");
    };
    expect(await rejection(writeDirectoryAtomically(target, racing, rule))).toBeInstanceOf(OptionError);
    expect(await readdir(target)).toEqual(["theirs"]);
    expect(await hidden()).toEqual([]);
  });

  it("writes through a symbolic link", async () => {
    const real = join(directory, "real");
    const link = join(directory, "link");
    await mkdir(real);
    await symlink(real, link);
    await writeDirectoryAtomically(link, mark("through"), rule);
    expect(await readFile(join(real, "mark"), "utf8")).toBe("through");
    expect(await readFile(join(link, "mark"), "utf8")).toBe("through");
  });
});
