import { compileBackend } from "@logq/blas";
import { describeLoss } from "@logq/losses";
import { Trainer, type TrainOptions } from "@logq/trainers";
import { count, significant } from "../format.js";
import { DISTORTION, LEARNING_RATE } from "../names.js";
import type { Settings } from "../sweep/settings.js";
import { productFlops, tableBytes } from "./cost.js";
import { type CellData, DataSource } from "./data.js";
import { probeGemm } from "./gemm.js";
import { type GradientError, gradientError } from "./gradient.js";
import { type TrainingRun, trainCell } from "./training.js";
import type { Cell, CellMeasurement, MeasureRequest, Measurer } from "./types.js";

/** Rankings go down to 10. */
const MAX_K = 10;
/** Training ends by the clock, never by its epochs. */
const EPOCHS = 1e9;
/** Memory is given out in pages of so many bytes. */
const PAGE = 4096;

/** Opens the measurer of the engine: compiles the back-end and measures its GEMM rate at 1, 2 and every asked number of threads. */
export async function openMeasurer(settings: Settings, signal: AbortSignal): Promise<Measurer> {
  const backend = await compileBackend(settings.backend, true);
  const probe = await probeGemm(backend, settings.dim, [1, 2, ...settings.workers], signal);
  const source = new DataSource(settings);
  return {
    gemmGigaflops: probe.gigaflops,
    processorShare: probe.processorShare,
    measureCell: (request) => measureCell(request, settings, source, probe.gigaflops),
    close: async () => {},
  };
}

async function measureCell(
  request: MeasureRequest,
  settings: Settings,
  source: DataSource,
  gemmGigaflops: Readonly<Record<string, number>>,
): Promise<CellMeasurement> {
  const { cell, signal, onProgress } = request;
  onProgress("data", 0);
  const data = await source.of(cell.classes);
  const trainer = await Trainer.create(data.dataset, trainOptions(cell, settings), MAX_K);
  try {
    signal.throwIfAborted();
    touch(trainer);
    const run = await trainCell(trainer, data.evaluated, request);
    const reasons: string[] = [];
    if (run.afterPass === null) reasons.push(noPass(trainer, run));
    if (trainer.probeSplit === "train") reasons.push("the data has no held-out part");
    onProgress("gradients", 0.95);
    const gradient = await gradientOf(trainer, signal, reasons);
    const rate = gemmGigaflops[String(cell.workers)]!;
    return {
      ...measurementOf(trainer, run, data, rate),
      ...gradient,
      reason: reasons.length === 0 ? null : reasons.join("; "),
    };
  } finally {
    await trainer.close();
  }
}

function trainOptions(
  { loss, sampler, negatives, workers }: Cell,
  { dim, batch, seed, backend }: Settings,
): TrainOptions {
  const candidates =
    sampler === null || negatives === null
      ? {}
      : { sampler, negatives, ...(sampler === "unigram" ? { distortion: DISTORTION[loss] } : {}) };
  const optimizer = { name: "adagrad", learningRate: LEARNING_RATE[loss] } as const;
  return { loss, ...candidates, dim, batch, seed, backend, workers, optimizer, epochs: EPOCHS };
}

/** Meets every page of the engine's memories once, so that no step waits for the system to provide one. */
function touch({ host }: Trainer): void {
  for (const { u8 } of host.memories) for (let at = 0; at < u8.length; at += PAGE) u8[at] = u8[at]!;
}

function measurementOf(
  trainer: Trainer,
  run: TrainingRun,
  data: CellData,
  rate: number,
): Omit<CellMeasurement, "gradientBias" | "gradientSpread" | "reason"> {
  const median = quantile(run.stepTimes, 0.5);
  const heldOut = trainer.probeSplit !== "train";
  const [afterPass, atEnd] = heldOut ? [run.afterPass, run.atEnd] : [null, null];
  return {
    backend: trainer.backend,
    steps: run.steps,
    seconds: run.seconds,
    stepMilliseconds: median,
    stepMillisecondsLow: quantile(run.stepTimes, 0.1),
    stepMillisecondsHigh: quantile(run.stepTimes, 0.9),
    examplesPerSecond: (1000 * trainer.options.batch) / median,
    tableBytes: tableBytes(trainer),
    gemmShare: productFlops(trainer) / (median * 1e6) / rate,
    crossEntropy: atEnd?.crossEntropy ?? null,
    crossEntropyAtEqualSteps: afterPass?.crossEntropy ?? null,
    bestCrossEntropy: data.bestCrossEntropy,
    recall: atEnd?.recall ?? null,
    recallAtEqualSteps: afterPass?.recall ?? null,
    equalSteps: trainer.stepsPerEpoch,
  };
}

/** The value below which `share` of the ascending values lie, between neighbours by interpolation. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (place - below) * (high - low);
}

function noPass({ stepsPerEpoch }: Trainer, { steps, seconds }: TrainingRun): string {
  return `no accuracy: one pass over the data takes ${count(stepsPerEpoch)} steps, and ${count(steps)} fitted into ${significant(seconds, 2)} s`;
}

/** Bias and spread of losses that estimate the full softmax's gradient; for the others a reason. */
async function gradientOf(
  trainer: Trainer,
  signal: AbortSignal,
  reasons: string[],
): Promise<{ gradientBias: number | null; gradientSpread: number | null }> {
  const error = await errorOf(trainer, signal, reasons);
  return { gradientBias: error?.bias ?? null, gradientSpread: error?.spread ?? null };
}

async function errorOf(trainer: Trainer, signal: AbortSignal, reasons: string[]): Promise<GradientError | null> {
  const facts = describeLoss(trainer.options.loss.name);
  if (trainer.options.adaptive !== undefined) {
    reasons.push("no bias and spread: the loss is exact, but of a law of its own");
    return null;
  }
  if (facts.kind === "tree" || facts.kind === "separable") {
    reasons.push("no bias and spread: the loss has a gradient of its own and does not estimate the full softmax's");
    return null;
  }
  if (!facts.candidates) {
    reasons.push("no bias and spread: the gradient is exact");
    return null;
  }
  const error = await gradientError(trainer, signal);
  if (error === null) reasons.push("no bias and spread: no held-out example has a label that the sampler can draw");
  return error;
}
