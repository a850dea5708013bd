import type { MachineProbe } from "@logq/micro-benchmarks";
import { runComparison } from "../measure/compare.js";
import type { ComparisonResult, ItemName } from "../report/results.js";
import type { ItemContext } from "./context.js";
import { runCurves } from "./curves.js";
import { sampledAgainstItself } from "./large.js";
import { fullSteps, nextWordSteps, sampledSteps } from "./steps.js";
import { topK } from "./topk.js";
import { runTrainings } from "./train.js";
import { runWord2vec } from "./word2vec.js";
import { workersSteps } from "./workers.js";

/** Repetitions of a round at least: a median of fewer says little, and the slowest steps take most of a second. */
const LEAST = 3;

/** Items of which one repetition takes a second or more, so that rounds alone must do. */
const LONG: readonly ItemName[] = ["next-word", "topk"];

/** Runs the comparisons of an item, one after the other. */
export async function runItem(
  item: ItemName,
  context: ItemContext,
  probe: MachineProbe,
  measured: (result: ComparisonResult) => void,
): Promise<void> {
  const { rounds, seconds } = context.settings;
  if (item === "word2vec") return measured(await runWord2vec(context, probe));
  if (item === "train") return runTrainings(context, probe, measured);
  if (item === "curves") return measured(await runCurves(context, probe));
  const steps = {
    full: () => fullSteps(context),
    sampled: () => [...sampledSteps(context), ...sampledAgainstItself(context)],
    "next-word": () => nextWordSteps(context),
    workers: () => workersSteps(context),
    topk: () => topK(context),
  };
  for (const comparison of steps[item]()) {
    context.tell(`${item}: ${comparison.name}`);
    const least = LONG.includes(item) ? 1 : LEAST;
    measured(await runComparison(comparison, { rounds, seconds, least }, probe, context.tell));
  }
}
