import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DESCRIBED_SAMPLERS } from "@logq/samplers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConvergeSetting, Training } from "../src/samplers/converge/log.js";
import { middlesFirst, nextSize, type Tried } from "../src/samplers/converge/sizes.js";
import { subjects } from "../src/samplers/converge/subjects.js";
import { summarise } from "../src/samplers/converge/summary.js";
import { convergedMarkdown } from "../src/samplers/converge/table.js";
import { renewedPage, TRAININGS } from "../src/samplers/page.js";
import { logq, logqJson, remove, sampleText, temporaryFolder, write } from "./support.js";

/** The sizes that are tried where the excess at a size is `excess`. */
function walk(sizes: readonly number[], excess: (S: number) => number): number[] {
  const tried: Tried[] = [];
  for (let S = nextSize(sizes, tried); S !== undefined; S = nextSize(sizes, tried)) {
    tried.push({ negatives: S, excess: excess(S) });
  }
  return tried.map(({ negatives }) => negatives);
}

describe("the sizes of a grid", () => {
  it("begin in the middle", () => {
    expect(middlesFirst([16, 64, 256, 1024])).toEqual([64, 16, 256, 1024]);
    expect(middlesFirst([1, 2, 3, 4, 5, 6, 7])).toEqual([4, 2, 6, 1, 3, 5, 7]);
    expect(middlesFirst([])).toEqual([]);
  });

  it.each([
    ["all are far", () => 0.5, [64, 16, 256, 1024]],
    ["all are settled", () => 0, [64, 16]],
    ["full softmax is worse", () => -0.1, [64, 16]],
    ["the least near one lies in a gap", (S: number) => 2 / S, [64, 16, 256, 1024, 128]],
    ["a gap is halved until it is one of two", (S: number) => (S < 300 ? 0.5 : 0), [64, 16, 256, 1024, 512]],
    ["a training diverges", (S: number) => (S === 64 ? Number.NaN : 0), [64, 16]],
  ] as const)("%s", (_, excess, expected) => {
    expect(walk([16, 64, 256, 1024], excess)).toEqual(expected);
  });

  it("are capped for rows' own candidates and for pools, and none where the batch brings them", () => {
    const all = subjects(64, [16, 64, 256, 1024]);
    const of = (name: string) => all.find(({ sampler }) => sampler === name)!.sizes;
    expect(of("unigram")).toEqual([16, 64, 256, 1024]);
    expect(of("midx")).toEqual([16, 64, 128]);
    expect(of("two-pass")).toEqual([16, 64, 256]);
    expect(of("in-batch")).toEqual([null]);
  });

  it("are of every sampler that has candidates to train with", () => {
    const names = new Set(subjects(64, [16]).map(({ sampler }) => sampler));
    expect([...DESCRIBED_SAMPLERS].filter((name) => !names.has(name))).toEqual(["given"]);
  });
});

const SETTING: ConvergeSetting = {
  data: "words",
  kind: "text",
  classes: 1000,
  split: "validation",
  metric: "cross-entropy",
  limit: 100,
  steps: 50,
  batch: 8,
  dim: 4,
  model: {},
};

function training(sampler: string, negatives: number | null, seed: number, value: number | null): Training {
  const metrics = value === null ? null : { [SETTING.metric]: value };
  const machine = { stepMilliseconds: 2 * seed, workers: 1, backend: "reference", cpu: "any", load: 0 };
  return { sampler, options: {}, negatives, seed, metrics, ...machine };
}

describe("a summary", () => {
  const trainings = [
    training("full softmax", null, 1, 5),
    training("unigram", 64, 1, 5.2),
    training("unigram", 16, 1, 6),
    training("unigram", 256, 1, 5.02),
    training("hard", 16, 1, null),
    training("full softmax", null, 2, 7),
    training("unigram", 64, 2, 7.4),
  ];
  const { full, samplers } = summarise({ setting: SETTING, trainings });

  it("compares a mean over seeds with full softmax of the same seeds", () => {
    expect(full).toMatchObject({ mean: 6, seeds: 2, trainingSeconds: 0.15 });
    expect(full!.spread).toBeCloseTo(Math.SQRT2, 12);
    const [unigram] = samplers;
    expect(unigram!.sizes.map(({ negatives }) => negatives)).toEqual([16, 64, 256]);
    const [, two, one] = unigram!.sizes;
    expect(two!.excess).toBeCloseTo(6.3 / 6 - 1, 12);
    expect(one!.excess).toBeCloseTo(5.02 / 5 - 1, 12);
    expect(one!.spread).toBeUndefined();
    expect(unigram!.least).toBe(one);
  });

  it("of a ranking takes the greater for the better, and names no size where a training diverged", () => {
    const setting = { ...SETTING, metric: "recall@20" };
    const ranked = (sampler: string, negatives: number | null, value: number) => ({
      ...training(sampler, negatives, 1, 0),
      metrics: { "recall@20": value },
    });
    const of = [ranked("full softmax", null, 0.1), ranked("uniform", 16, 0.08), ranked("uniform", 64, 0.12)];
    expect(summarise({ setting, trainings: of }).samplers[0]!.least!.negatives).toBe(64);
    expect(samplers[1]!.sizes[0]!.mean).toBeNaN();
    expect(samplers[1]!.least).toBeUndefined();
  });

  it("is a section of a page", () => {
    const section = convergedMarkdown({ setting: SETTING, trainings });
    expect(section).toContain("| unigram | 6.000 | 6.300 ± 1.556 | 5.020 | 256 | 0.10 s |");
    expect(section).toContain("| hard | diverged |");
    expect(section).toContain("Full softmax: 6.000 ± 1.414");
  });
});

describe("--converge", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await write(await temporaryFolder(), {
      "train.txt": sampleText(300, 40),
      "valid.txt": sampleText(30, 40),
    });
    await logqJson(folder, ["prepare", "text", "--train", "train.txt", "--validation", "valid.txt", "--out", "data"]);
    const model = "--window 2 --hidden 16 --negatives 8 --dim 8 --batch 32 --epochs 1 --workers 1";
    await logqJson(folder, ["train", "data", ...model.split(" "), "--out", "run"]);
  }, 60_000);
  afterAll(() => remove(folder));

  const flags = "--converge --steps 30 --negatives 4,16 --limit 100 --workers 1".split(" ");
  const columns = ({ sampler, negatives, seed }: Training) => [sampler, negatives, seed];

  it("trains a run's model anew with every sampler, full softmax first, with each seed at the sizes of the first", async () => {
    const some = ["--sampler", "unigram", "in-batch", "midx", "two-pass", "--seeds", "1,2"];
    const answer = await logqJson(folder, ["samplers", "--run", "run", ...flags, ...some]);
    const trainings = answer.trainings as Training[];
    const sizes = trainings.filter(({ seed }) => seed === 1).map(columns);
    expect(trainings[0]).toMatchObject({ sampler: "full softmax", seed: 1 });
    expect(new Set(trainings.filter(({ seed }) => seed === 2).map((one) => String(columns(one).slice(0, 2))))).toEqual(
      new Set(sizes.map((column) => String(column.slice(0, 2)))),
    );
    for (const name of ["unigram", "in-batch", "midx", "two-pass"]) {
      expect(trainings.some(({ sampler }) => sampler === name)).toBe(true);
    }
    for (const { metrics, stepMilliseconds } of trainings) {
      expect(metrics!["cross-entropy"]).toBeGreaterThan(0);
      expect(metrics!["cross-entropy"]).toBeLessThan(1.5 * Math.log(41));
      expect(stepMilliseconds).toBeGreaterThan(0);
    }
    expect(answer).toMatchObject({ dim: 8, batch: 32, steps: 30, metric: "cross-entropy", split: "validation" });
  });

  it("keeps what is finished and goes on with it, after a line that was cut off as well", async () => {
    const args = ["samplers", "--data", "data", ...flags, "--dim", "8", "--batch", "32", "--sampler", "uniform"];
    const out = ["--out", "kept"];
    const first = await logqJson(folder, [...args, ...out]);
    const file = join(folder, "kept", "data.jsonl");
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines).toHaveLength((first.trainings as unknown[]).length + 2);
    await writeFile(file, `${lines.slice(0, -2).join("\n")}\n`);
    await appendFile(file, lines.at(-2)!.slice(0, 20));
    const { code, stderr } = await logq(folder, [...args, ...out]);
    expect(code).toBe(0);
    expect(stderr.split("\n").filter((line) => line.includes("seed"))).toHaveLength(1);
    const again = (await readFile(file, "utf8")).split("\n").map((line) => (line === "" ? {} : JSON.parse(line)));
    expect(again.map(({ metrics }) => metrics)).toEqual(
      lines.map((line) => (line === "" ? {} : JSON.parse(line))).map(({ metrics }) => metrics),
    );
    const other = await logq(folder, [...args, "--steps", "31", ...out]);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("steps is 30 there, not 31");
  });

  it("makes its part of a page from what was kept, and leaves it where nothing is named", async () => {
    const lists = "<!-- samplers: written by `logq samplers --page`; do not edit -->\n<!-- samplers: end -->\n";
    await write(folder, { "page.md": `${lists}\n${TRAININGS.begin}\n${TRAININGS.end}\n` });
    expect((await logq(folder, ["samplers", "--page", "page.md", "--from", "kept"])).code).toBe(0);
    const page = await readFile(join(folder, "page.md"), "utf8");
    expect(page).toMatch(
      /\*\*data\.\*\* Exact cross-entropy[\s\S]*\| uniform \|[\s\S]*\| uniform \(replacement false\) \|/,
    );
    expect(renewedPage(page, "page.md", undefined)).toBe(page);
    expect((await logq(folder, ["samplers", "--page", "page.md", "--from", "run"])).stderr).toContain("no trainings");
  });
});
