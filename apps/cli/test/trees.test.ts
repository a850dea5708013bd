import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, remove, sampleText, temporaryFolder, write } from "./support.js";

let folder: string;

beforeAll(async () => {
  folder = await write(await temporaryFolder(), { "corpus.txt": sampleText(200), "other.txt": sampleText(50, 7) });
  for (const name of ["corpus", "other"]) {
    const split = ["--split", "0.8,0.1,0.1"];
    await logqJson(folder, ["prepare", "text", "--train", `${name}.txt`, ...split, "--out", name]);
  }
}, 60_000);
afterAll(() => remove(folder));

const trainFlags = (data: string, out: string) =>
  `train ${data} --loss hierarchical-softmax --window 1 --dim 8 --batch 32 --epochs 20 --workers 2 --out ${out}`.split(
    " ",
  );

describe("logq train --loss hierarchical-softmax", () => {
  it("says what its tree is; the run is evaluated, asked and exported", async () => {
    const { code, stderr } = await logq(folder, trainFlags("corpus", "run"));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^loss {7}hierarchical-softmax, .*, a tree by huffman: 4\.\d decisions a label on average, 5 at most$/m,
    );
    expect(stderr).toMatch(/^sampler {4}none: a label is decided for on its path$/m);
    const { metrics } = await logqJson(folder, ["evaluate", "run", "--metrics", "perplexity,recall@5"]);
    // After each word come two, and a line ends after ten.
    expect((metrics as Record<string, number>).perplexity).toBeLessThan(4);
    const evaluated = await logq(folder, ["evaluate", "run"]);
    expect(evaluated.stderr).not.toMatch(/note/);
    const { results } = await logqJson(folder, ["recommend", "run", "--words", "w3", "--k", "2"]);
    expect((results as { name: string }[]).map(({ name }) => name).sort()).toEqual(["w4", "w5"]);
    const near = await logqJson(folder, ["neighbours", "run", "--class", "w3"]);
    expect(near).toMatchObject({ table: "inputs" });
    const refused = await logq(folder, ["export", "run", "--format", "npy", "--table", "classes", "--out", "x.npy"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/no table of its classes; it has nodes, node-bias, encoder\.embedding/);
  });

  it("plants a tree by 2-means of another run's vectors, if they are of the same classes", async () => {
    const words = ["--recipe", "skipgram", "--dim", "6", "--subsample", "0", "--max-steps", "20", "--workers", "1"];
    for (const name of ["corpus", "other"]) await logqJson(folder, ["train", name, ...words, "--out", `of-${name}`]);
    const flags = (run: string) => [...trainFlags("corpus", "clustered"), "--tree", "two-means", "--tree-vectors", run];
    const { code, stderr } = await logq(folder, flags("of-corpus"));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/a tree by two-means: 4\.\d decisions a label on average, 5 at most/);
    const refused = await logq(folder, flags("of-other"));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/--tree-vectors of-other has no vectors of these classes/);
  });
}, 60_000);
