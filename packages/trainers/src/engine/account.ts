import type { KernelMemory } from "@logq/kernels";
import { STAT, STEP_TIME_RING } from "./layout.js";

/** What there is to say about a step. */
export interface StepAccount {
  /** Rows that counted. */
  readonly examples: number;
  /** In nats, a mean over them. */
  readonly loss: number;
  /** Of all gradients, when clipping. */
  readonly norm: number;
}

/** Adds a step that ends now to the statistics at `address`. One unit a step: what the main thread reads. */
export function accountStep({ f64 }: KernelMemory, address: number, step: number, of: StepAccount): void {
  const stats = address >>> 3;
  const now = performance.timeOrigin + performance.now();
  f64[stats + STAT.examples] += of.examples;
  f64[stats + STAT.lossSum] += of.loss;
  f64[stats + STAT.lastLoss] = of.loss;
  f64[stats + STAT.gradientNorm] += of.norm;
  const last = f64[stats + STAT.lastStepAt];
  if (last > 0) {
    f64[stats + STAT.ring + (step % STEP_TIME_RING)] = now - last;
    f64[stats + STAT.milliseconds] += now - last;
  }
  f64[stats + STAT.lastStepAt] = now;
  f64[stats + STAT.steps] += 1;
}
