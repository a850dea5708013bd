import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeHead, openDataset, preparePairs, prepareText, readHead } from "@logq/datasets";
import { beforeAll, describe, expect, it } from "vitest";
import { RUN_FORMAT } from "../dist/checkpoint/format.js";
import {
  evaluateRun,
  isRun,
  loadModel,
  readNames,
  readRun,
  saveModel,
  type TrainOptions,
  train,
} from "../dist/index.js";
import { withDirectory } from "./support/directories.js";
import { readTables } from "./support/engines.js";
import { expectSameAfterLoading } from "./support/round-trip.js";
import { savedRun, smallDataset, smallSynthetic, withTrained, withTrainer } from "./support/runs.js";

const METRICS = "cross-entropy,perplexity,log-partition,recall@5,ndcg@3,mrr@7";

const NARROW = { tableType: "bfloat16", block: 8 } as const;

const CASES: readonly (readonly [string, "text" | "pairs" | "labels", TrainOptions])[] = [
  ["words, mean", "text", { window: 3 }],
  [
    "words, candidates by a tree of rows of bfloat16",
    "text",
    { window: 3, loss: "sampled-softmax", negatives: 9, sampler: "quadratic-kernel", samplerOptions: NARROW },
  ],
  ["words around", "text", { window: 2, contextMode: "around", loss: "nce" }],
  ["words, concatenated, through two layers", "text", { window: 3, hidden: [9, 7], embedding: 5, dropout: 0.2 }],
  ["users", "pairs", { loss: "negative-sampling", classBias: "zero", lanes: 4 }],
  ["histories, cosines", "pairs", { encoder: "history", window: 4, normalize: true, temperature: 0.1 }],
  ["words, capped", "text", { window: 3, softCap: 2 }],
  ["users, cosines at a learned temperature", "pairs", { normalize: true, temperature: 0.1, learnTemperature: true }],
  ["features, one-vs-all", "labels", { loss: "one-vs-all", embedding: 4, optimizer: { name: "adam" } }],
];

describe("a model trained, saved and evaluated from its directory says exactly the same numbers", () => {
  it.each(CASES)(
    "%s",
    async (_, kind, options) => {
      await expectSameAfterLoading(kind, options, METRICS);
    },
    15_000,
  );
});

describe("a saved run", () => {
  it("holds what made it, its tables, the optimizer's memory and the names", async () => {
    await withDirectory(async (directory) => {
      const dataset = await smallDataset("pairs", directory);
      const run = join(directory, "deep", "run");
      await withTrained(dataset, { optimizer: { name: "adam" }, classBias: "zero" }, async (trainer, report) => {
        await saveModel(trainer, run, report);
        const head = await readRun(run);
        expect(await isRun(run)).toBe(true);
        expect(head).toMatchObject({ options: trainer.options, shape: trainer.shape, report, step: trainer.step });
        expect(head.dataset).toEqual({ kind: "pairs", directory: (dataset as { directory?: string }).directory });
        expect(head.tables.map(({ name }) => name)).toEqual(["classes", "class-bias", "encoder.embedding"]);
        expect(head.states.map(({ name }) => name)).toEqual(
          head.tables.flatMap(({ name }) => [`${name}.state`, `${name}.second-state`]),
        );
        for (const { file, rows, columns } of [...head.tables, ...head.states]) {
          expect((await stat(join(run, file))).size).toBe(4 * rows * columns);
        }
        const bytes = await readFile(join(run, head.tables[0]!.file));
        expect(new Float32Array(new Uint8Array(bytes).buffer)).toEqual(readTables(trainer.host).classes);
        const users = await readNames(join(run, head.inputNames!), 50);
        const items = await readNames(join(run, head.classNames), dataset.classes.size);
        expect(users.id("u7")).toBe((dataset as { users?: { id(n: string): number } }).users!.id("u7"));
        expect(items.name(3)).toBe(dataset.classes.name(3));
        expect(items.id(dataset.classes.name(3))).toBe(3);
        expect(items.id("nobody")).toBeUndefined();
        expect(() => items.name(30)).toThrow(expect.objectContaining({ code: "LOGQ_CLASS_ID" }));
      });
    });
  });

  it.each([
    ["sgd", 0],
    ["momentum", 1],
    ["adagrad", 1],
    ["rowwise-adagrad", 1],
    ["adam", 2],
  ] as const)("of %s has %i states a table", async (name, states) => {
    await withDirectory(async (directory) => {
      const run = await savedRun(directory, smallSynthetic(100), { optimizer: { name }, hidden: [5] });
      const head = await readRun(run);
      expect(head.tables).toHaveLength(7);
      expect(head.states).toHaveLength(7 * states);
      const width = name === "rowwise-adagrad" ? 1 : 6;
      for (const { name: state, columns } of head.states) if (state === "classes.state") expect(columns).toBe(width);
    });
  });

  it("holds the options of its sampler: trained with those again it has the same bits", async () => {
    await withDirectory(async (directory) => {
      const options = { loss: "sampled-softmax", sampler: "quadratic-kernel", negatives: 8, maxSteps: 9 } as const;
      const first = join(directory, "first");
      const run = await savedRun(first, smallSynthetic(), { ...options, samplerOptions: NARROW });
      const { name, ...samplerOptions } = (await readRun(run)).options.sampler!;
      expect([name, samplerOptions]).toEqual(["quadratic-kernel", NARROW]);
      const again = await savedRun(join(directory, "again"), smallSynthetic(), { ...options, samplerOptions });
      const other = await savedRun(join(directory, "other"), smallSynthetic(), options);
      const [a, b, c] = await Promise.all(
        [run, again, other].map(async (place) => readFile(join(place, (await readRun(place)).tables[0]!.file))),
      );
      expect(b).toEqual(a);
      expect(c).not.toEqual(a);
    });
  });

  it("replaces an older one whole, and leaves nothing else behind", async () => {
    await withDirectory(async (directory) => {
      const run = await savedRun(directory, smallSynthetic(100), { optimizer: { name: "adam" } });
      const first = await readdir(run);
      await savedRun(directory, smallSynthetic(100), { optimizer: { name: "sgd" }, maxSteps: 2 });
      expect((await readRun(run)).step).toBe(2);
      expect(await readdir(run)).toEqual(first.filter((file) => !file.includes("state")));
      expect(await readdir(directory)).toEqual(["run"]);
    });
  });

  it("is refused where something else stands, which stays as it is", async () => {
    await withDirectory(async (directory) => {
      await writeFile(join(directory, "letter.txt"), "dear");
      await withTrainer(smallSynthetic(100), { maxSteps: 1 }, async (trainer) => {
        const report = await train(trainer);
        for (const place of [directory, join(directory, "letter.txt")]) {
          await expect(saveModel(trainer, place, report)).rejects.toMatchObject({ code: "LOGQ_OPTION" });
        }
        expect(await readdir(directory)).toEqual(["letter.txt"]);
        expect(await readFile(join(directory, "letter.txt"), "utf8")).toBe("dear");
      });
    });
  });

  it("that fails in the middle of writing leaves the older one, and nothing half-written", async () => {
    await withDirectory(async (directory) => {
      const run = await savedRun(directory, smallSynthetic(100), { maxSteps: 1 });
      await withTrained(smallSynthetic(100), { maxSteps: 3 }, async (trainer, report) => {
        // Tables are written before the head, whose report this is.
        const broken = {
          ...report,
          get loss(): never {
            throw new Error("no more space");
          },
        };
        await expect(saveModel(trainer, run, broken)).rejects.toThrow("no more space");
      });
      expect((await readRun(run)).step).toBe(1);
      expect(await readdir(directory)).toEqual(["run"]);
      await (await loadModel(run)).close();
    });
  });
});

describe("a damaged run", () => {
  const dataset = smallSynthetic(100);

  async function withDamage(damage: (run: string) => Promise<void>, use: (run: string) => Promise<void>) {
    await withDirectory(async (directory) => {
      const run = await savedRun(directory, dataset, { maxSteps: 1 });
      await damage(run);
      await use(run);
    });
  }

  const HEAD = "model.logq";
  const DAMAGES: readonly (readonly [string, string, (run: string) => Promise<void>])[] = [
    [
      "a head that is gone",
      "LOGQ_MISSING_FILE",
      async (run) => {
        await rm(join(run, HEAD));
      },
    ],
    [
      "a head that is cut short",
      "LOGQ_FILE_FORMAT",
      async (run) => {
        const bytes = await readFile(join(run, HEAD));
        await writeFile(join(run, HEAD), bytes.subarray(0, bytes.length - 5));
      },
    ],
    [
      "a head of a later version",
      "LOGQ_FILE_FORMAT",
      async (run) => {
        const bytes = await readFile(join(run, HEAD));
        bytes.writeUInt32LE(99, 8);
        await writeFile(join(run, HEAD), bytes);
      },
    ],
    [
      "a table that is gone",
      "LOGQ_MISSING_FILE",
      async (run) => {
        await rm(join(run, "classes.f32"));
      },
    ],
    [
      "a table that is cut short",
      "LOGQ_FILE_FORMAT",
      async (run) => {
        const bytes = await readFile(join(run, "encoder.embedding.f32"));
        await writeFile(join(run, "encoder.embedding.f32"), bytes.subarray(4));
      },
    ],
    [
      "a NaN in a table",
      "LOGQ_FILE_FORMAT",
      async (run) => {
        const bytes = await readFile(join(run, "classes.f32"));
        bytes.writeFloatLE(Number.NaN, 40);
        await writeFile(join(run, "classes.f32"), bytes);
      },
    ],
    [
      "names of another run",
      "LOGQ_FILE_FORMAT",
      async (run) => {
        const other = await savedRun(join(run, ".."), smallSynthetic(100), { maxSteps: 1 });
        const bytes = await readFile(join(other, HEAD));
        await writeFile(join(run, "classes.names"), bytes);
      },
    ],
  ];

  it.each(DAMAGES)("with %s is refused: %s", async (_, code, damage) => {
    await withDamage(damage, async (run) => {
      await expect(loadModel(run)).rejects.toMatchObject({ code });
    });
  });

  it("is no run for those who ask", async () => {
    await withDirectory(async (directory) => {
      expect(await isRun(directory)).toBe(false);
      expect(await isRun(join(directory, "nowhere"))).toBe(false);
      await expect(readRun(directory)).rejects.toMatchObject({ code: "LOGQ_MISSING_FILE" });
    });
  });

  it("whose head lacks its description is refused", async () => {
    await withDamage(
      (run) => writeFile(join(run, HEAD), encodeHead(RUN_FORMAT, { shape: {} })),
      async (run) => {
        expect(await readHead(RUN_FORMAT, join(run, HEAD))).toEqual({ shape: {} });
        await expect(readRun(run)).rejects.toMatchObject({ code: "LOGQ_FILE_FORMAT" });
      },
    );
  });
});

describe("evaluation of a saved run", () => {
  let directory: string;
  let run: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "logq-trainers-"));
    run = await savedRun(directory, await smallDataset("text", directory), { window: 2, maxSteps: 3 });
    return () => rm(directory, { recursive: true });
  });

  const request = { split: "test", metrics: "cross-entropy", workers: 0 } as const;

  it("takes a copy of its data elsewhere, a limit, and tells how far it is", async () => {
    const data = join(directory, "moved");
    await cp(join(directory, "text-data"), data, { recursive: true });
    const seen: number[] = [];
    const onProgress = ({ examples }: { examples: number }) => seen.push(examples);
    const some = await evaluateRun(run, { ...request, data, limit: 7, onProgress });
    expect(some).toMatchObject({ split: "test", examples: 7, labels: 7 });
    expect(seen).toEqual([7]);
  });

  it("refuses data whose classes have other names, with the first that differs", async () => {
    const file = join(directory, "other.txt");
    const text = await readFile(join(directory, "text.txt"), "utf8");
    await writeFile(file, text.replaceAll(/\bw0\b/g, "zero"));
    const data = join(directory, "other-data");
    await prepareText({ output: data, train: file, validationRatio: 0.15, testRatio: 0.15, minCount: 2, seed: 1 });
    await expect(evaluateRun(run, { ...request, data })).rejects.toMatchObject({
      code: "LOGQ_OPTION",
      values: { trained: "w0", given: "zero" },
    });
  });

  it("refuses data of another kind, and of another number of classes", async () => {
    await smallDataset("pairs", directory);
    const pairs = evaluateRun(run, { ...request, data: join(directory, "pairs-data") });
    await expect(pairs).rejects.toMatchObject({
      code: "LOGQ_OPTION",
      values: { trained: "text", given: "pairs" },
    });
    const data = join(directory, "smaller");
    const train = join(directory, "text.txt");
    await prepareText({ output: data, train, validationRatio: 0.15, testRatio: 0.15, maxClasses: 10, seed: 1 });
    await expect(evaluateRun(run, { ...request, data })).rejects.toMatchObject({
      code: "LOGQ_OPTION",
      values: { given: 10 },
    });
  });

  it("refuses interactions of other users, though the items are the same", async () => {
    await withDirectory(async (other) => {
      const users = await savedRun(other, await smallDataset("pairs", other), { maxSteps: 1 });
      const train = join(other, "others.txt");
      await writeFile(train, (await readFile(join(other, "pairs.txt"), "utf8")).replace(/^u7 /m, "somebody "));
      const data = join(other, "others");
      await preparePairs({ output: data, train, format: "adjacency", leaveOneOut: true, seed: 1 });
      await expect(evaluateRun(users, { ...request, data })).rejects.toMatchObject({
        code: "LOGQ_OPTION",
        values: { trained: "u7", given: "somebody" },
      });
    });
  });

  it("refuses a part that the data do not have, unknown metrics, and a place that is no run", async () => {
    const data = join(directory, "whole");
    await prepareText({ output: data, train: join(directory, "text.txt") });
    await mkdir(join(directory, "empty"));
    await withDirectory(async (other) => {
      const whole = await savedRun(other, await openDataset(data), { maxSteps: 1 });
      const values = { split: "test", parts: ["train"] };
      await expect(evaluateRun(whole, request)).rejects.toMatchObject({ code: "LOGQ_OPTION", values });
    });
    await expect(evaluateRun(run, { ...request, metrics: "bleu" })).rejects.toMatchObject({
      values: { metric: "bleu" },
    });
    await expect(evaluateRun(join(directory, "empty"), request)).rejects.toMatchObject({ code: "LOGQ_MISSING_FILE" });
  });

  it("refuses a run whose data were never on disk", async () => {
    await withDirectory(async (other) => {
      const synthetic = await savedRun(other, smallSynthetic(100), { maxSteps: 1 });
      await expect(evaluateRun(synthetic, request)).rejects.toMatchObject({ code: "LOGQ_OPTION" });
    });
  });
});
