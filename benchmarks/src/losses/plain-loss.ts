import type { LossName } from "@logq/losses";

/**
 * The losses that are timed: the two families, over candidates and over all classes. Others are these with other terms of the labels, or walk labels and
 * candidates in a way that depends on the data.
 */
export const PLAIN_LOSSES = [
  "full-softmax",
  "sampled-softmax",
  "nce",
  "negative-sampling",
  "sampled-logistic",
  "one-vs-all",
  "sampled-one-vs-all",
] as const satisfies readonly LossName[];

/** A tile of logits with one label a row, in plain arrays. */
export interface PlainProblem {
  readonly C: number;
  readonly R: number;
  /** (C, R), raw dot products. */
  readonly z: Float32Array;
  /** (C) */
  readonly add: Float32Array;
  /** (C), how often a candidate counts; null: once. */
  readonly weight: Float32Array | null;
  /** (R), raw dot products of the labels, and what is added to them. */
  readonly labelDot: Float32Array;
  readonly labelAdd: Float32Array;
  /** The weight of every row in the loss of the batch. */
  readonly rowWeight: number;
  readonly scale: number;
}

/** Values and gradients: (C, R), and (R) of losses and of the labels' own dot products. */
export interface PlainAnswer {
  readonly gradient: Float64Array;
  readonly loss: Float64Array;
  readonly labelGradient: Float64Array;
}

/** The losses as their equations read, row by row in float64. In full losses the label is one of the tile's classes. */
export function plainLoss(name: LossName, problem: PlainProblem): PlainAnswer {
  const { C, R } = problem;
  const answer = {
    gradient: new Float64Array(C * R),
    loss: new Float64Array(R),
    labelGradient: new Float64Array(R),
  };
  const row = name === "full-softmax" || name === "sampled-softmax" ? softmaxRow : logisticRow;
  for (let r = 0; r < R; r++) row(name, problem, r, answer);
  return answer;
}

function logitOf({ z, add, scale, R }: PlainProblem, c: number, r: number): number {
  return scale * z[c * R + r]! + add[c]!;
}

function labelOf({ labelDot, labelAdd, scale }: PlainProblem, r: number): number {
  return scale * labelDot[r]! + labelAdd[r]!;
}

function softmaxRow(name: LossName, problem: PlainProblem, r: number, answer: PlainAnswer): void {
  const { C, R, rowWeight, scale } = problem;
  const label = labelOf(problem, r);
  let sum = name === "full-softmax" ? 0 : Math.exp(label);
  for (let c = 0; c < C; c++) sum += Math.exp(logitOf(problem, c, r));
  const slope = rowWeight * scale;
  for (let c = 0; c < C; c++) answer.gradient[c * R + r] = (slope * Math.exp(logitOf(problem, c, r))) / sum;
  answer.loss[r] = rowWeight * (Math.log(sum) - label);
  answer.labelGradient[r] = slope * ((name === "full-softmax" ? 0 : Math.exp(label) / sum) - 1);
}

function logisticRow(name: LossName, problem: PlainProblem, r: number, answer: PlainAnswer): void {
  const { C, R, rowWeight, scale, weight } = problem;
  const label = labelOf(problem, r);
  let loss = 0;
  for (let c = 0; c < C; c++) {
    const y = logitOf(problem, c, r);
    const times = weight === null ? 1 : weight[c]!;
    loss += times * softplus(y);
    answer.gradient[c * R + r] = rowWeight * scale * times * sigmoid(y);
  }
  // Over all classes, softplus of the label is in the tile already.
  const inTile = name === "one-vs-all";
  answer.loss[r] = rowWeight * (loss + (inTile ? -label : softplus(-label)));
  answer.labelGradient[r] = -rowWeight * scale * (inTile ? 1 : sigmoid(-label));
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
