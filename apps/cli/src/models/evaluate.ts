import type { BackendChoice } from "@logq/blas";
import { OptionError } from "@logq/core";
import type { SplitName } from "@logq/datasets";
import { describeLoss } from "@logq/losses";
import { evaluateRun, type PropensityLaw, parseMetrics, type RunHead, readRun } from "@logq/trainers";
import { requireDataset, requireRun } from "../base/directories.js";
import { columns, count, counted, decimal, duration } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, note, printResult } from "../base/io.js";
import { createProgress, RateText } from "../base/progress.js";
import { DEFAULT_WORKERS } from "../base/workers.js";
import { dataDirectory } from "./data.js";

export interface EvaluateFlags {
  readonly split: SplitName;
  readonly metrics?: string;
  readonly data?: string;
  readonly limit?: number;
  readonly propensity?: PropensityLaw;
  readonly workers?: number;
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** `logq evaluate`: exact metrics of a saved run. */
export async function evaluateCommandAction(io: Io, directory: string, flags: EvaluateFlags): Promise<void> {
  const run = await requireRun(directory);
  const head = await readRun(run);
  const metrics = flags.metrics ?? (head.dataset.kind === "pairs" ? "recall@20,ndcg@20" : "cross-entropy,perplexity");
  requireMetrics(metrics, head.shape.classes);
  const data = await requireDataset(dataDirectory(head, run, flags.data));
  if (/cross-entropy|perplexity/i.test(metrics)) noteAboutLikelihood(io, head);
  const result = await interruptible(io, "stopping", async (signal) => {
    const progress = createProgress(io.stderr, "evaluating");
    const rate = new RateText("examples");
    try {
      return await evaluateRun(run, {
        split: flags.split,
        metrics,
        workers: flags.workers ?? DEFAULT_WORKERS,
        data,
        ...(flags.backend === undefined ? {} : { backend: flags.backend }),
        ...(flags.propensity === undefined ? {} : { propensity: flags.propensity }),
        ...(flags.limit === undefined ? {} : { limit: flags.limit }),
        onProgress: ({ examples, total }) => {
          checkInterrupted(signal);
          progress.update(examples / Math.max(1, total), rate.text(examples, total));
        },
      });
    } finally {
      progress.end();
    }
  });
  const { split, examples, labels, seconds } = result;
  const answer = { split, examples, labels, metrics: result.metrics, seconds, run, data };
  printResult(io, flags.json, answer, () =>
    columns([
      [split, `${counted(examples, "example")}, ${counted(labels, "label")}, in ${duration(seconds)}`],
      ...Object.entries(result.metrics).map(([name, value]) => [name, decimal(value)] as const),
    ]),
  );
}

function requireMetrics(text: string, classes: number): void {
  const metrics = parseMetrics(text);
  if (metrics.length === 0) throw new OptionError(`--metrics "${text}" names none`, { metrics: text });
  const beyond = metrics.find((metric) => "k" in metric && metric.k > classes);
  if (beyond === undefined) return;
  throw new OptionError(`${beyond.label} looks at more classes than the ${count(classes)} there are`, {
    metric: beyond.label,
    classes,
  });
}

/** Cross-entropy is taken by a softmax over the logits; not every loss makes them for that. */
function noteAboutLikelihood(io: Io, { options }: RunHead): void {
  const { name, correction } = options.loss;
  const { learns, kind, perplexity } = describeLoss(name);
  if (perplexity) return;
  if (kind === "normalised" && !(name === "sampled-softmax" && correction === "none")) return;
  if (name === "nce") return;
  note(io, `note: ${name} learns ${learns}; cross-entropy and perplexity are those of a softmax over such logits`);
}
