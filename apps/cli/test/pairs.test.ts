import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, remove, sampleAdjacency, temporaryFolder, write } from "./support.js";

type Results = { name: string; score: number }[];

let folder: string;

beforeAll(async () => {
  const adjacency = sampleAdjacency(60);
  const csv = adjacency.split("\n").flatMap((line) =>
    line
      .split(" ")
      .slice(1)
      .map((item, i) => `${line.split(" ")[0]},"${item}",${i}`),
  );
  folder = await write(await temporaryFolder(), {
    "train.txt": adjacency,
    "train.csv": ["who,what,when", ...csv].join("\n"),
  });
  await logqJson(folder, ["prepare", "pairs", "--train", "train.txt", "--format", "adjacency", "--out", "data"]);
  const options = "--sampler uniform --negatives 6 --exclude seen --dim 8 --batch 16 --epochs 20 --workers 1".split(
    " ",
  );
  await logqJson(folder, ["train", "data", "--encoder", "user", ...options, "--out", "users"]);
  await logqJson(folder, ["train", "data", "--encoder", "history", "--window", "4", ...options, "--out", "histories"]);
}, 60_000);
afterAll(() => remove(folder));

describe("logq on pairs", () => {
  it("recommends to a user what such users choose, without what the user has", async () => {
    const { results, excluded } = await logqJson(folder, ["recommend", "users", "--user", "user0", "--k", "1"]);
    expect(excluded).toBe(5);
    expect((results as Results)[0]!.name).toBe("item10");
  });

  it("--keep-seen needs no dataset, and answers with what the user has", async () => {
    await rename(join(folder, "data"), join(folder, "moved"));
    try {
      const args = ["recommend", "users", "--user", "user0", "--k", "6"];
      const { results } = await logqJson(folder, [...args, "--keep-seen"]);
      expect((results as Results).map(({ name }) => name)).toContain("item0");
      const without = await logq(folder, args);
      expect(without.code).toBe(2);
      expect(without.stderr).toMatch(/^logq: .*data does not exist: there is no dataset in it\n$/);
      const moved = await logqJson(folder, [...args, "--data", "moved"]);
      expect((moved.results as Results).map(({ name }) => name)).not.toContain("item0");
    } finally {
      await rename(join(folder, "moved"), join(folder, "data"));
    }
  });

  it("a history is given as items or as a user of the dataset", async () => {
    const items = await logqJson(folder, ["recommend", "histories", "--items", "item1,item3,item5", "--k", "2"]);
    expect(items.excluded).toBe(3);
    for (const { name } of items.results as Results) expect(["item7", "item9", "item11"]).toContain(name);
    const user = await logqJson(folder, ["recommend", "histories", "--user", "user0", "--k", "1"]);
    expect((user.results as Results)[0]!.name).toBe("item10");
  });

  it("leave-one-out and named columns; evaluation ranks by default", async () => {
    const columns = ["--user-column", "who", "--item-column", "what", "--time-column", "when"];
    const prepare = ["prepare", "pairs", "--train", "train.csv", "--format", "csv", ...columns];
    const summary = await logqJson(folder, [...prepare, "--split", "leave-one-out", "--out", "loo"]);
    expect(summary.splits).toMatchObject({
      train: { interactions: 180 },
      validation: { interactions: 60 },
      test: { interactions: 60 },
    });
    await logqJson(folder, ["train", "loo", "--epochs", "2", "--batch", "16", "--workers", "1", "--out", "loo-run"]);
    const answer = await logqJson(folder, ["evaluate", "loo-run", "--metrics", "recall@3,ndcg@3"]);
    expect(answer).toMatchObject({ split: "test", examples: 60, labels: 60 });
  });

  it("exports the users' table with their names", async () => {
    const args = ["export", "users", "--format", "word2vec", "--table", "inputs", "--out", "deep/users.txt"];
    expect(await logqJson(folder, args)).toMatchObject({ tables: [{ name: "encoder.embedding", shape: [60, 8] }] });
  });
}, 60_000);
