import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, remove, sampleText, temporaryFolder, write } from "./support.js";

let folder: string;
let trained: Record<string, unknown>;

beforeAll(async () => {
  folder = await write(await temporaryFolder(), { "corpus.txt": sampleText(300) });
  await logqJson(folder, ["prepare", "text", "--train", "corpus.txt", "--out", "data"]);
  const recipe = "--recipe skipgram --dim 8 --subsample 1e-2 --epochs 2 --batch 64 --workers 2";
  trained = await logqJson(folder, ["train", "data", ...recipe.split(" "), "--out", "run"]);
}, 60_000);
afterAll(() => remove(folder));

describe("logq train --recipe", () => {
  it("reports words, and words per second in all and for each thread", () => {
    const { words, wordsPerSecond, wordsPerSecondPerThread, examples } = trained as Record<string, number>;
    expect(words).toBe(2 * 3300);
    expect(examples).toBeLessThan(words!);
    expect(wordsPerSecond).toBeGreaterThan(0);
    expect(wordsPerSecondPerThread).toBeCloseTo(wordsPerSecond! / 2, 6);
    expect(trained).toMatchObject({ loss: "negative-sampling", ended: "finished" });
  });

  it("says what the recipe chose, and yields to other flags", async () => {
    const args = ["train", "data", "--recipe", "cbow", "--window", "3", "--no-within-line", "--no-dynamic-window"];
    const { code, stdout, stderr } = await logq(folder, [...args, "--max-steps", "5", "--out", "other"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^encoder {4}window: sum of the 3 words on each side, 128 wide, subsampled at 0.0001, D 128$/m,
    );
    expect(stderr).toMatch(/^loss {7}negative-sampling, no correction, accidental hits kept, no class bias$/m);
    expect(stderr).toMatch(/^sampler {4}unigram\^0.75, 64 candidates a batch counted as 5 a label, with replacement$/m);
    expect(stderr).toMatch(/^optimizer {2}sgd, rate 0.05, linear$/m);
    expect(stdout).toMatch(/ words\/s\/thread\)$/m);
  });
}, 60_000);

describe("a run by recipe", () => {
  /** The numbers of a word in an exported text. */
  async function vectorOf(word: string, flags: readonly string[]): Promise<string> {
    await logqJson(folder, ["export", "run", "--format", "word2vec", "--out", "vectors.txt", ...flags]);
    const lines = (await readFile(join(folder, "vectors.txt"), "utf8")).split("\n");
    return lines.find((line) => line.startsWith(`${word} `))!;
  }

  it("export: word vectors are the embeddings of inputs, unless classes are asked for", async () => {
    const usual = await vectorOf("w3", []);
    expect(usual.split(" ")).toHaveLength(9);
    expect(usual).toBe(await vectorOf("w3", ["--table", "inputs"]));
    expect(usual).not.toBe(await vectorOf("w3", ["--table", "classes"]));
  });

  it("neighbours: of the embeddings of inputs, unless classes are asked for", async () => {
    const ask = (...flags: string[]) => logqJson(folder, ["neighbours", "run", "--class", "w3", ...flags]);
    const usual = await ask();
    expect(usual).toMatchObject({ table: "inputs", class: "w3" });
    expect(usual).toEqual(await ask("--table", "inputs"));
    expect((await ask("--table", "classes")).results).not.toEqual(usual.results);
    const scores = (usual.results as { score: number; name: string }[]).map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it("recommend and evaluate work: a word predicts its neighbours", async () => {
    const { results } = await logqJson(folder, ["recommend", "run", "--words", "w3", "--k", "3"]);
    expect(results).toHaveLength(3);
    const { metrics } = await logqJson(folder, ["evaluate", "run", "--split", "train", "--limit", "50"]);
    expect((metrics as Record<string, number>)["cross-entropy"]).toBeGreaterThan(0);
  });
}, 60_000);
