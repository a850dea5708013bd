import { count, significant } from "@logq/charts";
import { machineLine, markdownTable, signedPercent } from "@logq/micro-benchmarks";
import { runLine, times } from "../shared/page.js";
import type { CurvesResults } from "./results.js";

/** Beside a page. */
export const CHART_FILE = "images/curves.svg";

/** The numbers as Markdown: what was trained, the chart, levels, the best of both. */
export function curvesPage(results: CurvesResults): string {
  const { machine, settings, full, sampled, levels, ending } = results;
  const { batch, dim, epochs } = settings;
  const ratios = levels.flatMap(({ ratio }) => ratio ?? []);
  return [
    `${machineLine(machine)}; ${runLine(settings, full.backend)}`,
    "",
    `${count(results.classes)} words, ${count(results.examples)} of them to train on in an epoch of ${count(full.stepsPerEpoch)} steps, B = ${count(batch)}, D = ${dim}; ${epochs === 1 ? "one epoch" : `${epochs} epochs`} of each. ` +
      `A step takes ${significant(full.stepMs)} ms with all classes and ${significant(sampled.stepMs)} ms with ${count(settings.negatives)} candidates (medians). ` +
      `Cross-entropy is exact, of ${count(results.heldOut)} held-out words.`,
    "",
    `![Exact cross-entropy of held-out words against seconds of training, full and sampled softmax](${CHART_FILE})`,
    "",
    ...markdownTable([
      ["nats", "full softmax, s", "sampled softmax, s", "times sooner"],
      ...levels.map(({ level, full: one, sampled: other, ratio }) => [
        level.toFixed(3),
        times(one),
        times(other),
        ratio === null ? "–" : significant(ratio),
      ]),
    ]),
    "",
    ratios.length === 0
      ? "No level was reached by both."
      : `Sampling was there ${significant(Math.min(...ratios))} to ${significant(Math.max(...ratios))} times sooner.`,
    `After the same epochs the best level of full softmax is ${ending.full.value.toFixed(4)} nats (step ${count(ending.full.step)}, ${significant(ending.full.seconds)} s), ` +
      `of sampled softmax ${ending.sampled.value.toFixed(4)} (step ${count(ending.sampled.step)}, ${significant(ending.sampled.seconds)} s): ${signedPercent(ending.difference, 2)}.`,
  ].join("\n");
}
