import type { Machine } from "../src/machine.js";
import type { Cell, CellMeasurement, CellResult, Measurer } from "../src/measure/types.js";
import type { LossName } from "../src/names.js";
import { checkOptions, type RawOptions } from "../src/options.js";
import { planCells } from "../src/sweep/plan.js";
import type { Results } from "../src/sweep/results.js";
import type { Settings } from "../src/sweep/settings.js";

/** A machine like many. */
export const MACHINE: Machine = {
  cpu: "Example CPU <9000> & Co",
  cores: 2,
  memoryBytes: 24e9,
  os: "linux x64 6.1.0",
  node: "20.20.2",
  v8: "11.3.244.8",
  date: "2025-01-31T09:30:00.000Z",
  gemmGigaflops: { "1": 61.3, "2": 119 },
  processorShare: 0.99,
};

/** Settings as the command line makes them, with two workers wherever the tests run. */
export function settingsOf(raw: RawOptions = {}): Settings {
  return checkOptions({ workers: "2", ...raw }).settings;
}

/** Results with every cell of the plan measured by `modelCell`. */
export function resultsOf(raw: RawOptions = {}): Results {
  const settings = settingsOf(raw);
  return { machine: MACHINE, settings, cells: planCells(settings).map((cell) => resultOf(cell, settings)) };
}

export function resultOf(cell: Cell, settings: Settings): CellResult {
  return { ...cell, ...modelCell(cell, settings), failed: false };
}

/** A measurer that answers at once with `modelCell`, and tells who was asked. */
export function modelMeasurer(settings: Settings, asked: Cell[] = []): Measurer {
  return {
    gemmGigaflops: MACHINE.gemmGigaflops,
    processorShare: 0.99,
    measureCell: async ({ cell, onProgress }) => {
      asked.push(cell);
      onProgress("training", 0.5);
      return modelCell(cell, settings);
    },
    close: async () => {},
  };
}

const CROSSOVER_COST: Readonly<Record<LossName, number>> = {
  "full-softmax": 0,
  "sampled-softmax": 1.35,
  nce: 1.22,
  "negative-sampling": 1.18,
  "sampled-logistic": 1.25,
  "adaptive-softmax": 1.3,
  "hierarchical-softmax": 0.3,
};

/**
 * What a cell could well measure, as a smooth function of the cell: the full softmax's step is proportional to n, a sampled step to S with a small
 * price for colder rows, errors fall with steps. The numbers are made up; their shape is that of real ones.
 */
export function modelCell(cell: Cell, settings: Settings): CellMeasurement {
  const { batch, dim, seconds } = settings;
  const threads = Math.min(cell.workers, 2);
  const rows = cell.loss === "full-softmax" ? cell.classes : (cell.negatives ?? 0) + batch;
  const cold = 1 + 0.06 * Math.log10(cell.classes / 1000);
  const share = cell.loss === "full-softmax" ? 0.78 - 0.1 * Math.exp(-cell.classes / 3000) : 0.31;
  const flop = 6 * batch * dim * rows;
  const milliseconds =
    cell.loss === "full-softmax"
      ? flop / (share * 60e6 * threads)
      : CROSSOVER_COST[cell.loss] * cold * (rows / 512) * (cell.sampler === "uniform" ? 0.96 : 1) * (2 / threads);
  const steps = Math.floor((seconds * 1000) / milliseconds);
  const equalSteps = Math.ceil((100_000 + 4 * cell.classes) / batch);
  const fits = steps >= equalSteps;
  const best = 0.62 * Math.log(cell.classes);
  const gap = (done: number) => learned(cell, done, equalSteps);
  const recall = (nats: number) => ({ "1": 0.21 * Math.exp(-nats), "10": 0.48 * Math.exp(-0.8 * nats) });
  const gradients = GRADIENT[cell.sampler === "log-uniform" || cell.sampler === "unigram" ? cell.sampler : "uniform"];
  const compared = cell.loss === "sampled-softmax";
  return {
    backend: "wasm-simd128",
    steps,
    seconds,
    stepMilliseconds: milliseconds,
    stepMillisecondsLow: milliseconds * 0.96,
    stepMillisecondsHigh: milliseconds * 1.09,
    examplesPerSecond: (batch * 1000) / milliseconds,
    tableBytes: cell.classes * (dim + 2) * 4 + (cell.sampler === "unigram" ? cell.classes * 12 : 0),
    gemmShare: share,
    crossEntropy: fits ? best + gap(steps) : null,
    crossEntropyAtEqualSteps: fits ? best + gap(equalSteps) : null,
    bestCrossEntropy: best,
    recall: fits ? recall(gap(steps)) : null,
    recallAtEqualSteps: fits ? recall(gap(equalSteps)) : null,
    equalSteps,
    gradientBias: compared ? gradients.bias : null,
    gradientSpread: compared ? gradients.spread * Math.sqrt(256 / (cell.negatives ?? 256)) : null,
    reason: fits ? (compared ? null : "no gradient to compare") : passReason(equalSteps, steps),
  };
}

const GRADIENT = {
  uniform: { bias: 0.21, spread: 0.44 },
  "log-uniform": { bias: 0.09, spread: 0.27 },
  unigram: { bias: 0.075, spread: 0.26 },
} as const;

function passReason(needed: number, done: number): string {
  return `one pass over the data needs ${needed} steps, and ${done} fitted into the time`;
}

function learned(cell: Cell, steps: number, pass: number): number {
  const price = {
    "full-softmax": 0,
    "sampled-softmax": 0.04,
    nce: 0.11,
    "negative-sampling": 0.9,
    "sampled-logistic": 0.13,
    "adaptive-softmax": 0.05,
    "hierarchical-softmax": 0.2,
  };
  const law = cell.sampler === "uniform" ? 0.32 : cell.sampler === "log-uniform" ? 0.02 : 0;
  return price[cell.loss] + law + 0.95 * (steps / pass) ** -0.45 * Math.log10(cell.classes) * 0.3;
}
