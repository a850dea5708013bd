import path from "node:path";
import { type AnyDataset, openDataset, type PairsDataset, preparePairs } from "@logq/datasets";
import { stepsPerEpoch, type Task } from "./task.js";

const OPTIONS = { dim: 64, batch: 2048, epochs: 24, negatives: 1024 } as const;
const RATE = 0.005;
const DECAY = 1e-4;
const SCALE = 0.17;

/** Items for users, full ranking. Checked after every epoch. @param target Recall@20 */
export function gowalla(target: number): Task {
  return {
    name: `Gowalla to Recall@20 ${target}`,
    work: "Matrix factorisation, D = 64, B = 2,048, 1,024 uniform negatives a batch, partition form, lazy Adam; full ranking, training items masked.",
    needs: ["gowalla/train.txt", "gowalla/test.txt"],
    options: {
      ...OPTIONS,
      encoder: "user",
      loss: "sampled-softmax",
      sampler: "uniform",
      correction: "partition",
      optimizer: { name: "adam", learningRate: RATE, weightDecay: DECAY },
      embeddingScale: SCALE,
      classScale: SCALE,
      classBias: "none",
    },
    metric: "recall@20",
    script: "torch_train_pairs.py",
    async prepare(data, folder) {
      const output = path.join(folder, "gowalla");
      const [train, test] = [path.join(data, "gowalla/train.txt"), path.join(data, "gowalla/test.txt")];
      await preparePairs({ output, train, test, format: "adjacency" });
      return openDataset(output);
    },
    goal(dataset) {
      const every = stepsPerEpoch(requirePairs(dataset).splits.train!.items.length, OPTIONS.batch);
      return { metric: "Recall@20", target, more: "better", every, from: every, totalSteps: every * OPTIONS.epochs };
    },
    async question(dataset, folder) {
      const { splits, users, classes } = requirePairs(dataset);
      const files = {
        users: await folder.write("users", usersOf(splits.train!.offsets), [splits.train!.items.length]),
        items: await folder.write("items", splits.train!.items, [splits.train!.items.length]),
        "test-users": await folder.write("test-users", usersOf(splits.test!.offsets), [splits.test!.items.length]),
        "test-items": await folder.write("test-items", splits.test!.items, [splits.test!.items.length]),
      };
      return { files, ...OPTIONS, users: users.size, classes: classes.size, rate: RATE, decay: DECAY, scale: SCALE };
    },
  };
}

function requirePairs(dataset: AnyDataset): PairsDataset {
  if (dataset.kind !== "pairs") throw new TypeError(`the dataset is of kind ${dataset.kind}, not pairs`);
  return dataset;
}

/** (interactions), the user of each. */
function usersOf(offsets: Int32Array): Int32Array {
  const users = new Int32Array(offsets.at(-1)!);
  for (let user = 0; user + 1 < offsets.length; user++) users.fill(user, offsets[user], offsets[user + 1]);
  return users;
}
