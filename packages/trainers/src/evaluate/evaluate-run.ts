import { join } from "node:path";
import type { BackendChoice } from "@logq/blas";
import { OptionError } from "@logq/core";
import { type AnyDataset, type Names, openDataset, type SplitName } from "@logq/datasets";
import { type RunHead, readRun } from "../checkpoint/format.js";
import { loadParameters } from "../checkpoint/load.js";
import { readNames } from "../checkpoint/names.js";
import { namesOfInputs } from "../checkpoint/save.js";
import { EngineHost } from "../engine/host.js";
import { evaluationEngineSpec } from "../model/engine-spec.js";
import { exampleSource } from "../model/sources.js";
import { type EvaluationProgress, type EvaluationResult, evaluateModel } from "./evaluate.js";
import { largestK, parseMetrics } from "./metrics.js";
import { type PropensityLaw, trainingCounts } from "./propensity.js";

export interface EvaluateRunOptions {
  readonly split: SplitName;
  /** "cross-entropy,perplexity,recall@20" */
  readonly metrics: string;
  /** Default 2. */
  readonly workers?: number;
  readonly backend?: BackendChoice;
  /** As in training. */
  readonly bankBytes?: number;
  /** A prepared dataset; default the one the run was trained on. */
  readonly data?: string;
  readonly limit?: number;
  /** psp@k: the constants of the propensity law. Default `USUAL_PROPENSITY`. */
  readonly propensity?: PropensityLaw;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** Exact evaluation of a saved run. @throws MissingFileError, FileFormatError, OptionError */
export async function evaluateRun(
  directory: string,
  options: EvaluateRunOptions,
): Promise<EvaluationResult & { split: SplitName }> {
  const metrics = parseMetrics(options.metrics);
  const head = await readRun(directory);
  const dataset = await openDataset(options.data ?? recordedDirectory(head, directory));
  await requireSameData(head, directory, dataset);
  const source = exampleSource(dataset, options.split, head.options);
  if (source === undefined) {
    throw new OptionError(`the dataset has no ${options.split} part`, {
      split: options.split,
      parts: Object.keys(dataset.splits),
    });
  }
  const spec = evaluationEngineSpec(head.shape, { [options.split]: source }, largestK(metrics));
  const host = await EngineHost.create(spec, {
    workers: options.workers ?? 2,
    backend: options.backend ?? "auto",
    ...(options.bankBytes === undefined ? {} : { bankBytes: options.bankBytes }),
  });
  try {
    await loadParameters(host, directory, head);
    const { limit, propensity, onProgress } = options;
    const result = await evaluateModel(host, {
      source: options.split,
      metrics,
      training: trainingCounts(dataset),
      ...(propensity === undefined ? {} : { propensity }),
      ...(limit === undefined ? {} : { limit }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return { split: options.split, ...result };
  } finally {
    await host.close();
  }
}

/** Where the run's data were. */
export function recordedDirectory(head: RunHead, directory: string): string {
  if (head.dataset.directory === null) {
    throw new OptionError(`${directory} was trained on data that were never on disk; name a prepared dataset`, {
      directory,
    });
  }
  return head.dataset.directory;
}

/** A model's ids mean nothing on data with other names. */
async function requireSameData(head: RunHead, directory: string, dataset: AnyDataset): Promise<void> {
  if (dataset.kind !== head.dataset.kind) {
    throw new OptionError(`the run was trained on ${head.dataset.kind} data, not on ${dataset.kind} data`, {
      trained: head.dataset.kind,
      given: dataset.kind,
    });
  }
  requireSameNames("classes", await readNames(join(directory, head.classNames), head.shape.classes), dataset.classes);
  const inputs = namesOfInputs(dataset, head.options.encoder);
  if (head.inputNames === null || inputs === undefined) return;
  const vocabulary = head.shape.encoder.vocabulary;
  requireSameNames("inputs", await readNames(join(directory, head.inputNames), vocabulary), inputs);
}

function requireSameNames(what: string, trained: Names, given: Names): void {
  if (trained.size !== given.size) {
    throw new OptionError(`the run was trained on ${trained.size} ${what}, but these data have ${given.size}`, {
      trained: trained.size,
      given: given.size,
    });
  }
  for (let id = 0; id < trained.size; id++) {
    if (trained.name(id) === given.name(id)) continue;
    const names = { id, trained: trained.name(id), given: given.name(id) };
    throw new OptionError(
      `number ${id} of the ${what} was "${names.trained}" in training, but is "${names.given}" in these data`,
      names,
    );
  }
}
