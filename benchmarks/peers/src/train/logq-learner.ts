import type { AnyDataset } from "@logq/datasets";
import { Trainer, type TrainOptions } from "@logq/trainers";
import type { Learner } from "./learner.js";

/** Rankings look at this many classes. */
const MAX_K = 20;

/** What `logq train` runs, step by step. */
export async function logqLearner(dataset: AnyDataset, options: TrainOptions, metric: string): Promise<Learner> {
  const trainer = await Trainer.create(dataset, options, MAX_K);
  return {
    async steps(count) {
      const begin = performance.now();
      await trainer.runSteps(count);
      return (performance.now() - begin) / 1000;
    },
    async quality(limit) {
      const { metrics } = await trainer.evaluate("test", metric, limit === undefined ? {} : { limit });
      return metrics[metric]!;
    },
    close: () => trainer.close(),
  };
}
