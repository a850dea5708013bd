import { describeLoss } from "@logq/losses";
import { frequencyOrder, type Law } from "@logq/samplers";
import type { RunOptions } from "./options.js";
import { drawsWithReplacement } from "./samplers.js";

/** From this many classes on, the cost of looking at all of them in every step is worth a word. */
export const MANY_CLASSES = 50_000;

/** Expected draws of one class in a step above which removing its hits distorts the importance correction. */
const MANY_DRAWS = 0.5;

/** What is known about the classes when a run begins. */
export interface ClassFacts {
  /** n */
  readonly classes: number;
  /** (n) how often each class is a label, by id; absent where nobody counted. */
  readonly counts: ArrayLike<number> | undefined;
  /** The law that candidates are drawn from; absent without candidates. */
  readonly law: Law | undefined;
}

/** What a user should know before the first step: allowed choices that will probably disappoint. Plain sentences with the numbers. */
export function runWarnings(options: RunOptions, facts: ClassFacts): string[] {
  const warnings = [
    removedHits(options, facts),
    unsortedClasses(options, facts),
    uncorrected(options),
    manyClasses(options, facts),
  ];
  return warnings.filter((warning) => warning !== undefined);
}

/**
 * Importance correction wants accidental hits kept: with replacement, removing those of a label is wrong by the draws that the label lost,
 * S·q of them.
 */
function removedHits(
  { loss, sampler, negatives }: RunOptions,
  { classes, counts, law }: ClassFacts,
): string | undefined {
  if (loss.name !== "sampled-softmax" || loss.correction !== "importance" || loss.accidentalHits !== "remove") return;
  if (law === undefined || sampler === undefined || !drawsWithReplacement(sampler)) return;
  let worst = -1;
  for (let id = 0; id < classes; id++) {
    if (counts !== undefined && counts[id]! === 0) continue;
    if (worst < 0 || law.probability(id) > law.probability(worst)) worst = id;
  }
  const draws = worst < 0 ? 0 : negatives * law.probability(worst);
  if (draws < MANY_DRAWS) return;
  return (
    `accidental hits are removed from draws with replacement, and class ${worst} is expected ${number(draws)} times among ${number(negatives)} ` +
    "draws: the importance correction is wrong for labels that are drawn this often. Keep the hits, or draw without replacement"
  );
}

function unsortedClasses({ sampler, adaptive }: RunOptions, { counts }: ClassFacts): string | undefined {
  if ((sampler?.name !== "log-uniform" && adaptive === undefined) || counts === undefined) return;
  const { gamma, verdict } = frequencyOrder(counts);
  if (verdict === "sorted") return;
  const [who, advice] =
    adaptive === undefined
      ? ["log-uniform", "unigram knows the counts"]
      : [
          "adaptive-softmax",
          "many rows will visit its tails, and frequent classes are told apart by few numbers there",
        ];
  return (
    `${who} takes low ids for frequent classes, but these are ${verdict === "roughly" ? "only roughly" : "not"} in that order ` +
    `(gamma ${gamma.toFixed(2)}, 1 is sorted): ${advice}`
  );
}

function uncorrected({ loss }: RunOptions): string | undefined {
  if (loss.name !== "sampled-softmax" || loss.correction !== "none") return;
  return "without correction the model learns log p - log Q instead of log p: its rankings depend on the sampler";
}

function manyClasses({ sampler, adaptive, loss, batch, dim }: RunOptions, { classes }: ClassFacts): string | undefined {
  if (sampler !== undefined || adaptive !== undefined || classes < MANY_CLASSES) return;
  if (describeLoss(loss.name).kind === "tree") return;
  // Forward, dH and dW: three products of 2·B·n·D operations.
  const operations = 6 * batch * classes * dim;
  return (
    `${loss.name} looks at all ${number(classes)} classes in every step: about ${number(operations / 1e9)} billion operations for ` +
    `${number(batch)} rows of width ${dim}. A sampled loss costs as much as its candidates`
  );
}

/** Three digits, or all of an integer, with commas. */
function number(value: number): string {
  return value.toLocaleString("en-US", Number.isInteger(value) ? {} : { maximumSignificantDigits: 3 });
}
