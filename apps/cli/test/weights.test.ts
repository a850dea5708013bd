import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataset } from "@logq/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpyVector } from "../src/base/npy.js";
import { npyChunks } from "../src/export/npy.js";
import { readClassWeights } from "../src/train/class-weights.js";
import { cli, remove, sampleText, write } from "./support.js";

const CLASSES = {
  size: 3,
  name: (id: number) => ["the", "cat", "sat"][id]!,
  id: (name: string) => [["the", 0] as const, ["cat", 1] as const, ["sat", 2] as const].find(([n]) => n === name)?.[1],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "logq-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function reading(name: string, content: string | Uint8Array): Promise<unknown> {
  const file = join(folder, name);
  await writeFile(file, content);
  const weights = await readClassWeights(file, CLASSES);
  return Array.from(weights as ArrayLike<number>);
}

describe("--class-weights", () => {
  it("reads rules with and without their number", async () => {
    expect(await readClassWeights("inverse-frequency", CLASSES)).toEqual({ kind: "inverse-frequency" });
    expect(await readClassWeights("inverse-frequency:0.5", CLASSES)).toEqual({ kind: "inverse-frequency", power: 0.5 });
    expect(await readClassWeights("effective-number:0.99", CLASSES)).toEqual({ kind: "effective-number", beta: 0.99 });
  });

  it("reads text, JSON lists, JSON by name, and .npy", async () => {
    expect(await reading("w.txt", "1\n0.5\n2e0\n")).toEqual([1, 0.5, 2]);
    expect(await reading("w.csv", "1, 0.5, 2")).toEqual([1, 0.5, 2]);
    expect(await reading("w.json", "[1, 0.5, 2]")).toEqual([1, 0.5, 2]);
    expect(await reading("names.json", '{"cat": 0.5, "sat": 0}')).toEqual([1, 0.5, 0]);
    const npy = Buffer.concat([...npyChunks({ name: "w", shape: [3], values: Float32Array.of(1, 0.5, 2) })]);
    expect(await reading("w.npy", npy)).toEqual([1, 0.5, 2]);
  });

  it.each([
    ["words", "w.txt", "1 two 3", { index: 1, value: "two" }],
    ["NaN", "w.txt", "1 NaN 3", { index: 1, value: "NaN" }],
    ["a number below 0", "w.json", "[1, 2, -3]", { index: 2, value: -3 }],
    ["null", "w.json", "[1, null, 3]", { index: 1, value: null }],
    ["too few", "w.txt", "1 2", { weights: 2, classes: 3 }],
    ["half a JSON", "w.json", "[1, 2", {}],
    ["a class that is none", "w.json", '{"dog": 2}', { name: "dog" }],
  ])("refuses %s", async (_, name, content, values) => {
    await expect(reading(name, content)).rejects.toMatchObject({ code: "LOGQ_FILE_FORMAT", values });
  });
});

describe("readNpyVector", () => {
  const file = (type: string, shape: string, data: Uint8Array, version = 1): Uint8Array => {
    const header = `{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }\n`;
    const head = Buffer.alloc(version === 1 ? 10 : 12);
    head.write("\x93NUMPY", "latin1");
    head[6] = version;
    if (version === 1) head.writeUInt16LE(header.length, 8);
    else head.writeUInt32LE(header.length, 8);
    return Buffer.concat([head, Buffer.from(header, "latin1"), data]);
  };
  const bytes = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer as ArrayBuffer);

  it.each([
    ["<f4", bytes(Float32Array.of(1, 2.5))],
    ["<f8", bytes(Float64Array.of(1, 2.5))],
  ])("reads %s of versions 1 and 2", (type, data) => {
    for (const version of [1, 2]) expect([...readNpyVector("w", file(type, "(2,)", data, version))]).toEqual([1, 2.5]);
  });

  it("reads whole numbers", () => {
    expect([...readNpyVector("w", file("<i4", "(2,)", bytes(Int32Array.of(3, 4))))]).toEqual([3, 4]);
    expect([...readNpyVector("w", file("<i8", "(1,)", bytes(BigInt64Array.of(5n))))]).toEqual([5]);
  });

  it.each([
    ["a matrix", file("<f4", "(1, 2)", bytes(Float32Array.of(1, 2)))],
    ["another type", file(">f4", "(2,)", bytes(Float32Array.of(1, 2)))],
    ["too few bytes", file("<f4", "(3,)", bytes(Float32Array.of(1, 2)))],
    ["another file", Buffer.from("something else, but long enough")],
    ["nothing", new Uint8Array(0)],
  ])("refuses %s", (_, data) => {
    expect(() => readNpyVector("w", data)).toThrow(expect.objectContaining({ code: "LOGQ_FILE_FORMAT" }));
  });
});

describe("logq train, by these options", () => {
  let data: string;
  beforeAll(async () => {
    data = await write(await mkdtemp(join(tmpdir(), "logq-weights-")), { "text.txt": sampleText(30) });
    const made = `prepare text --train ${join(data, "text.txt")} --split 0.8,0.1,0.1 --out ${join(data, "text")}`;
    expect(await cli(made.split(" "))).toMatchObject({ code: 0 });
  }, 30_000);
  afterAll(() => remove(data));

  async function train(flags: string) {
    const run = join(data, "run");
    const line = `train ${join(data, "text")} --max-steps 5 --batch 16 --workers 1 --json --out ${run} ${flags}`;
    const { code, stdout, stderr } = await cli(line.split(" "));
    expect(code, stderr).toBe(0);
    return { report: JSON.parse(stdout) as { temperature: number | null; probeCrossEntropy: number }, stderr, run };
  }

  it("says what it will do, and reports a learned temperature", async () => {
    const { report, stderr } = await train("--normalize --temperature 0.2 --learn-temperature --soft-cap 30");
    expect(stderr).toMatch(/temperature learned from 0\.2, .*logits capped at 30/);
    expect(report.temperature).not.toBeNull();
    expect(report.temperature).not.toBe(0.2);
  });

  it("weighs classes by a rule or a file", async () => {
    expect((await train("--class-weights inverse-frequency:0.5")).stderr).toContain("class weights 1/frequency^0.5");
    await writeFile(join(data, "weights.txt"), "2\n".repeat((await openDataset(join(data, "text"))).classes.size));
    const given = await train(`--class-weights ${join(data, "weights.txt")}`);
    expect(given.stderr).toContain("class weights as given");
    expect(given.report.temperature).toBeNull();
  });

  it("counts labels by propensities, and evaluates log-partition", async () => {
    const { stderr, run } = await train("--loss one-vs-all --propensity 0.55,1.5");
    expect(stderr).toContain("propensities by A 0.55, B 1.5");
    const { code, stdout } = await cli(["evaluate", run, "--metrics", "log-partition", "--json", "--workers", "1"]);
    expect(code).toBe(0);
    const { metrics } = JSON.parse(stdout) as { metrics: Record<string, number> };
    expect(metrics["log-partition"]).toBeGreaterThan(0);
  });
}, 30_000);
