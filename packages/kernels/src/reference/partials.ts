import type { TileKernels } from "../interface/tile.js";
import type { KernelMemory } from "../memory.js";

type PartialKernels = Pick<
  TileKernels,
  | "clearPartials"
  | "softmaxPartials"
  | "softmaxExponentials"
  | "softmaxFactors"
  | "foldPartials"
  | "logSumExp"
  | "softmaxGradient"
>;

/** How far a logit may be above its row's reference. */
const HEADROOM = 32;

/** Classes whose exponentials are told together. */
const BLOCK = 64;

/** The softmax of a tile: its partials (m, s), their fold, and the gradient. */
export function referencePartials({ f32, f64 }: KernelMemory): PartialKernels {
  /** max[m], sum[s] ← (max[m], sum[s]) ⊕ (otherMax, otherSum). Math.max keeps a NaN, so that nothing is hidden. */
  function fold(m: number, s: number, otherMax: number, otherSum: number): void {
    const max = Math.max(f32[m]!, otherMax);
    f64[s] = max === -Infinity ? 0 : f64[s]! * Math.exp(f32[m]! - max) + otherSum * Math.exp(otherMax - max);
    f32[m] = max;
  }

  return {
    clearPartials(max, sum, R) {
      f32.fill(-Infinity, max >>> 2, (max >>> 2) + R);
      f64.fill(0, sum >>> 3, (sum >>> 3) + R);
    },

    softmaxPartials(z, ld, C, R, scale, add, max, sum) {
      for (let r = 0; r < R; r++) {
        let tileMax = -Infinity;
        for (let c = 0; c < C; c++) {
          const at = (z >>> 2) + c * ld + r;
          f32[at] = scale * f32[at]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!);
          tileMax = Math.max(tileMax, f32[at]!);
        }
        if (tileMax === -Infinity) continue;
        let tileSum = 0;
        for (let c = 0; c < C; c++) tileSum += Math.exp(f32[(z >>> 2) + c * ld + r]! - tileMax);
        fold((max >>> 2) + r, (sum >>> 3) + r, tileMax, tileSum);
      }
    },

    softmaxExponentials(z, ld, C, R, scale, add, reference, sum, decay, total, blocks, ldBlocks) {
      let moved = 0;
      for (let r = 0; r < R; r++) {
        const x = (c: number) =>
          Math.fround(scale * f32[(z >>> 2) + c * ld + r]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!));
        let best = -Infinity;
        let logits = 0;
        for (let c = 0; c < C; c++) {
          if (x(c) > best) best = x(c);
          logits += x(c);
        }
        const old = f32[(reference >>> 2) + r]!;
        const next = best > old + HEADROOM ? best : old;
        const lost = next === old ? 1 : Math.exp(old - next);
        if (next !== old) moved++;
        const shift = next === -Infinity ? 0 : next;
        let terms = 0;
        let ofBlock = 0;
        for (let c = 0; c < C; c++) {
          const e = Math.exp(x(c) - shift);
          f32[(z >>> 2) + c * ld + r] = e;
          terms += e;
          ofBlock += e;
          if (blocks === 0 || (c % BLOCK !== BLOCK - 1 && c !== C - 1)) continue;
          f32[(blocks >>> 2) + Math.floor(c / BLOCK) * ldBlocks + r] = ofBlock;
          ofBlock = 0;
        }
        f32[(reference >>> 2) + r] = next;
        f32[(decay >>> 2) + r] = lost;
        f64[(sum >>> 3) + r] = f64[(sum >>> 3) + r]! * lost + terms;
        if (total !== 0) f64[(total >>> 3) + r]! += logits;
      }
      return moved;
    },

    softmaxFactors(out, reference, lse, coefficient, R) {
      for (let r = 0; r < R; r++) {
        const a = f32[(coefficient >>> 2) + r]!;
        const exponent = f32[(reference >>> 2) + r]! - f32[(lse >>> 2) + r]!;
        f32[(out >>> 2) + r] = a === 0 ? 0 : a * Math.exp(exponent);
      }
    },

    foldPartials(max, sum, otherMax, otherSum, R) {
      for (let r = 0; r < R; r++) {
        fold((max >>> 2) + r, (sum >>> 3) + r, f32[(otherMax >>> 2) + r]!, f64[(otherSum >>> 3) + r]!);
      }
    },

    logSumExp(out, max, sum, R) {
      for (let r = 0; r < R; r++) {
        f32[(out >>> 2) + r] = f32[(max >>> 2) + r]! + Math.log(f64[(sum >>> 3) + r]!);
      }
    },

    softmaxGradient(z, ld, C, R, lse, coefficient) {
      for (let r = 0; r < R; r++) {
        const a = f32[(coefficient >>> 2) + r]!;
        // Of the empty set (lse −∞) every term is e^−∞ = 0: any finite number gives that, −∞ − −∞ would not.
        const rowLse = Math.max(f32[(lse >>> 2) + r]!, -Number.MAX_VALUE);
        for (let c = 0; c < C; c++) {
          const at = (z >>> 2) + c * ld + r;
          f32[at] = a === 0 ? 0 : a * Math.exp(f32[at]! - rowLse);
        }
      }
    },
  };
}
