import type { TileKernels } from "../interface/tile.js";
import type { KernelMemory } from "../memory.js";

/** Logits within ±cap, and the way back. */
export function referenceSoftCap({ f32 }: KernelMemory): Pick<TileKernels, "softCap" | "softCapSlopes"> {
  return {
    softCap(z, ld, C, R, scale, add, cap) {
      for (let c = 0; c < C; c++) {
        const b = add === 0 ? 0 : f32[(add >>> 2) + c]!;
        for (let r = 0; r < R; r++) {
          const at = (z >>> 2) + c * ld + r;
          const y = scale * f32[at]! + b;
          f32[at] = Math.abs(y) === Infinity ? y : cap * Math.tanh(y / cap);
        }
      }
    },

    softCapSlopes(z, ld, C, R, reference, factor, add, cap) {
      for (let c = 0; c < C; c++) {
        const b = add === 0 ? 0 : f32[(add >>> 2) + c]!;
        for (let r = 0; r < R; r++) {
          const at = (z >>> 2) + c * ld + r;
          if (f32[at] === 0) continue;
          const e = factor === 0 ? f32[at]! : f32[at]! / f32[(factor >>> 2) + r]!;
          const x = Math.log(e) + f32[(reference >>> 2) + r]! - b;
          f32[at]! *= Math.max(0, 1 - (x / cap) ** 2);
        }
      }
    },
  };
}
