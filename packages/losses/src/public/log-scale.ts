import type { LossSpec } from "../loss-spec.js";
import { labelMargin } from "../margin.js";
import type { CheckedProblem } from "./check.js";
import type { Panel } from "./panel.js";
import type { Workspace } from "./workspace.js";

/**
 * The derivative of a loss by log(1/τ), Σ dloss/dz·z over logits z = (h·w + b)/τ, without looking at any of them: with G the gradients of the
 * dot products, Σ_c G_rc·(h_r·w_c) = h_r·dloss/dh_r, and the biases have Σ_c b_c·dloss/db_c. Of cosines h_r is of length 1, and its
 * gradient is the one before it goes back through the length. What follows are the parts of that sum.
 */

/** Of the R rows of a block: Σ_r h_r·dloss/dh_r. */
export function rowsLogScale({ memory, hidden, hiddenGradient }: Workspace, R: number, D: number): number {
  const [h, g] = [memory.floats(hidden, R * D), memory.floats(hiddenGradient, R * D)];
  let sum = 0;
  for (let i = 0; i < R * D; i++) sum += h[i] * g[i];
  return sum;
}

/**
 * Where a margin g takes the place of a label's cosine c, z is g(c)/τ and its share is G·g(c)/g′(c), not G·c: what is missing, of labels with these cosines
 * and gradients.
 */
export function marginsLogScale(
  { name, marginKind, margin }: LossSpec,
  cosines: Float32Array,
  gradients: Float32Array,
): number {
  if (name !== "margin" && name !== "sampled-margin") return 0;
  const g = labelMargin(marginKind, margin);
  let sum = 0;
  for (const [l, gradient] of gradients.entries()) {
    const c = cosines[l];
    if (gradient !== 0) sum += gradient * (g.cosine(c) / g.slope(c) - c);
  }
  return sum;
}

/** Σ b·dloss/db, `gradient` being that of the classes of the panel. */
export function biasLogScale({ bias }: CheckedProblem, { ids }: Panel, gradient: Float64Array | null): number {
  if (bias === null || gradient === null) return 0;
  let sum = 0;
  for (const [u, g] of gradient.entries()) sum += g * bias[ids ? ids[u] : u];
  return sum;
}
