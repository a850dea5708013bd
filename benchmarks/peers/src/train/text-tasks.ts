import path from "node:path";
import { type AnyDataset, openDataset, prepareText, type TextDataset, type TextOptions } from "@logq/datasets";
import { NGRAM_OPTIMIZER, REDDIT_TITLES, redditTitles } from "@logq/micro-benchmarks";
import type { Goal } from "./learner.js";
import { stepsPerEpoch, type Task } from "./task.js";

/** An n-gram model: words side by side, one hidden layer, Adagrad with a tenth of the rate for dense layers. */
interface NgramModel {
  readonly window: number;
  readonly hidden: number;
  readonly activation: "relu" | "tanh";
  readonly dropout: number;
  readonly negatives: number;
  readonly distortion: number;
  readonly epochs: number;
  readonly schedule: "linear" | "constant";
}

const COMMON = { dim: 128, batch: 1024 } as const;

/** @param target test perplexity */
export function wikitext(target: number): Task {
  const model: NgramModel = {
    window: 6,
    hidden: 256,
    activation: "relu",
    dropout: 0.2,
    negatives: 1024,
    distortion: 0.75,
    epochs: 3,
    schedule: "linear",
  };
  return {
    ...ngramTask(model, (output, data) => ({
      output,
      train: path.join(data, "wikitext2/train.txt.gz"),
      test: path.join(data, "wikitext2/test.txt"),
    })),
    name: `WikiText-2 n-gram to test perplexity ${target}`,
    work: "6 words before × 128 → 256 ReLU → 128, dropout 0.2, B = 1,024, 1,024 unigram^0.75 candidates, Adagrad; exact test perplexity.",
    needs: ["wikitext2/train.txt.gz", "wikitext2/test.txt"],
    goal(dataset) {
      const epoch = epochOf(dataset);
      return {
        ...crossEntropyGoal(Math.log(target)),
        from: epoch,
        every: Math.ceil(epoch / 10),
        totalSteps: 3 * epoch,
        glance: 20_000,
      };
    },
  };
}

/** @param target nats a token, exact, of 5,000 held-out tokens */
export function reddit(target: number): Task {
  const model: NgramModel = {
    window: 4,
    hidden: 128,
    activation: "tanh",
    dropout: 0,
    negatives: 2048,
    distortion: 1,
    epochs: 1,
    schedule: "constant",
  };
  return {
    ...ngramTask(model, (output, data) => ({ output, ...redditTitles(data) })),
    name: `Reddit titles to ${target} nats`,
    work: "160,402 words; 4 words before × 128 → 128 tanh, B = 1,024, 2,048 unigram candidates, Adagrad; exact cross-entropy of 5,000 held-out tokens.",
    needs: [REDDIT_TITLES],
    goal: (dataset) => ({
      ...crossEntropyGoal(target),
      from: 50,
      every: 50,
      totalSteps: epochOf(dataset),
      limit: 5000,
    }),
  };
}

const crossEntropyGoal = (target: number): Pick<Goal, "metric" | "target" | "more"> => ({
  metric: "nats",
  target,
  more: "worse",
});

const epochOf = (dataset: AnyDataset) => stepsPerEpoch(requireText(dataset).splits.train!.tokens.length, COMMON.batch);

function ngramTask(
  model: NgramModel,
  source: (output: string, data: string) => TextOptions,
): Omit<Task, "name" | "work" | "needs" | "goal"> {
  const { window, hidden, activation, dropout, negatives, distortion, epochs, schedule } = model;
  return {
    options: {
      ...COMMON,
      ...{ encoder: "window", window, hidden: [hidden], activation, dropout, epochs },
      ...{ loss: "sampled-softmax", sampler: "unigram", distortion, negatives },
      optimizer: NGRAM_OPTIMIZER,
      schedule: { name: schedule },
    },
    metric: "cross-entropy",
    script: "torch_train_text.py",
    // Both start from the law of the words alone.
    startsWithin: 0.01,
    async prepare(data, folder) {
      const output = path.join(folder, "text");
      await prepareText(source(output, data));
      return openDataset(output);
    },
    async question(dataset, folder) {
      const { splits, classes, eos } = requireText(dataset);
      const [train, test] = [splits.train!.tokens, splits.test!.tokens];
      const files = {
        train: await folder.write("train", train, [train.length]),
        test: await folder.write("test", test, [test.length]),
        counts: await folder.write("counts", Float32Array.from(classes.counts), [classes.size]),
      };
      const totalSteps = epochs * stepsPerEpoch(train.length, COMMON.batch);
      const { learningRate: rate, denseFactor, initialAccumulator: accumulator } = NGRAM_OPTIMIZER;
      return {
        files,
        ...COMMON,
        ...model,
        ...{ rate, denseFactor, accumulator },
        classes: classes.size,
        eos: Math.max(eos, 0),
        totalSteps,
      };
    },
  };
}

function requireText(dataset: AnyDataset): TextDataset {
  if (dataset.kind !== "text") throw new TypeError(`the dataset is of kind ${dataset.kind}, not text`);
  return dataset;
}
