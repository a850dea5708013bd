import { MissingLogQError } from "@logq/core";
import { describeLoss, needsLogQ } from "./loss-facts.js";
import type { LossSpec } from "./loss-spec.js";

/** Vectors of one role in a loss, candidates or labels (or all classes, as candidates). Elements [from, to) are read and written, no others. */
export interface TermVectors {
  from: number;
  to: number;
  /** 1/τ, where the temperature is learned. Not given: that of the loss. */
  scale?: number | undefined;
  /** b of each one's class, unscaled. null: no bias. */
  bias: Float32Array | null;
  /** The log of the expected count of each one's class among all draws: of ONE class, whatever its multiplicity. null: unknown. */
  logQ: Float32Array | Float64Array | null;
  /** How often each candidate was drawn, >= 1, when duplicates were merged. null: once. Labels have none. */
  multiplicity: Int32Array | null;
  /** Out: what is added to dot/τ. */
  add: Float32Array;
  /** Out, sampled softmax with a soft cap: what is added before the cap, b/τ, which then is no part of `add`. Not given: as if there were no biases. */
  inner?: Float32Array;
  /** Out: how often a candidate counts, linear. Needed by weighted losses (`describeLoss`) for candidates; others leave it as it is. */
  weight: Float32Array | null;
}

/**
 * The one place where bias, temperature, log Q and multiplicity meet. With e = log Q where the correction subtracts it and 0 elsewhere,
 * and c the multiplicity:
 *
 * | loss | candidate: add | candidate: weight | label: add |
 * |---|---|---|---|
 * | full-softmax, margin, one-vs-all | b/τ | | b/τ |
 * | sampled-softmax, sampled-margin | b/τ − e + log c | | b/τ − e |
 * | nce, sampled-logistic | b/τ − e | c | b/τ − e |
 * | negative-sampling, bce, gbce, bpr, warp, ccl | b/τ | c | b/τ |
 * | sampled-one-vs-all | b/τ | c/Q | b/τ |
 *
 * A sampled softmax with label smoothing has weights as well, c/Q, by which the mean of all logits is estimated.
 *
 * `importance` subtracts from both roles, `partition` from candidates alone, `none` from neither. The temperature divides dot and bias
 * and nothing else: never log Q. Multiplicity is a fact of the draw, not a correction, so it enters under every correction.
 * Throws MissingLogQError if the loss corrects and log Q is unknown.
 */
export function candidateTerms(spec: LossSpec, role: "candidate" | "label", vectors: TermVectors): void {
  const { from, to, bias, logQ, multiplicity, add, inner, weight } = vectors;
  const needed = needsLogQ(spec) && (role === "candidate" || labelsNeedLogQ(spec));
  if (needed && logQ === null) {
    throw new MissingLogQError(`${spec.name} with correction ${spec.correction} needs the log Q of every ${role}`, {
      loss: spec.name,
      correction: spec.correction,
      role,
    });
  }
  const subtracted = needed && spec.name !== "sampled-one-vs-all" ? logQ : null;
  const scale = vectors.scale ?? 1 / spec.temperature;
  const { kind, candidates } = describeLoss(spec.name);
  const capsBias = spec.softCap > 0 && candidates;
  for (let i = from; i < to; i++) {
    const b = bias === null ? 0 : scale * bias[i];
    if (capsBias && inner !== undefined) inner[i] = b;
    let sum = capsBias ? 0 : b;
    if (subtracted !== null) sum -= subtracted[i];
    if (kind === "normalised" && role === "candidate" && multiplicity !== null) sum += Math.log(multiplicity[i]);
    add[i] = sum;
  }
  if (role === "candidate" && (kind !== "normalised" || weighsByQ(spec)) && weight !== null)
    fillWeights(spec, vectors, weight);
}

/** Whether candidates weigh 1/Q for each time they were drawn: what stands for sums over all classes. */
export function weighsByQ({ name, labelSmoothing }: LossSpec): boolean {
  return name === "sampled-one-vs-all" || (name === "sampled-softmax" && labelSmoothing > 0);
}

/** Whether labels need their log Q as well, or candidates alone. */
export function labelsNeedLogQ(spec: LossSpec): boolean {
  return needsLogQ(spec) && spec.correction === "importance" && spec.name !== "sampled-one-vs-all";
}

function fillWeights(spec: LossSpec, { from, to, logQ, multiplicity }: TermVectors, weight: Float32Array): void {
  const divide = weighsByQ(spec) ? logQ : null;
  for (let i = from; i < to; i++) {
    const count = multiplicity === null ? 1 : multiplicity[i];
    weight[i] = divide === null ? count : count * Math.exp(-divide[i]);
  }
}
