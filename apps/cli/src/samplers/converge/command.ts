import { basename, join, resolve } from "node:path";
import { type BackendChoice, describeBackend } from "@logq/blas";
import { DivergenceError, LogqError, OptionError } from "@logq/core";
import { type AnyDataset, openDataset, type SplitName } from "@logq/datasets";
import { readRun, Trainer, type TrainOptions } from "@logq/trainers";
import { requireDataset, requireRun } from "../../base/directories.js";
import { decimal } from "../../base/format.js";
import { checkInterrupted, interruptible } from "../../base/interrupt.js";
import { type Io, note, printResult } from "../../base/io.js";
import { DEFAULT_WORKERS } from "../../base/workers.js";
import { dataDirectory } from "../../models/data.js";
import { heldOut } from "../load-layer.js";
import { machineNow } from "../machine.js";
import { labelOf } from "../rows.js";
import { median } from "../statistics.js";
import { runGrid, type Train } from "./grid.js";
import { ConvergeLog, type ConvergeSetting, type Training } from "./log.js";
import { type ConvergeModel, modelOfRun, usualModel } from "./model.js";
import { subjects } from "./subjects.js";
import { qualityOf, summarise } from "./summary.js";
import { convergedText } from "./table.js";

export interface ConvergeFlags {
  readonly run?: string;
  readonly data?: string;
  readonly split?: SplitName;
  readonly steps?: number;
  readonly batch?: number;
  readonly dim?: number;
  readonly negatives: readonly number[];
  readonly seeds: readonly number[];
  readonly sampler?: readonly string[];
  readonly limit?: number;
  readonly out?: string;
  readonly workers?: number;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** `logq samplers --converge`: one model, trained with full softmax and with each sampler, from the same starts and for as many steps. */
export async function convergeSamplers(io: Io, flags: ConvergeFlags): Promise<void> {
  await interruptible(io, "stopping; what is finished is kept", async (signal) => {
    const { data, model } = await modelOf(flags);
    const dataset = await openDataset(data);
    const setting = settingOf(dataset, data, model ?? usualModel(dataset.kind), flags);
    const file = flags.out === undefined ? undefined : join(resolve(flags.out), `${setting.data}.jsonl`);
    const log = await ConvergeLog.open(file, setting);
    const train: Train = async (subject, negatives, seed) => {
      const { sampler, options, training: own } = subject;
      const size = negatives === null ? {} : { negatives };
      const outcome = await trainOnce(dataset, setting, { ...own, ...size, seed }, flags, signal);
      const training = { sampler, options, negatives, seed, ...outcome };
      const S = negatives === null ? "" : ` S = ${negatives}`;
      note(
        io,
        `${labelOf(sampler, options)}${S}, seed ${seed}: ${setting.metric} ${decimal(qualityOf(setting, training))}`,
      );
      return training;
    };
    await runGrid(log, subjects(setting.dim, flags.negatives, flags.sampler), flags.seeds, train);
    const answer = { ...setting, trainings: log.trainings, summary: summarise(log) };
    printResult(io, flags.json, answer, () => convergedText(log));
  });
}

/** The data, and the model of a run if one is named. @throws MissingFileError, OptionError */
async function modelOf({ run, data }: ConvergeFlags): Promise<{ data: string; model?: ConvergeModel }> {
  if (run === undefined) {
    if (data === undefined) {
      throw new OptionError("--converge trains the model of a run, or one for data: name it with --run or --data", {});
    }
    return { data: await requireDataset(data) };
  }
  const directory = await requireRun(run);
  const head = await readRun(directory);
  const found = await requireDataset(dataDirectory(head, directory, data));
  return { data: found, model: { ...usualModel(head.dataset.kind), options: modelOfRun(head.options) } };
}

function settingOf(
  dataset: AnyDataset,
  data: string,
  { options, ...usual }: ConvergeModel,
  { split, steps, batch, dim, limit }: ConvergeFlags,
): ConvergeSetting {
  const sized = { dim: dim ?? options.dim!, batch: batch ?? options.batch! };
  return {
    data: basename(data),
    kind: dataset.kind,
    classes: dataset.classes.size,
    split: split ?? heldOut(dataset),
    metric: usual.metric,
    limit: limit ?? usual.limit,
    steps: steps ?? usual.steps,
    ...sized,
    model: { ...options, ...sized },
  };
}

/** Trains from the start, and evaluates exactly. */
async function trainOnce(
  dataset: AnyDataset,
  { model, steps, split, metric, limit }: ConvergeSetting,
  own: TrainOptions,
  flags: ConvergeFlags,
  signal: AbortSignal,
): Promise<Omit<Training, "sampler" | "options" | "negatives" | "seed">> {
  const workers = flags.workers ?? DEFAULT_WORKERS;
  const { backend } = flags;
  const trainer = await Trainer.create(dataset, {
    ...model,
    ...own,
    maxSteps: steps,
    epochs: 1e6,
    workers,
    ...(backend === undefined ? {} : { backend }),
  });
  const stop = () => trainer.requestStop();
  signal.addEventListener("abort", stop);
  try {
    const converges = await finishes(trainer, steps);
    checkInterrupted(signal);
    const { cpu, load } = machineNow();
    const about = { workers, backend: describeBackend(trainer.host.backend), cpu, load };
    const stepMilliseconds = median([...trainer.stepTimes(steps)]);
    const metrics = converges ? (await trainer.evaluate(split, metric, { limit })).metrics : null;
    return { metrics, stepMilliseconds, ...about };
  } finally {
    signal.removeEventListener("abort", stop);
    await trainer.close();
  }
}

/** Whether the steps could be made: false if they diverge, which is an answer as well. */
async function finishes(trainer: Trainer, steps: number): Promise<boolean> {
  try {
    await trainer.runSteps(steps);
    return true;
  } catch (error) {
    if (LogqError.isInstance(error) && error.code === DivergenceError.code) return false;
    throw error;
  }
}
