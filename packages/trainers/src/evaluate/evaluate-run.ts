import { OptionError } from "@logq/core";
import { openDataset, type SplitName } from "@logq/datasets";
import type { BackendChoice } from "@logq/kernels";
import { readRun, type RunHead } from "../checkpoint/format.js";
import { loadParameters } from "../checkpoint/load.js";
import { EngineHost } from "../engine/host.js";
import { evaluationEngineSpec } from "../model/engine-spec.js";
import { exampleSource } from "../model/sources.js";
import { type EvaluationProgress, type EvaluationResult, evaluateModel } from "./evaluate.js";
import { parseMetrics } from "./metrics.js";

export interface EvaluateRunOptions {
  readonly split: SplitName;
  /** "cross-entropy,perplexity,recall@20" */
  readonly metrics: string;
  /** Default 2. */
  readonly workers?: number;
  readonly backend?: BackendChoice;
  /** A prepared dataset; default the one the run was trained on. */
  readonly data?: string;
  readonly limit?: number;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** Exact evaluation of a saved run. @throws MissingFileError, FileFormatError, OptionError */
export async function evaluateRun(directory: string, options: EvaluateRunOptions): Promise<EvaluationResult & { split: SplitName }> {
  const metrics = parseMetrics(options.metrics);
  const head = await readRun(directory);
  const dataset = await openDataset(options.data ?? recordedDirectory(head, directory));
  requireSameData(head, dataset.kind, dataset.classes.size);
  const source = exampleSource(dataset, options.split, head.options);
  if (source === undefined) {
    throw new OptionError(`the dataset has no ${options.split} part`, { split: options.split, parts: Object.keys(dataset.splits) });
  }
  const k = Math.max(0, ...metrics.map((metric) => ("k" in metric ? metric.k : 0)));
  const spec = evaluationEngineSpec(head.shape, { [options.split]: source }, k);
  const host = await EngineHost.create(spec, { workers: options.workers ?? 2, backend: options.backend ?? "auto" });
  try {
    await loadParameters(host, directory, head);
    const { limit, onProgress } = options;
    const result = await evaluateModel(host, {
      source: options.split,
      metrics,
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
    throw new OptionError(`${directory} was trained on data that were never on disk; name a prepared dataset`, { directory });
  }
  return head.dataset.directory;
}

function requireSameData(head: RunHead, kind: string, classes: number): void {
  if (kind === head.dataset.kind && classes === head.shape.classes) return;
  throw new OptionError(
    `the run was trained on ${head.dataset.kind} data of ${head.shape.classes} classes, not on ${kind} data of ${classes}`,
    { trained: { kind: head.dataset.kind, classes: head.shape.classes }, given: { kind, classes } },
  );
}
