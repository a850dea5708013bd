import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileBackend } from "@logq/blas";
import { keyFromSeed, RandomStream, STREAM } from "@logq/core";
import { computeLoss, lossDefaults } from "@logq/losses";
import { DESCRIBED_SAMPLERS, describeSampler } from "@logq/samplers";
import { expectChiSquare } from "@logq/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addContext, ErrorSums, meanRow } from "../src/samplers/gradient-error.js";
import { type Layer, logSoftmaxOf } from "../src/samplers/layer.js";
import { renewedPage } from "../src/samplers/page.js";
import type { Proposal } from "../src/samplers/proposal.js";
import { labelOf, measuredRows, proposalOf, type RowSpec } from "../src/samplers/rows.js";
import { cli, logq, logqJson, remove, sampleText, temporaryFolder, write } from "./support.js";

const FALSE_ALARM = 1e-6;
const PAGE = fileURLToPath(new URL("../../../docs/samplers.md", import.meta.url));

function smallLayer(n: number, D: number, contexts: number): Layer {
  const key = keyFromSeed("layer of tests");
  const normals = (count: number, item: number) => {
    const stream = new RandomStream(key, STREAM.measurement, 0, item);
    return Float32Array.from({ length: count }, (_, i) => stream.normal(i));
  };
  const parts = { n, D, scale: 1.25, rows: normals(n * D, 1), biases: normals(n, 2) };
  const hidden = normals(contexts * D, 3);
  return {
    ...parts,
    key,
    hidden,
    counts: Float64Array.from({ length: n }, (_, id) => Math.round(1000 / (id + 1))),
    targets: Int32Array.from({ length: contexts }, (_, i) => (3 * i + 1) % n),
    logSoftmax: Array.from({ length: contexts }, (_, i) => logSoftmaxOf(parts, hidden.subarray(i * D, (i + 1) * D))),
  };
}

describe("the list", () => {
  it("is one JSON object of what describeSampler says", async () => {
    const { code, stdout, stderr } = await cli(["samplers", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { samplers } = JSON.parse(stdout) as { samplers: { name: (typeof DESCRIBED_SAMPLERS)[number] }[] };
    expect(samplers.map(({ name }) => name)).toEqual([...DESCRIBED_SAMPLERS]);
    for (const sampler of samplers) expect(sampler).toMatchObject(describeSampler(sampler.name));
    expect(samplers.find(({ name }) => name === "unigram")).toMatchObject({ bytesPerClass: 20, biased: false });
    expect(samplers.find(({ name }) => name === "hard")).toMatchObject({ kind: "pool", biased: true });
  });

  it("names every sampler for people", async () => {
    const { stdout } = await cli(["samplers"]);
    for (const name of DESCRIBED_SAMPLERS) expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
  });
});

describe("the page", () => {
  it("docs/samplers.md lists what describeSampler says: `logq samplers --page docs/samplers.md` renews it", async () => {
    const page = await readFile(PAGE, "utf8");
    expect(renewedPage(page, PAGE, undefined)).toBe(page);
    for (const name of DESCRIBED_SAMPLERS) expect(page).toContain(describeSampler(name).draws);
  });

  it("is renewed between its markers and nowhere else", async () => {
    const folder = await temporaryFolder();
    try {
      const page = await readFile(PAGE, "utf8");
      const stale = page.replace(describeSampler("midx").draws, "Something else.");
      await write(folder, { "stale.md": stale, "plain.md": "# No place for a list" });
      expect((await cli(["samplers", "--page", join(folder, "stale.md"), "--json"])).stdout).toContain(
        '"changed":true',
      );
      expect(await readFile(join(folder, "stale.md"), "utf8")).toBe(`${page}\n`);
      expect((await cli(["samplers", "--page", join(folder, "stale.md")])).stdout).toContain("is up to date");
      const refused = await cli(["samplers", "--page", join(folder, "plain.md")]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("has no lines");
      expect((await cli(["samplers", "--page", join(folder, "none.md")])).code).toBe(2);
    } finally {
      await remove(folder);
    }
  });
});

describe("the error of the gradient", () => {
  it("is that of the losses' own gradients, over all draws of two of four classes", () => {
    const n = 5;
    const D = 3;
    const S = 2;
    const layer = smallLayer(n, D, 1);
    const target = layer.targets[0]!;
    const others = Array.from({ length: n }, (_, id) => id).filter((id) => id !== target);
    const outcomes = others.flatMap((a) => others.map((b) => [a, b] as const));
    const logQ = Math.log(S / others.length);
    // Uniform draws: each outcome as often as the others.
    const draws = 1000 * outcomes.length;
    const proposal: Proposal = {
      sampler: "uniform",
      options: {},
      bytes: 0,
      biased: false,
      law: null,
      draw(step, _, __, out) {
        out.ids.set(outcomes[step % outcomes.length]!);
        out.logQ.fill(logQ);
        return S;
      },
    };
    const sums = new ErrorSums(draws);
    addContext(layer, proposal, 0, S, draws, meanRow(layer, 0), sums);
    const { bias, error } = sums.errors(S);

    const temperature = 1 / layer.scale;
    const problem = { D, hidden: layer.hidden, table: layer.rows, bias: layer.biases!, targets: [target] };
    const full = computeLoss({ ...problem, spec: { ...lossDefaults("full-softmax").spec, temperature } });
    const spec = {
      ...lossDefaults("sampled-softmax").spec,
      correction: "partition",
      accidentalHits: "remove",
      temperature,
    } as const;
    const exact = full.hiddenGradient;
    const norm2 = exact.reduce((sum, value) => sum + value ** 2, 0);
    const mean = new Float64Array(D);
    let square = 0;
    for (const ids of outcomes) {
      const candidates = { ids: [...ids], logQ: [logQ, logQ] };
      const { hiddenGradient } = computeLoss({ ...problem, spec, candidates });
      for (let d = 0; d < D; d++) {
        const difference = hiddenGradient[d]! - exact[d]!;
        mean[d]! += difference / outcomes.length;
        square += difference ** 2 / outcomes.length;
      }
    }
    const ofMean = mean.reduce((sum, value) => sum + value ** 2, 0);
    expect(error).toBeCloseTo(Math.sqrt(square / norm2), 5);
    // What is taken off for noise is the variance of a mean of so many draws.
    const noise = (square - ofMean) / (draws - 1);
    expect(bias).toBeCloseTo(Math.sqrt(Math.max(0, ofMean - noise) / norm2), 5);
    expect(error).toBeGreaterThan(bias);
    expect(bias).toBeGreaterThan(0.01);
  });
});

function label({ name, ...options }: RowSpec): string {
  return labelOf(name, options);
}

describe("proposals", () => {
  const layer = smallLayer(60, 8, 2);
  const S = 64;
  const draws = 200;

  it.each(measuredRows(8).map((spec) => [label(spec), spec] as const))(
    `%s: draws by its law without the target, and tells its log Q; chi-square, false alarms ${FALSE_ALARM}`,
    async (_, spec) => {
      const proposal = proposalOf(spec, layer, await compileBackend("reference", false), S);
      const out = { ids: new Int32Array(S), logQ: new Float64Array(S) };
      const context = 1;
      const target = layer.targets[context]!;
      const law = new Float64Array(layer.n);
      proposal.law?.(context, law);
      const q = law.map(Math.exp);
      const left = 1 - q[target]!;
      const observed = new Float64Array(layer.n);
      let worst = 0;
      for (let step = 0; step < draws; step++) {
        const count = proposal.draw(step, context, S, out);
        expect(count).toBeGreaterThan(0);
        for (let i = 0; i < count; i++) {
          observed[out.ids[i]!]!++;
          worst = Math.max(worst, Math.abs(out.logQ[i]! - Math.log((count * q[out.ids[i]!]!) / left)));
        }
      }
      if (proposal.law === null) {
        expect(proposal.biased).toBe(true);
        return;
      }
      expect(q.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
      expect(observed[target]).toBe(0);
      // The shares that in-batch and its kin learn are estimates, and those of a ring move with it.
      const estimated = ["in-batch", "mixed", "cross-batch"].includes(proposal.sampler);
      if (!estimated) expect(worst).toBeLessThan(1e-4);
      const counts = layer.counts;
      const total = counts.reduce((sum, value) => sum + value, 0);
      const known = Float64Array.from(counts, (value) =>
        proposal.sampler === "mixed" ? 0.5 * (value / total + 1 / layer.n) : value / total,
      );
      const p = estimated ? known : q;
      const expected = Float64Array.from(p, (value, id) =>
        id === target ? 0 : (draws * S * value) / (1 - p[target]!),
      );
      // Half of what mixed brings are its batch's targets, exactly: that is less than multinomial chance, so the bound holds.
      expectChiSquare(observed, expected, { falseAlarmRate: FALSE_ALARM });
    },
  );
});

describe("on a run", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await write(await temporaryFolder(), {
      "train.txt": sampleText(300, 40),
      "valid.txt": sampleText(30, 40),
    });
    await logqJson(folder, ["prepare", "text", "--train", "train.txt", "--validation", "valid.txt", "--out", "data"]);
    const model =
      "--encoder window --window 2 --hidden 16 --loss sampled-softmax --sampler unigram --negatives 8 --dim 8";
    await logqJson(folder, ["train", "data", ...model.split(" "), "--epochs", "2", "--workers", "1", "--out", "run"]);
  }, 60_000);
  afterAll(() => remove(folder));

  it("measures every row; the softmax itself is at distance 0 and has the least error", async () => {
    const answer = await logqJson(folder, ["samplers", "--run", "run", "--contexts", "6", "--draws", "10"]);
    expect(answer).toMatchObject({
      split: "validation",
      classes: 41,
      dim: 8,
      contexts: 6,
      draws: 10,
      form: "partition",
    });
    const rows = answer.samplers as { sampler: string; kl: number | null; gradient: { S: number; error: number }[] }[];
    expect(rows.map(({ sampler }) => sampler)).toEqual(measuredRows(8).map(({ name }) => name));
    const exact = rows.at(-1)!;
    expect(Math.abs(exact.kl!)).toBeLessThan(1e-9);
    const uniform = rows[0]!;
    expect(uniform.kl!).toBeGreaterThan(0.1);
    for (const [i, { S, error }] of exact.gradient.entries()) {
      expect(error).toBeLessThan(uniform.gradient[i]!.error);
      if (S === 16) expect(error).toBeGreaterThan(0.01);
    }
  });

  it("prints a table for people, and all else on stderr", async () => {
    const args = ["samplers", "--run", "run", "--contexts", "2", "--draws", "2", "--sampler", "unigram"];
    const { code, stdout, stderr } = await logq(folder, args);
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => /^(unigram|exact softmax)/.test(line))).toHaveLength(3);
    expect(stdout).toContain("target excluded from draws");
    expect(stderr).toContain("2 contexts of the validation part");
  });

  it("refuses what does not go together", async () => {
    for (const [args, words] of [
      [["--run", join(folder, "data")], "it is a dataset"],
      [["--run", join(folder, "run"), "--speed"], "are different things to do"],
      [["--converge"], "name it with --run or --data"],
      [["--converge", "--speed"], "are different things to do"],
      [["--run", join(folder, "run"), "--split", "test"], "the test part of the dataset has no examples"],
      [["--sampler", "given"], "Allowed choices"],
    ] as const) {
      const { code, stdout, stderr } = await cli(["samplers", ...args]);
      expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(words);
    }
  });
});

describe("--speed", () => {
  it("times draws and refreshes, and says where", async () => {
    const wanted = ["--sampler", "unigram", "in-batch", "midx", "lsh"];
    const { code, stdout } = await cli([
      "samplers",
      "--speed",
      "--classes",
      "200,300",
      "--dim",
      "8",
      ...wanted,
      "--json",
    ]);
    expect(code).toBe(0);
    const { samplers, steps, machine, left } = JSON.parse(stdout);
    expect(left).toEqual([]);
    expect(machine.cores).toBeGreaterThan(0);
    expect(steps.map(({ classes }: { classes: number }) => classes)).toEqual([200, 300]);
    expect(new Set(samplers.map(({ sampler }: { sampler: string }) => sampler))).toEqual(new Set(wanted.slice(1)));
    for (const { classes, nanosecondsPerDraw, ofStep, update } of samplers) {
      const { milliseconds } = steps.find((step: { classes: number }) => step.classes === classes);
      expect(ofStep * milliseconds).toBeCloseTo((256 * 64 * nanosecondsPerDraw) / 1e6, 6);
      expect([200, 300]).toContain(classes);
      expect(nanosecondsPerDraw).toBeGreaterThan(0);
      if (update !== null) expect(update.nanoseconds).toBeGreaterThan(0);
    }
  });
});

describe("--speed of pools and rings", () => {
  it("times them, a ring by all the candidates that it has", async () => {
    const wanted = ["cross-batch", "hard", "two-pass"];
    const { code, stdout } = await cli([
      "samplers",
      "--speed",
      "--classes",
      "5000",
      "--dim",
      "8",
      "--sampler",
      ...wanted,
      "--json",
    ]);
    expect(code).toBe(0);
    const { samplers } = JSON.parse(stdout) as {
      samplers: { sampler: string; options: object; nanosecondsPerDraw: number }[];
    };
    expect(samplers.map(({ sampler }) => sampler)).toEqual(wanted);
    expect(samplers[0]!.options).toEqual({ batches: 3 });
    expect(samplers[1]!.options).toEqual({ pool: "4S of unigram" });
    for (const { nanosecondsPerDraw } of samplers) expect(nanosecondsPerDraw).toBeGreaterThan(0);
  });
});

describe("--speed of trees", () => {
  it("times both with rows of bfloat16 too, which take fewer bytes", async () => {
    const args = ["--classes", "300", "--dim", "64", "--sampler", "quadratic-kernel", "random-features"];
    const { code, stdout } = await cli(["samplers", "--speed", ...args, "--json"]);
    expect(code).toBe(0);
    const { samplers, left } = JSON.parse(stdout) as {
      samplers: { sampler: string; options: Record<string, unknown>; bytes: number }[];
      left: string[];
    };
    expect(left).toEqual([]);
    for (const name of ["quadratic-kernel", "random-features"]) {
      const [wide, narrow] = samplers.filter(({ sampler }) => sampler === name);
      expect([wide!.options, narrow!.options]).toEqual([{}, { tableType: "bfloat16" }]);
      expect(wide!.bytes - narrow!.bytes).toBe(2 * 300 * 64);
    }
  });
});

describe("help", () => {
  it("has examples, the exit codes and lines that fit", async () => {
    const { stdout } = await cli(["samplers", "--help"]);
    expect(stdout).toMatch(/^Examples?:\n {2}logq samplers/m);
    expect(stdout).toMatch(/^Exit codes:$/m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(130);
  });
});
