import { availableBackends } from "@logq/blas";
import { type SyntheticDataset, syntheticDataset } from "@logq/datasets";
import type { BackendName } from "@logq/kernels";
import { Trainer, type TrainOptions } from "@logq/trainers";
import type { Group, Variant, Work } from "./measure/group.js";
import { requireClose, requireThat } from "./measure/wrong-result.js";

/** A training step to be timed. */
export interface StepShape {
  readonly loss: "full-softmax" | "sampled-softmax";
  readonly n: number;
  readonly B: number;
  readonly D: number;
  /** Candidates of a sampled loss. */
  readonly S: number;
  /** Whether the reference back-end is timed as well: it takes seconds where n is great. */
  readonly reference: boolean;
}

const COMMON = { B: 256, D: 128, S: 1024 } as const;

export const STEP_SHAPES: readonly StepShape[] = [
  { ...COMMON, loss: "full-softmax", n: 10_000, reference: true },
  { ...COMMON, loss: "full-softmax", n: 100_000, reference: false },
  { ...COMMON, loss: "sampled-softmax", n: 100_000, reference: true },
  { ...COMMON, loss: "sampled-softmax", n: 1_000_000, reference: false },
];

/** How a step is run. */
interface Form {
  readonly name: string;
  readonly backend: BackendName;
  readonly workers: number;
}

const FAST: readonly Form[] = (await availableBackends())
  .filter((backend) => backend !== "reference")
  .flatMap((backend) => [
    { name: `${backend}, 1 worker`, backend, workers: 1 },
    { name: `${backend}, 2 workers`, backend, workers: 2 },
  ]);
const REFERENCE: Form = { name: "reference, 1 worker", backend: "reference", workers: 1 };

/** Steps that a check compares: the second one depends on every update of the first. */
const CHECKED_STEPS = 2;

/** A check gives the reference at most about this many operations a step: some seconds. */
const CHECKED_FLOPS = 1e9;

/** Losses of the same steps on different back-ends: sums of other order, and exponentials of their own. */
const LOSS_TOLERANCE = { relative: 1e-5 };

/** One training step by @logq/trainers, each shape a group. */
export function stepGroups(shapes: readonly StepShape[] = STEP_SHAPES): Group[] {
  return shapes.map((shape) => {
    const forms = shape.reference ? [...FAST, REFERENCE] : FAST;
    return {
      name: nameOf(shape),
      variants: forms.map(({ name }) => name),
      async prepare(wanted) {
        const dataset = datasetOf(shape);
        const check = new StepCheck(shape, dataset);
        const trainers: Trainer[] = [];
        const close = async () => {
          for (const trainer of trainers) await trainer.close();
        };
        try {
          for (const form of forms.filter(({ name }) => wanted.includes(name))) {
            trainers.push(await createTrainer(dataset, form, shape, shape.B));
          }
        } catch (error) {
          await close();
          throw error;
        }
        const used = forms.filter(({ name }) => wanted.includes(name));
        return { variants: used.map((form, i) => stepVariant(form, trainers[i]!, shape, check)), close };
      },
    };
  });
}

function nameOf({ loss, n, B, D, S }: StepShape): string {
  const sampled = loss === "sampled-softmax" ? `, S = ${S}` : "";
  return `${loss}, n = ${n}, B = ${B}${sampled}, D = ${D}`;
}

/** Rows of the class table that a step multiplies each row of the batch with. */
function classesOf({ loss, n, S }: StepShape): number {
  return loss === "full-softmax" ? n : S;
}

function flopsOf(shape: StepShape, B: number): number {
  return 6 * B * classesOf(shape) * shape.D;
}

function datasetOf({ n, B }: StepShape): SyntheticDataset {
  return syntheticDataset({ classes: n, examples: 64 * B, validationExamples: 1, testExamples: 1 });
}

/**
 * Candidates are drawn uniformly: the rows that a step touches are spread over the whole table, which is the hardest case for memory. Plain
 * SGD, so that the table alone is read and written.
 */
function optionsOf(shape: StepShape, B: number): TrainOptions {
  const sampled = shape.loss === "sampled-softmax";
  return {
    loss: shape.loss,
    dim: shape.D,
    batch: B,
    ...(sampled ? { sampler: "uniform", negatives: shape.S } : {}),
    optimizer: { name: "sgd", learningRate: 0.1 },
    epochs: 1e9,
    seed: 1,
  };
}

function createTrainer(dataset: SyntheticDataset, form: Form, shape: StepShape, B: number): Promise<Trainer> {
  const { backend, workers } = form;
  return Trainer.create(dataset, { ...optionsOf(shape, B), backend, workers });
}

function stepVariant(form: Form, trainer: Trainer, shape: StepShape, check: StepCheck): Variant {
  const work: Work = { flops: flopsOf(shape, shape.B), items: { name: "example", count: shape.B } };
  // A message starts the steps of a call: several a call, or its cost would be counted in.
  const perCall =
    form.backend === "reference" ? 1 : Math.min(8, Math.max(1, Math.round(1e9 / flopsOf(shape, shape.B))));
  return {
    name: form.name,
    work,
    perCall,
    async: true,
    check: () => check.require(form, trainer),
    async run() {
      const done = await trainer.runSteps(perCall);
      requireThat(done === perCall, `${form.name}: ${done} steps instead of ${perCall}`, { done, perCall });
    },
  };
}

/** Holds the first steps of trainers to those of the reference back-end, and trainers of one back-end to the same bits. */
class StepCheck {
  readonly #shape: StepShape;
  readonly #dataset: SyntheticDataset;
  /** Batch of the comparison with the reference: smaller than B if its steps would take too long. */
  readonly #B: number;
  #reference: number[] | undefined;
  readonly #bits = new Map<BackendName, number[]>();

  constructor(shape: StepShape, dataset: SyntheticDataset) {
    this.#shape = shape;
    this.#dataset = dataset;
    this.#B = Math.min(shape.B, Math.max(4, Math.floor(CHECKED_FLOPS / flopsOf(shape, 1))));
  }

  /** @throws WrongResultError */
  async require(form: Form, trainer: Trainer): Promise<void> {
    const losses = await lossesOf(trainer);
    const bits = this.#bits.get(form.backend) ?? losses;
    this.#bits.set(form.backend, bits);
    requireClose(`${form.name}: losses of the first steps, for any number of workers`, losses, bits);
    this.#reference ??= await this.#lossesOfNew(REFERENCE);
    const compared = this.#B === this.#shape.B ? losses : await this.#lossesOfNew(form);
    requireClose(`${form.name}: losses of the first steps`, compared, this.#reference, LOSS_TOLERANCE);
  }

  async #lossesOfNew(form: Form): Promise<number[]> {
    const trainer = await createTrainer(this.#dataset, form, this.#shape, this.#B);
    try {
      return await lossesOf(trainer);
    } finally {
      await trainer.close();
    }
  }
}

async function lossesOf(trainer: Trainer): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < CHECKED_STEPS; step++) {
    await trainer.runSteps(1);
    losses.push(trainer.statistics().lastLoss);
  }
  requireThat(losses.every(Number.isFinite), "a loss is not finite", { losses });
  return losses;
}
