import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logq, logqJson, remove, sampleTitles, temporaryFolder, write } from "./support.js";

type Results = { name: string; score: number }[];

let folder: string;
beforeAll(async () => {
  const xmlc = ["4 6 3", "0,1 0:1 1:0.5", "1 1:1 2:1", "2 3:2 4:1", "0,2 0:1 4:1"].join("\n");
  folder = await write(await temporaryFolder(), { "titles.tsv": sampleTitles(400), "xmlc.txt": xmlc });
  const columns = ["--text-column", "0", "--label-column", "1", "--split", "0.8,0.1,0.1"];
  await logqJson(folder, [
    "prepare",
    "labels",
    "--train",
    "titles.tsv",
    "--format",
    "tsv",
    ...columns,
    "--out",
    "data",
  ]);
  const options = "--loss full-softmax --dim 8 --batch 16 --epochs 6 --workers 2 --out run".split(" ");
  await logqJson(folder, ["train", "data", "--encoder", "features", ...options]);
}, 60_000);
afterAll(() => remove(folder));

describe("logq on labels", () => {
  it("evaluates with cross-entropy and perplexity by default", async () => {
    const { metrics } = await logqJson(folder, ["evaluate", "run"]);
    expect(Object.keys(metrics as object)).toEqual(["cross-entropy", "perplexity"]);
    expect((metrics as Record<string, number>)["cross-entropy"]).toBeLessThan(0.5);
  });

  it("measures propensity-scored precision, with the constants that are asked for", async () => {
    const line = ["evaluate", "run", "--metrics", "precision@1,psp@1"];
    const usual = (await logqJson(folder, line)).metrics as Record<string, number>;
    const amazon = (await logqJson(folder, [...line, "--propensity", "0.6,2.6"])).metrics as Record<string, number>;
    expect(usual["psp@1"]).toBeGreaterThan(0.5);
    expect(usual["psp@1"]).toBeLessThanOrEqual(1);
    expect(amazon["precision@1"]).toBe(usual["precision@1"]);
  });

  it.each(["0.6", "0.6,x", "-1,2", "1,2,3"])("refuses --propensity %s", async (law) => {
    const { code, stderr } = await logq(folder, ["evaluate", "run", "--metrics", "psp@1", "--propensity", law]);
    expect(code).toBe(2);
    expect(stderr).toContain("propensity");
  });

  it("takes features with weights, or the words of a row; a label may have a space", async () => {
    const features = await logqJson(folder, ["recommend", "run", "--features", "a3:2,b3", "--k", "1"]);
    expect((features.results as Results)[0]!.name).toBe("label 3");
    const words = await logqJson(folder, ["recommend", "run", "--words", "about a5 or b5", "--k", "1"]);
    expect((words.results as Results)[0]!.name).toBe("label 5");
  });

  it("neighbours by name and by id are the same", async () => {
    const byName = await logqJson(folder, ["neighbours", "run", "--class", "label 0", "--k", "3"]);
    const byId = await logqJson(folder, ["neighbours", "run", "--class-id", String(byName.id), "--k", "3"]);
    expect(byId).toEqual(byName);
  });

  it("reads the format of the Extreme Classification repository", async () => {
    const args = [
      "prepare",
      "labels",
      "--train",
      "xmlc.txt",
      "--test",
      "xmlc.txt",
      "--format",
      "xmlc",
      "--out",
      "xmlc",
    ];
    expect(await logqJson(folder, args)).toMatchObject({ classes: 3, splits: { test: { rows: 4, labels: 6 } } });
    const train = ["train", "xmlc", "--loss", "one-vs-all", "--batch", "2", "--workers", "1", "--out", "xmlc-run"];
    expect(await logqJson(folder, train)).toMatchObject({ loss: "one-vs-all", sampler: null });
    const { stderr } = await logq(folder, ["evaluate", "xmlc-run", "--metrics", "perplexity,precision@1"]);
    expect(stderr).toMatch(/^note: one-vs-all learns log-odds/);
  });

  it("a diverged run answers 3 and saves nothing", async () => {
    const options = [
      "--optimizer",
      "sgd",
      "--lr",
      "1e30",
      "--epochs",
      "5",
      "--workers",
      "1",
      "--out",
      join(folder, "gone"),
    ];
    const { code, stdout, stderr } = await logq(folder, ["train", "data", ...options, "--json"]);
    expect(stderr).toMatch(/^logq: step \d+ .*not finite.*; nothing was saved$/m);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  });
}, 60_000);
