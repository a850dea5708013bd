import { curve, type Quantity, referenceCells } from "../analysis/select.js";
import { count, significant } from "../format.js";
import { LOSS_LABEL, LOSSES } from "../names.js";
import type { Results } from "../sweep/results.js";

/** What the main chart shows, from its numbers: "From 1,000 to 100,000 classes a full softmax step grows 84 times, a sampled one 1.2 times." */
export function growthCaption(results: Results): string {
  const growth = (loss: "full-softmax" | "sampled-softmax") => {
    const points = curve(results, loss, (cell) => cell.stepMilliseconds);
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined || first === last) return undefined;
    return { from: first.classes, to: last.classes, times: last.value / first.value };
  };
  const [full, sampled] = [growth("full-softmax"), growth("sampled-softmax")];
  const general = "Both axes are logarithmic: equal distances are equal factors.";
  if (full === undefined || sampled === undefined || full.from !== sampled.from || full.to !== sampled.to)
    return general;
  return `From ${count(full.from)} to ${count(full.to)} classes the time of a full softmax step changes ${significant(full.times, 2)}-fold, that of a sampled softmax step ${significant(sampled.times, 2)}-fold. ${general}`;
}

/** Says that a quantity is missing, with the reasons that cells give. */
export function missingNote(results: Results, quantity: Quantity, what: string): string {
  const reasons = new Set(
    results.cells
      .filter((cell) => quantity(cell) === null)
      .flatMap((cell) => (cell.reason === null ? [] : [cell.reason])),
  );
  return reasons.size === 0 ? `${what}.` : `${what}: ${[...reasons].join("; ")}.`;
}

/** Says that a cross-entropy of scores that are no probabilities is no fault. Empty if nobody has such scores. */
export function noProbabilities(results: Results): string {
  if (results.cells.every((cell) => cell.loss !== "negative-sampling")) return "";
  return ` ${SCORES_ONLY}`;
}

/** What stands beside every cross-entropy of negative sampling. */
export const SCORES_ONLY =
  "Negative sampling learns scores that rank, not probabilities: its cross-entropy is high by design, and recall is what to judge it by.";

/** Explains the dotted leaders: which losses have no value at their largest class counts. Empty if all have. */
export function endsEarly(results: Results, quantity: Quantity): string {
  const early = LOSSES.filter((loss) => {
    const last = curve(results, loss, quantity).at(-1);
    return last !== undefined && last.classes < referenceCells(results, loss).at(-1)!.classes;
  });
  if (early.length === 0) return "";
  const names = early.map((loss) => LOSS_LABEL[loss]).join(", ");
  return ` Where a line ends early (${names}), larger class counts have no value, and a dotted thread leads to the name.`;
}
