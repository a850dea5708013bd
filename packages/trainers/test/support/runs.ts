import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AnyDataset,
  openDataset,
  prepareLabels,
  preparePairs,
  prepareText,
  syntheticDataset,
} from "@logq/datasets";
import { describeLoss } from "@logq/losses";
import { TestRandom } from "@logq/testing";
import { saveModel, Trainer, type TrainOptions, type TrainReport, train } from "../../dist/index.js";

/** Small datasets of every kind, prepared in a directory from files that are made up. */
export async function smallDataset(kind: "text" | "pairs" | "labels", directory: string): Promise<AnyDataset> {
  const random = new TestRandom(4);
  const output = join(directory, `${kind}-data`);
  const file = join(directory, `${kind}.txt`);
  const common = { output, train: file, seed: 1 };
  const some = (count: number, below: number) =>
    Array.from({ length: count }, () => Math.floor(below * random.uniform() ** 2));
  if (kind === "text") {
    const lines = Array.from({ length: 150 }, (_, line) =>
      [...some(2 + random.integer(9), 40).map((word) => `w${word}`), ...(line % 10 === 0 ? [`once${line}`] : [])].join(
        " ",
      ),
    );
    await writeFile(file, lines.join("\n"));
    await prepareText({ ...common, validationRatio: 0.15, testRatio: 0.15, minCount: 2 });
  } else if (kind === "pairs") {
    const lines = Array.from(
      { length: 50 },
      (_, user) => `u${user} ${[...new Set(some(12, 30))].map((i) => `i${i}`).join(" ")}`,
    );
    await writeFile(file, lines.join("\n"));
    await preparePairs({ ...common, format: "adjacency", leaveOneOut: true });
  } else {
    const rows = Array.from({ length: 120 }, () => {
      const features = random.distinctIntegers(1 + random.integer(5), 25);
      const labels = random.distinctIntegers(1 + random.integer(3), 20);
      return `${labels.join(",")} ${Array.from(features, (f) => `${f}:${(0.5 + random.uniform()).toFixed(3)}`).join(" ")}`;
    });
    await writeFile(file, `120 25 20\n${rows.join("\n")}`);
    await prepareLabels({ ...common, format: "xmlc", validationRatio: 0.2, testRatio: 0.2 });
  }
  return openDataset(output);
}

/** A law of 50 classes that is quickly learned. */
export function smallSynthetic(examples = 2000) {
  return syntheticDataset({ classes: 50, examples, contexts: 20, topics: 4, seed: 3, validationExamples: 200 });
}

/** Trains in the caller's thread, unless options say otherwise, and hands over the trainer, which is closed whatever happens. */
export async function withTrained<T>(
  dataset: AnyDataset,
  options: TrainOptions,
  use: (trainer: Trainer, report: TrainReport) => Promise<T>,
): Promise<T> {
  return withTrainer(dataset, options, async (trainer) => use(trainer, await train(trainer)));
}

export async function withTrainer<T>(
  dataset: AnyDataset,
  options: TrainOptions,
  use: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const { loss = "sampled-softmax" } = options;
  const sampled = loss !== "adaptive-softmax" && describeLoss(loss).candidates;
  const small: TrainOptions = { workers: 0, dim: 6, batch: 32, seed: 5, ...(sampled ? { negatives: 20 } : {}) };
  const trainer = await Trainer.create(dataset, { ...small, ...options });
  try {
    return await use(trainer);
  } finally {
    await trainer.close();
  }
}

/** Trains and saves to `run` inside the directory; answers where. */
export async function savedRun(directory: string, dataset: AnyDataset, options: TrainOptions = {}): Promise<string> {
  const run = join(directory, "run");
  await withTrained(dataset, options, (trainer, report) => saveModel(trainer, run, report));
  return run;
}
