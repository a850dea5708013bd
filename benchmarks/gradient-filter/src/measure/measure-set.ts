import path from "node:path";
import { describeBackend } from "@logq/blas";
import type { TextDataset } from "@logq/datasets";
import { loadModel, saveModel } from "@logq/trainers";
import {
  type Approximation,
  EXACT,
  type FilterRun,
  type GradientErrors,
  type SetName,
  type SetResult,
  type Settings,
  type Training,
} from "../report/results.js";
import { nameOf } from "../report/table.js";
import { SETS } from "../sets.js";
import { gradientErrors, type LayerProblem } from "./gradient-errors.js";
import { runTraining, type TrainingPlan } from "./training.js";
import { validationBatch } from "./validation-batch.js";

/**
 * One data set: the exact training, the errors of each approximation's gradients at its end, and the training with each. All trainings have the
 * same seed, so the same first values, batches and dropout.
 * @param folder for the trained model, temporary
 */
export async function measureSet(
  name: SetName,
  dataset: TextDataset,
  settings: Settings,
  folder: string,
  tell: (text: string) => void,
): Promise<SetResult> {
  const { title, encoder, options, steps: usual } = SETS[name];
  const { workers, seed } = settings;
  const steps = settings.steps ?? usual;
  const plan: TrainingPlan = { dataset, options: { ...options, workers, seed }, steps };
  const saved = path.join(folder, "model");
  let backend = "";
  let approximations: readonly Approximation[] = [];
  const exact = await runTraining(plan, EXACT, told(tell, name, "exact"), async (trainer, report) => {
    backend = describeBackend(trainer.host.backend);
    approximations = approximationsOf(settings, trainer.host.kernels().bfloat16Matrix !== undefined);
    await saveModel(trainer, saved, report);
  });
  tell(`${name}: gradients of one step`);
  const errors = await gradientErrors(
    await problemOf(saved, dataset, options.batch),
    [EXACT, ...approximations],
    workers,
  );
  const trainings = [exact];
  for (const one of approximations) {
    trainings.push(await runTraining(plan, one, told(tell, name, nameOf(one))));
  }
  const { batch, dim } = options;
  const classes = dataset.classes.size;
  const validationExamples = dataset.splits.validation!.tokens.length;
  const count = (value: number) => value.toLocaleString("en-US");
  return {
    set: name,
    title,
    work: `${count(classes)} words; ${encoder}, B = ${batch}, Adagrad, full softmax, ${steps === 1 ? "1 step" : `${count(steps)} steps`}; nats of ${count(validationExamples)} held-out words.`,
    backend,
    ...{ classes, dim, batch, steps, validationExamples },
    runs: trainings.map((training, i) => filterRun(training, exact, errors[i]!)),
  };
}

/** In the order of the rows: each ε, then bfloat16 products alone, where there is a unit for them. */
function approximationsOf({ epsilons, bfloat16 }: Settings, hasUnit: boolean): Approximation[] {
  const filters: Approximation[] = epsilons.map((epsilon) => ({ ...EXACT, epsilon }));
  return bfloat16 && hasUnit ? [...filters, { ...EXACT, products: "bfloat16" }] : filters;
}

const told = (tell: (text: string) => void, name: string, run: string) => (text: string) =>
  tell(`${name}, ${run}: ${text}`);

/** The output layer that a training ended with, and a batch of the validation part. */
async function problemOf(saved: string, dataset: TextDataset, rows: number): Promise<LayerProblem> {
  const model = await loadModel(saved);
  try {
    const { dim } = model.head.options;
    return { ...validationBatch(model, dataset, rows), table: model.table(), biases: model.biases()!, dim };
  } finally {
    await model.close();
  }
}

function filterRun(training: Training, exact: Training, errors: GradientErrors): FilterRun {
  return {
    ...training,
    speed: exact.stepMs / training.stepMs,
    crossEntropyChange: training.crossEntropy / exact.crossEntropy - 1,
    errors,
  };
}
