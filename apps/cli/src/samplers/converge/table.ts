import { count, duration } from "../../base/format.js";
import { labelOf } from "../rows.js";
import { fixed, markdownTable, textTable } from "../tables.js";
import type { Converged, ConvergeSetting } from "./log.js";
import { type ConvergeSummary, type SizeSummary, summarise } from "./summary.js";

/** Trainings for people: the table, and under it what they were. */
export function convergedText(converged: Converged): string {
  const summary = summarise(converged);
  const { head, lines } = cells(converged.setting, summary);
  return `${textTable(head, lines)}\n${caption(converged, summary)}\n`;
}

/** The same as a section of a page of Markdown. */
export function convergedMarkdown(converged: Converged): string {
  const summary = summarise(converged);
  const { head, lines } = cells(converged.setting, summary);
  return `**${converged.setting.data}.** ${caption(converged, summary)}\n\n${markdownTable(head, lines)}`;
}

function cells(setting: ConvergeSetting, { samplers }: ConvergeSummary): { head: string[]; lines: string[][] } {
  const tried = samplers.flatMap(({ sizes }) => sizes.flatMap(({ negatives }) => negatives ?? []));
  const sizes = [...new Set(tried)].sort((a, b) => a - b);
  const hasBatch = samplers.some((sampler) => sampler.sizes.some(({ negatives }) => negatives === null));
  const columns: (number | null)[] = hasBatch ? [...sizes, null] : sizes;
  const head = columns.map((S) => (S === null ? "the batch's" : `S = ${count(S)}`));
  const lines = samplers.map(({ sampler, options, sizes: own, least }) => [
    labelOf(sampler, options),
    ...columns.map((S) =>
      valueText(
        setting,
        own.find(({ negatives }) => negatives === S),
      ),
    ),
    least === undefined ? "none" : least.negatives === null ? "the batch" : count(least.negatives),
    least === undefined ? "" : duration(least.trainingSeconds),
  ]);
  return { head: ["sampler", ...head, "least S within 1%", "its training"], lines };
}

function valueText({ metric }: ConvergeSetting, size: SizeSummary | undefined): string {
  if (size === undefined) return "";
  if (Number.isNaN(size.mean)) return "diverged";
  const digits = metric === "cross-entropy" ? 3 : 4;
  const spread = size.spread === undefined ? "" : ` ± ${fixed(size.spread, digits)}`;
  return `${fixed(size.mean, digits)}${spread}`;
}

function caption({ setting, trainings }: Converged, { full }: ConvergeSummary): string {
  const { kind, classes, split, metric, limit, steps, batch, dim } = setting;
  const seeds = [...new Set(trainings.map(({ seed }) => seed))].sort((a, b) => a - b);
  const workers = [...new Set(trainings.map(({ workers: own }) => own))].sort((a, b) => a - b);
  const backends = [...new Set(trainings.map(({ backend }) => backend))];
  const seedText = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(", ")}, mean ± standard deviation`;
  const nats = metric === "cross-entropy" ? ", nats a label" : "";
  const perplexity =
    metric === "cross-entropy" && full !== undefined ? `, perplexity ${fixed(Math.exp(full.mean), 1)}` : "";
  const yardstick =
    full === undefined
      ? ""
      : ` Full softmax: ${valueText(setting, full)}${perplexity}, in ${duration(full.trainingSeconds)} of training.`;
  return (
    `Exact ${metric}${nats}, of up to ${count(limit)} examples of the ${split} part: ${count(classes)} classes (${kind}), D = ${dim}, ` +
    `${count(steps)} steps of B = ${count(batch)}; ${seedText}; workers: ${workers.join(" or ")}; ` +
    `back-end ${backends.join(" or ")}.${yardstick}`
  );
}
