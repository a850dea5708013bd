import type { Layer } from "./layer.js";
import type { Candidates, Proposal } from "./proposal.js";

/** How far the gradient of the sampled softmax in h is from that of the full one, over the norm of the full one. All contexts count as one long vector. */
export interface GradientError {
  readonly S: number;
  /** ‖E[ĝ] − g‖ / ‖g‖, freed of the noise of so many draws; 0 where it is too small to be told from noise. */
  readonly bias: number;
  /** sqrt(E‖ĝ − g‖²) / ‖g‖ */
  readonly error: number;
}

/** Sums over contexts, from which the errors are made. */
export class ErrorSums {
  #exact = 0;
  #ofMean = 0;
  #variance = 0;
  #squares = 0;
  readonly #draws: number;

  constructor(draws: number) {
    this.#draws = draws;
  }

  /**
   * Adds a context. @param sum (D), the sum over draws of ĝ − g; `squares` the sum of ‖ĝ − g‖²; `exact` is ‖g‖².
   * With one draw nothing is known of the noise: the bias is then that of the draw.
   */
  add(sum: Float64Array, squares: number, exact: number): void {
    const ofMean = squareOf(sum) / this.#draws ** 2;
    this.#exact += exact;
    this.#ofMean += ofMean;
    this.#squares += squares / this.#draws;
    if (this.#draws > 1) this.#variance += (squares - this.#draws * ofMean) / (this.#draws - 1);
  }

  errors(S: number): GradientError {
    const bias = Math.sqrt(Math.max(0, this.#ofMean - this.#variance / this.#draws));
    const norm = Math.sqrt(this.#exact);
    return { S, bias: bias / norm, error: Math.sqrt(this.#squares) / norm };
  }
}

/**
 * Draws for one context and adds its errors to `sums`. The loss is sampled softmax in the form `partition`: the target's logit as it is, those of candidates less
 * log Q, so that Σ e^z/Q over candidates estimates the sum over all classes but the target. Candidates without log Q are not corrected.
 * @param mean (D), Σ p·w over all classes
 */
export function addContext(
  layer: Layer,
  proposal: Proposal,
  context: number,
  S: number,
  draws: number,
  mean: Float64Array,
  sums: ErrorSums,
): void {
  const { D, rows, scale, targets, logSoftmax } = layer;
  const target = targets[context]!;
  const logs = logSoftmax[context]!;
  const out: Candidates = { ids: new Int32Array(S), logQ: new Float64Array(S) };
  const weights = new Float64Array(S);
  const difference = new Float64Array(D);
  const sum = new Float64Array(D);
  let squares = 0;
  for (let step = 0; step < draws; step++) {
    const count = proposal.draw(step, context, S, out);
    const ofTarget = Math.exp(logs[target]!);
    let total = ofTarget;
    for (let i = 0; i < count; i++) {
      const id = out.ids[i]!;
      weights[i] = id === target ? 0 : Math.exp(logs[id]! - out.logQ[i]!);
      total += weights[i]!;
    }
    for (let d = 0; d < D; d++) difference[d] = (ofTarget / total) * rows[target * D + d]! - mean[d]!;
    for (let i = 0; i < count; i++) {
      const weight = weights[i]! / total;
      for (let d = 0, at = out.ids[i]! * D; d < D; d++, at++) difference[d]! += weight * rows[at]!;
    }
    for (let d = 0; d < D; d++) {
      const value = scale * difference[d]!;
      sum[d]! += value;
      squares += value * value;
    }
  }
  let exact = 0;
  for (let d = 0; d < D; d++) exact += (scale * (mean[d]! - rows[target * D + d]!)) ** 2;
  sums.add(sum, squares, exact);
}

/** Σ p·w of a context (D), p the softmax: what full softmax subtracts from the target's row. */
export function meanRow({ n, D, rows, logSoftmax }: Layer, context: number): Float64Array {
  const mean = new Float64Array(D);
  const logs = logSoftmax[context]!;
  for (let id = 0; id < n; id++) {
    const p = Math.exp(logs[id]!);
    for (let d = 0, at = id * D; d < D; d++, at++) mean[d]! += p * rows[at]!;
  }
  return mean;
}

function squareOf(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0);
}
