import type { Address, KernelMemory, Kernels } from "@logq/kernels";

/** Decisions on the paths of some rows, row after row: float32 vectors of one number for each. */
export interface Decisions {
  /** In: h·v of the node. `weighDecisions` makes it −sign·y, of y = scale·h·v + add; `pullDecisions` the gradient with respect to h·v. */
  dot: Address;
  /** In: what is added to scale·h·v. Overwritten with what was computed last. */
  add: Address;
  /** +m where the path goes to the first child and −m where it goes to the second; m > 0 is how often the path counts. */
  mass: Address;
}

/** dot ← −sign·y, and add ← softplus(−sign·y), which is −log σ(sign·y): the loss of each of the decisions [from, to), in nats, without its mass. */
export function weighDecisions(
  { memory: { f32 }, vector }: Kernels,
  { dot, add, mass }: Decisions,
  from: number,
  to: number,
  scale: number,
): void {
  const [x, plus, m] = [dot >>> 2, add >>> 2, mass >>> 2];
  for (let j = from; j < to; j++) {
    const y = scale * f32[x + j] + f32[plus + j];
    f32[x + j] = f32[m + j] > 0 ? -y : y;
  }
  vector.softplus(add + 4 * from, dot + 4 * from, to - from);
}

/** Σ m·loss over [from, to), after `weighDecisions`: −log p of a path. NaN if a logit overflowed: one of +∞ on the right side would have no loss. */
export function sumDecisions({ f32 }: KernelMemory, { dot, add, mass }: Decisions, from: number, to: number): number {
  const [x, losses, m] = [dot >>> 2, add >>> 2, mass >>> 2];
  let sum = 0;
  for (let j = from; j < to; j++) {
    sum += Number.isFinite(f32[x + j]) ? Math.abs(f32[m + j]) * f32[losses + j] : Number.NaN;
  }
  return sum;
}

/** add ← σ(−sign·y), after `weighDecisions`: the probability of the other side of each of the decisions [from, to). */
export function missDecisions({ vector }: Kernels, { dot, add }: Decisions, from: number, to: number): void {
  vector.sigmoid(add + 4 * from, dot + 4 * from, to - from);
}

/** dot ← factor·d(−log p)/dy over [from, to), after `missDecisions`. 0 if factor is, whatever the logits are. */
export function pullDecisions(
  { f32 }: KernelMemory,
  { dot, add, mass }: Decisions,
  from: number,
  to: number,
  factor: number,
): void {
  const [out, misses, m] = [dot >>> 2, add >>> 2, mass >>> 2];
  for (let j = from; j < to; j++) f32[out + j] = factor === 0 ? 0 : -factor * f32[m + j] * f32[misses + j];
}
