import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { availableBackends } from "@logq/blas";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, names, remove, sampleText, temporaryFolder, write } from "./support.js";

let folder: string;
let prepared: Record<string, unknown>;
let trained: Record<string, unknown>;

beforeAll(async () => {
  const text = { "train.txt": `${sampleText(300)} once`, "test.txt": sampleText(20), "valid.txt": sampleText(10) };
  folder = await write(await temporaryFolder(), text);
  const files = ["--train", "train.txt", "--validation", "valid.txt", "--test", "test.txt"];
  prepared = await logqJson(folder, ["prepare", "text", ...files, "--min-count", "2", "--out", "data"]);
  const model = "--encoder window --window 2 --hidden 16 --loss sampled-softmax --sampler log-uniform --negatives 8";
  const length = "--dim 8 --batch 32 --epochs 3 --optimizer adagrad --lr 0.2 --workers 2 --seed 7 --out runs/text";
  trained = await logqJson(folder, ["train", "data", ...model.split(" "), ...length.split(" ")]);
}, 60_000);
afterAll(() => remove(folder));

describe("logq on a text", () => {
  it("prepare: the summary counts classes and parts", () => {
    expect(prepared).toMatchObject({ kind: "text", classes: 22, dataset: join(folder, "data") });
    expect(prepared.splits).toEqual({
      train: { lines: 300, tokens: 3301 },
      validation: { lines: 10, tokens: 110 },
      test: { lines: 20, tokens: 220 },
    });
  });

  it("train: the report says what was trained, how fast and how well", async () => {
    expect(trained).toMatchObject({
      run: join(folder, "runs", "text"),
      data: join(folder, "data"),
      loss: "sampled-softmax",
      sampler: "log-uniform",
      classes: 22,
      steps: 312,
      examples: 9903,
      backend: (await availableBackends())[0],
      ended: "finished",
      probeSplit: "validation",
    });
    for (const key of ["seconds", "examplesPerSecond", "peakMemoryBytes", "probeCrossEntropy"]) {
      expect(trained[key], key).toBeGreaterThan(0);
    }
    expect(trained.validations).toHaveLength(3);
  });

  it("evaluate: exact metrics, below the 2.9 nats of words that do not know their context", async () => {
    const list = "cross-entropy,perplexity,precision@1,recall@20,ndcg@20";
    const answer = await logqJson(folder, ["evaluate", "runs/text", "--split", "test", "--metrics", list]);
    expect(answer).toMatchObject({ split: "test", examples: 220 });
    const metrics = answer.metrics as Record<string, number>;
    expect(Object.keys(metrics)).toEqual(list.split(","));
    expect(metrics["cross-entropy"]).toBeLessThan(1.8);
    expect(metrics.perplexity).toBeCloseTo(Math.exp(metrics["cross-entropy"]!), 9);
    expect(answer.seconds).toBeGreaterThan(0);
  });

  it("recommend: the words that follow, by name; unknown words are noted", async () => {
    const args = ["recommend", "runs/text", "--words", "nothing w3 w4", "--k", "2"];
    const answer = await logqJson(folder, args);
    const results = answer.results as { rank: number; id: number; name: string; score: number }[];
    expect(results.map(({ name }) => name).sort()).toEqual(["w5", "w6"]);
    expect(results.map(({ rank }) => rank)).toEqual([1, 2]);
    const { stdout, stderr } = await logq(folder, args);
    expect(stdout).toMatch(/^rank {2}name +score\n {3}1 {2}w[56] +-?\d+\.\d{4}\n {3}2 {2}w[56] +-?\d+\.\d{4}\n$/);
    expect(stderr).toBe("note: unknown words: nothing\n");
  });

  it("neighbours: cosines in descending order, the class itself left out", async () => {
    const { results } = await logqJson(folder, ["neighbours", "runs/text", "--class", "w3", "--k", "100"]);
    const list = results as { name: string; score: number }[];
    expect(list).toHaveLength(21);
    expect(list.some(({ name }) => name === "w3")).toBe(false);
    const scores = list.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(Math.max(...scores.map(Math.abs))).toBeLessThanOrEqual(1 + 1e-6);
  });

  it("for people: a block and progress on stderr, a table on stdout, and no perplexity of a sampled loss", async () => {
    const { code, stdout, stderr } = await logq(folder, [
      "train",
      "data",
      "--max-steps",
      "20",
      "--backend",
      "wasm",
      "--out",
      "runs/second",
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^data {7}text, 22 classes, 3,301 training examples$/m);
    expect(stderr).toMatch(/^encoder {4}window: mean of the 5 previous words, 64 wide/m);
    expect(stderr).toMatch(/^loss {7}sampled-softmax, importance correction, accidental hits kept/m);
    expect(stderr).toMatch(/^machine {4}back-end wasm, \d+ workers?$/m);
    expect(stderr).toMatch(/^memory {5}tables \d.* optimizer state \d.* scratch \d/m);
    expect(stdout).toMatch(/^training loss {2}\d\.\d{4} \(sampled-softmax, .*sampled: no cross-entropy\)$/m);
    expect(stdout).toMatch(/^exact probe {4}cross-entropy \d\.\d{4} nats \(validation\)$/m);
    expect(stdout + stderr).not.toMatch(/perplexity/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(stdout + stderr).not.toMatch(/\u001b|\r/);
  });

  it("with tables of half the size says so, and the run is evaluated like any other", async () => {
    const flags = ["--table-type", "bfloat16", "--max-steps", "20", "--out", "runs/second"];
    const { code, stderr } = await logq(folder, ["train", "data", ...flags]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^memory {5}tables of bfloat16 \d/m);
    const { metrics } = await logqJson(folder, ["evaluate", "runs/second", "--split", "test"]);
    expect(Object.values(metrics as Record<string, number>).every(Number.isFinite)).toBe(true);
  });

  it("with one table for inputs and classes says so, and either is exported and asked alike", async () => {
    const flags = ["--tied", "--hidden", "8", "--dim", "8", "--max-steps", "20", "--out", "runs/second"];
    const { code, stderr } = await logq(folder, ["train", "data", ...flags]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^encoder {4}window: 5 previous words side by side, 8 wide, in one table with the classes/m);
    const { metrics } = await logqJson(folder, ["evaluate", "runs/second", "--split", "test"]);
    expect(Object.values(metrics as Record<string, number>).every(Number.isFinite)).toBe(true);
    const tables = ["classes", "inputs"].map(async (table) => {
      const file = join(folder, `${table}.npy`);
      await logqJson(folder, ["export", "runs/second", "--format", "npy", "--table", table, "--out", file]);
      const { results } = await logqJson(folder, ["neighbours", "runs/second", "--class", "w3", "--table", table]);
      const bytes = await readFile(file);
      await remove(file);
      return { bytes, results };
    });
    const [classes, inputs] = await Promise.all(tables);
    expect(inputs).toEqual(classes);
  });

  it("refuses one table where rows have two widths, in the words of the command line", async () => {
    const { code, stderr } = await logq(folder, ["train", "data", "--tied", "--embedding", "5", "--out", "runs/never"]);
    expect(code).toBe(2);
    expect(stderr).toBe("logq: tied tables have rows of one width: embedding 5 is not dim 64\n");
  });

  it("leaves nothing but results behind, and replaces an older run", async () => {
    await logqJson(folder, ["train", "data", "--max-steps", "1", "--out", "runs/second"]);
    expect(await names(folder)).toEqual(["data", "runs", "test.txt", "train.txt", "valid.txt"]);
    expect(await names(join(folder, "runs"))).toEqual(["second", "text"]);
  });

  it("the same seed gives the same model with another number of workers", async () => {
    for (const workers of ["1", "2"]) {
      const args = ["--max-steps", "30", "--seed", "3", "--workers", workers, "--out", `runs/with-${workers}`];
      await logqJson(folder, ["train", "data", ...args]);
      await logqJson(folder, ["export", `runs/with-${workers}`, "--format", "npy", "--out", `${workers}.npy`]);
    }
    const [one, two] = await Promise.all(["1", "2"].map((workers) => readFile(join(folder, `${workers}.npy`))));
    expect(one!.equals(two!)).toBe(true);
    await Promise.all(["1.npy", "2.npy", "runs/with-1", "runs/with-2"].map((name) => remove(join(folder, name))));
  });
}, 60_000);
