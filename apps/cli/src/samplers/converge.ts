import type { BackendChoice } from "@logq/blas";
import { type AnyDataset, openDataset, type SplitName } from "@logq/datasets";
import {
  bringsTargets,
  isContextual,
  type RunHead,
  type RunOptions,
  readRun,
  type SamplerOptions,
  Trainer,
  type TrainOptions,
  type TrainSamplerName,
} from "@logq/trainers";
import { requireDataset, requireRun } from "../base/directories.js";
import { count, counted, decimal } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, note, printResult } from "../base/io.js";
import { DEFAULT_WORKERS } from "../base/workers.js";
import { dataDirectory } from "../models/data.js";
import { labelOf, trainedRows } from "./rows.js";
import { textTable } from "./tables.js";

export interface ConvergeFlags {
  readonly run: string;
  readonly data?: string;
  readonly split?: SplitName;
  readonly steps: number;
  readonly negatives: readonly number[];
  readonly sampler?: readonly string[];
  readonly limit: number;
  readonly workers?: number;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** A training of the run's model from its start. */
export interface ConvergedRow {
  /** "full softmax", or a sampler. */
  readonly sampler: string;
  readonly options: SamplerOptions;
  /** null: of full softmax, and of samplers whose candidates are the batch's targets. */
  readonly negatives: number | null;
  /** Exact, in nats a label, on held-out examples. */
  readonly crossEntropy: number;
}

/** How much worse than full softmax at equal steps still counts as near. */
const NEAR = 1.01;

/** `logq samplers --run RUN --converge`: the run's model, trained anew with each sampler for as many steps. */
export async function convergeSamplers(io: Io, flags: ConvergeFlags): Promise<void> {
  await interruptible(io, "stopping", async (signal) => {
    const run = await requireRun(flags.run);
    const head = await readRun(run);
    const data = await requireDataset(dataDirectory(head, run, flags.data));
    const dataset = await openDataset(data);
    const split = flags.split ?? "validation";
    const rows: ConvergedRow[] = [];
    for (const plan of plans(head, flags)) {
      const crossEntropy = await trainOnce(dataset, plan.options, split, flags, signal);
      const { sampler, own, negatives } = plan;
      rows.push({ sampler, options: own, negatives, crossEntropy });
      note(
        io,
        `${labelOf(sampler, own)}${negatives === null ? "" : ` S = ${negatives}`}: ${decimal(crossEntropy)} nats`,
      );
    }
    const { options } = head;
    const about = { run, data, split, steps: flags.steps, batch: options.batch, seed: 1, limit: flags.limit };
    printResult(io, flags.json, { ...about, samplers: rows }, () => convergedText(rows, flags, options.batch));
  });
}

interface Plan {
  readonly sampler: string;
  readonly own: SamplerOptions;
  readonly negatives: number | null;
  readonly options: TrainOptions;
}

/** Full softmax first, then each sampler that is trained with, at each size. */
function plans({ options }: RunHead, { steps, negatives, sampler, workers, backend }: ConvergeFlags): Plan[] {
  const base: TrainOptions = {
    ...modelOf(options),
    maxSteps: steps,
    epochs: 1e6,
    workers: workers ?? DEFAULT_WORKERS,
    ...(backend === undefined ? {} : { backend }),
  };
  const full: Plan = { sampler: "full softmax", own: {}, negatives: null, options: { ...base, loss: "full-softmax" } };
  const sampled = trainedRows(options.dim, sampler).flatMap((row): Plan[] => {
    const { name, ...own } = row;
    const trained = { ...base, loss: "sampled-softmax", ...samplerOptions(name as TrainSamplerName, own) } as const;
    if (bringsTargets(name) && name !== "mixed") {
      return [{ sampler: name, own, negatives: null, options: { ...trained, negatives: 1 } }];
    }
    return negatives.map((S) => ({ sampler: name, own, negatives: S, options: { ...trained, negatives: S } }));
  });
  return [full, ...sampled];
}

function samplerOptions(
  sampler: TrainSamplerName,
  own: SamplerOptions & { readonly distortion?: number },
): TrainOptions {
  if (own.distortion !== undefined) return { sampler, distortion: own.distortion };
  return {
    sampler,
    ...(Object.keys(own).length === 0 ? {} : { samplerOptions: own }),
    ...(isContextual({ name: sampler }) ? { candidates: "row" } : {}),
  };
}

/** The run's encoder, table, batch and optimizer; neither its loss nor its length. */
function modelOf(options: RunOptions): TrainOptions {
  const { encoder, examples, window, contextMode, withinLine, hidden, activation, embedding, dropout } = options;
  const { dim, batch, reduce, reduction, optimizer, classBias, classScale, embeddingScale } = options;
  const { temperature, normalize, softCap } = options.loss;
  const ofEncoder = { encoder, examples, window, contextMode, withinLine, hidden, activation, embedding, dropout };
  return {
    ...ofEncoder,
    reduce,
    dim,
    batch,
    reduction,
    optimizer,
    classBias,
    classScale,
    embeddingScale,
    temperature,
    normalize,
    ...(softCap > 0 ? { softCap } : {}),
    seed: 1,
  };
}

/** The exact cross-entropy after the steps. */
async function trainOnce(
  dataset: AnyDataset,
  options: TrainOptions,
  split: SplitName,
  { limit, steps }: ConvergeFlags,
  signal: AbortSignal,
): Promise<number> {
  const trainer = await Trainer.create(dataset, options);
  const stop = () => trainer.requestStop();
  signal.addEventListener("abort", stop);
  try {
    await trainer.runSteps(steps);
    checkInterrupted(signal);
    const { metrics } = await trainer.evaluate(split, "cross-entropy", { limit });
    return metrics["cross-entropy"]!;
  } finally {
    signal.removeEventListener("abort", stop);
    await trainer.close();
  }
}

function convergedText(
  rows: readonly ConvergedRow[],
  { negatives, steps, limit }: ConvergeFlags,
  batch: number,
): string {
  const [full, ...others] = rows;
  const names = [...new Set(others.map(({ sampler, options }) => labelOf(sampler, options)))];
  const cell = (row: ConvergedRow | undefined) => (row === undefined ? "" : decimal(row.crossEntropy));
  const lines = names.map((name) => {
    const own = others.filter(({ sampler, options }) => labelOf(sampler, options) === name);
    const ofBatch = own.find((row) => row.negatives === null);
    const near = own.find(({ crossEntropy }) => crossEntropy <= NEAR * full!.crossEntropy);
    const sizes = negatives.map((S) => cell(own.find((row) => row.negatives === S)));
    const least = near === undefined ? "none" : near.negatives === null ? "the batch" : count(near.negatives);
    return [name, ...sizes, cell(ofBatch), least];
  });
  const head = ["sampler", ...negatives.map((S) => `S = ${count(S)}`), "the batch's", "least S within 1%"];
  return (
    `${textTable(head, lines)}\nfull softmax: ${decimal(full!.crossEntropy)}. Exact cross-entropy, nats a label, of the first ${count(limit)} held-out ` +
    `examples after ${counted(steps, "step")} of ${count(batch)} examples; one seed.\n`
  );
}
