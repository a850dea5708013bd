/** A training step of an output layer with plain SGD. */
export interface StepShape {
  readonly loss: "full-softmax" | "sampled-softmax" | "nce";
  readonly n: number;
  readonly B: number;
  readonly D: number;
  /** Candidates shared by the batch; 0 for a full softmax. */
  readonly S: number;
  /** Whether every side is given the same candidates, or draws its own in the step, log-uniformly and with replacement. */
  readonly draws: "given" | "own";
}

/** Of the mean loss of the batch. Small: the steps of a benchmark meet the same batches often. */
export const LEARNING_RATE = 0.1;

export const count = (value: number) => value.toLocaleString("en-US");

/** Memory that a side needs for it, about: the table and its gradient, and logits with theirs. */
export function bytesOf({ n, B, D, S }: StepShape): number {
  const dense = S === 0;
  return 2 ** 29 + 4 * n * D * (dense ? 2 : 1) + (dense ? 8 * B * n : 0);
}
