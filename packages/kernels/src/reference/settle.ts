import type { TileKernels } from "../interface/tile.js";
import type { KernelMemory } from "../memory.js";

/** The rows of a softmax once all its tiles are in. */
export function referenceSettle({ f32, f64, i32 }: KernelMemory): Pick<TileKernels, "settleSoftmax"> {
  return {
    settleSoftmax(
      offsets,
      dot,
      add,
      mass,
      apart,
      R,
      scale,
      weight,
      max,
      sum,
      zLoss,
      smoothing,
      classes,
      total,
      lse,
      coefficient,
      uniform,
      loss,
    ) {
      const massOf = (l: number) => (mass === 0 ? 1 : f32[(mass >>> 2) + l]!);
      const logit = (l: number) => scale * f32[(dot >>> 2) + l]! + (add === 0 ? 0 : f32[(add >>> 2) + l]!);
      for (let r = 0; r < R; r++) {
        const start = i32[(offsets >>> 2) + r]!;
        const end = i32[(offsets >>> 2) + r + 1]!;
        const share = f32[(weight >>> 2) + r]!;
        let M = 0;
        for (let l = start; l < end; l++) M += massOf(l);
        const ignored = share === 0 || M === 0;

        let m = f32[(max >>> 2) + r]!;
        let s = f64[(sum >>> 3) + r]!;
        for (let l = start; l < end && apart; l++) {
          const greater = Math.max(m, logit(l));
          s = s * Math.exp(m - greater) + Math.exp(logit(l) - greater);
          m = greater;
        }
        const logPartition = m + Math.log(s);
        const pull = M + 2 * zLoss * logPartition;
        const slope = scale * share;
        let value = zLoss * logPartition * logPartition;
        if (smoothing > 0) {
          value += smoothing * M * (logPartition - f64[(total >>> 3) + r]! / classes);
          f32[(uniform >>> 2) + r] = ignored ? 0 : (slope * M * smoothing) / classes;
        }
        for (let l = start; l < end; l++) {
          const z = logit(l);
          const own = (1 - smoothing) * massOf(l);
          value += own * (logPartition - z);
          const probability = apart ? Math.exp(z - logPartition) : 0;
          f32[(dot >>> 2) + l] = ignored ? 0 : slope * (pull * probability - own);
        }
        f32[(lse >>> 2) + r] = ignored ? 0 : logPartition;
        f32[(coefficient >>> 2) + r] = ignored ? 0 : slope * pull;
        f64[(loss >>> 3) + r] = ignored ? 0 : share * value;
      }
    },
  };
}
