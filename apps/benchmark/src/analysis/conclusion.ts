import { count, percent, roughly, significant } from "../format.js";
import type { CellResult } from "../measure/types.js";
import type { Results } from "../sweep/results.js";
import { type Crossover, findCrossover } from "./crossover.js";
import { curve, gapAtEqualSteps, gapAtEqualTime, type Quantity, referenceCells, referenceSampler } from "./select.js";

/** What a sweep says, in numbers for programs and in sentences for people. */
export interface Conclusion {
  readonly crossover: Crossover;
  /** From which class count a sampled step is cheaper, and by how much at the largest size. */
  readonly time: string;
  /** How good the full softmax is that it was compared with. */
  readonly baseline: string;
  /** Who stands closer to the best reachable cross-entropy, after equal time and after equal steps. */
  readonly accuracy: string;
}

/** Below this share of the GEMM rate the baseline is called slow: more than half of the gain might be its doing. */
const SLOW_BASELINE = 0.5;

/** Draws the conclusion from full softmax and sampled softmax with its reference sampler. */
export function conclude(results: Results): Conclusion {
  const stepTime: Quantity = (cell) => cell.stepMilliseconds;
  const crossover = findCrossover(
    curve(results, "full-softmax", stepTime),
    curve(results, "sampled-softmax", stepTime),
  );
  return {
    crossover,
    time: timeSentence(results, crossover),
    baseline: baselineSentence(results),
    accuracy: accuracySentence(results),
  };
}

function timeSentence(results: Results, crossover: Crossover): string {
  const sampler = referenceSampler("sampled-softmax", results.settings);
  const name = `sampled softmax (${sampler} sampler)`;
  switch (crossover.kind) {
    case "unknown":
      return "No class count has step times of both full and sampled softmax, so no crossover can be named.";
    case "always":
      return `A step of ${name} is cheaper than a full softmax step at every class count measured, the smallest being ${count(crossover.classes)}${atLargest(results)}.`;
    case "between":
      return `A step of ${name} is cheaper than a full softmax step from about ${roughly(crossover.classes)} classes on (measured: dearer at ${count(crossover.below)}, cheaper at ${count(crossover.above)})${atLargest(results)}.`;
    case "never": {
      const but =
        crossover.exceptions.length === 0
          ? ""
          : `, though it was cheaper at ${crossover.exceptions.map(count).join(", ")}`;
      return `A step of ${name} is not cheaper than a full softmax step up to ${count(crossover.classes)} classes${but}.`;
    }
  }
}

/** "; at 100,000 classes it takes 2.1 ms instead of 91 ms, 43 times less". */
function atLargest(results: Results): string {
  const [full, sampled] = lastShared(results, (cell) => cell.stepMilliseconds);
  if (full === undefined || sampled === undefined) return "";
  const [dear, cheap] = [full.stepMilliseconds!, sampled.stepMilliseconds!];
  return `; at ${count(full.classes)} classes it takes ${significant(cheap)} ms instead of ${significant(dear)} ms, ${significant(dear / cheap, 2)} times less`;
}

function baselineSentence(results: Results): string {
  const cell = referenceCells(results, "full-softmax").findLast((found) => found.gemmShare !== null);
  if (cell === undefined) return "The full softmax's share of this machine's GEMM rate was not measured.";
  const share = cell.gemmShare!;
  const verdict =
    share >= SLOW_BASELINE
      ? "so the comparison is with a baseline that uses the machine well"
      : "so a faster full softmax is possible, and part of the gain belongs to a slow baseline";
  return `The full softmax reaches ${percent(share)} of this machine's own GEMM rate at ${count(cell.classes)} classes, ${verdict}.${disturbance(results)}`;
}

/** With less of the processors' time than this, times of steps say more about other programs than about losses. */
const UNDISTURBED_SHARE = 0.85;

/** Owns up to a machine that had other things to do. Empty if it had not. */
function disturbance({ machine: { processorShare } }: Results): string {
  if (processorShare === null || processorShare >= UNDISTURBED_SHARE) return "";
  return ` Other programs were running: the threads had the processor for ${percent(processorShare)} of the time, and barriers between threads suffer most from that. On an idle machine steps are faster, those of the full softmax above all.`;
}

function accuracySentence(results: Results): string {
  const seconds = significant(results.settings.seconds, 2).replace(/\.0$/, "");
  const parts = [
    accuracyPart(results, gapAtEqualTime, `after ${seconds} s of training each`),
    accuracyPart(results, gapAtEqualSteps, "after one pass over the data each"),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) {
    return "No class count has the accuracy of both full and sampled softmax: one pass over the data did not fit into the time.";
  }
  const text = `${parts.join("; ")}.${beyond(results)}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "after 5 s of training each, at 5,000 classes, sampled softmax is 0.46 and full softmax 0.78 nats above the best reachable cross-entropy (...)". */
function accuracyPart(results: Results, gap: Quantity, when: string): string | undefined {
  const [full, sampled] = lastShared(results, gap);
  if (full === undefined || sampled === undefined) return undefined;
  const [a, b] = [gap(full)!, gap(sampled)!].map((value) => value.toFixed(2));
  const at = `${when}, at ${count(full.classes)} classes,`;
  const verdict = a === b ? "level" : `${gap(full)! > gap(sampled)! ? "sampled" : "full"} softmax is ahead`;
  return full.bestCrossEntropy === null
    ? `${at} the exact cross-entropy of sampled softmax is ${b} and that of full softmax ${a} nats (${verdict})`
    : `${at} sampled softmax is ${b} and full softmax ${a} nats above the best reachable cross-entropy (${verdict})`;
}

/** Owns up to the sizes at which the full softmax has a step time but no accuracy. */
function beyond(results: Results): string {
  const [full] = lastShared(results, gapAtEqualTime);
  const timed = curve(results, "full-softmax", (cell) => cell.stepMilliseconds).at(-1);
  if (full === undefined || timed === undefined || timed.classes <= full.classes) return "";
  return ` At larger class counts the full softmax did not get through the data once in that time.`;
}

/** The reference cells of full and sampled softmax at the largest size where both have the quantity. */
function lastShared(results: Results, quantity: Quantity): [CellResult, CellResult] | [undefined, undefined] {
  const sampled = referenceCells(results, "sampled-softmax").filter((cell) => quantity(cell) !== null);
  for (const full of referenceCells(results, "full-softmax").toReversed()) {
    const other = sampled.find((cell) => cell.classes === full.classes);
    if (quantity(full) !== null && other !== undefined) return [full, other];
  }
  return [undefined, undefined];
}
