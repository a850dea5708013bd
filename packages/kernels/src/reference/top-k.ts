import type { TileKernels } from "../interface/tile.js";
import type { KernelMemory } from "../memory.js";

type TopKKernels = Pick<TileKernels, "topK" | "clearTopK" | "mergeTopK">;

/** The k best classes of each row, by insertion into a sorted list. */
export function referenceTopK({ f32, i32 }: KernelMemory): TopKKernels {
  /** The order of the lists: the higher logit first, of equal logits the lower id. False for NaN. */
  function better(value: number, id: number, thanValue: number, thanId: number): boolean {
    return value > thanValue || (value === thanValue && id < thanId);
  }

  /** Offers (value, id) to the list of k that starts at elements `v` and `i`. */
  function offer(v: number, i: number, k: number, value: number, id: number): void {
    if (!(value > -Infinity)) return;
    let at = k;
    while (at > 0 && better(value, id, f32[v + at - 1]!, i32[i + at - 1]!)) at--;
    if (at === k) return;
    f32.copyWithin(v + at + 1, v + at, v + k - 1);
    i32.copyWithin(i + at + 1, i + at, i + k - 1);
    f32[v + at] = value;
    i32[i + at] = id;
  }

  return {
    clearTopK(values, ids, k, R) {
      f32.fill(-Infinity, values >>> 2, (values >>> 2) + R * k);
      i32.fill(-1, ids >>> 2, (ids >>> 2) + R * k);
    },

    topK(values, ids, k, z, ld, C, R, scale, add, floor, firstId, idStep) {
      if (k === 0) return;
      for (let r = 0; r < R; r++) {
        const least = floor === 0 ? -Infinity : f32[(floor >>> 2) + r]!;
        const list = (values >>> 2) + r * k;
        for (let c = 0; c < C; c++) {
          const x = scale * f32[(z >>> 2) + c * ld + r]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!);
          if (!(x < least)) offer(list, (ids >>> 2) + r * k, k, Math.fround(x), firstId + c * idStep);
        }
        if (floor !== 0) f32[(floor >>> 2) + r] = Math.max(least, f32[list + k - 1]!);
      }
    },

    mergeTopK(values, ids, otherValues, otherIds, k, R) {
      for (let r = 0; r < R; r++) {
        for (let j = r * k; j < (r + 1) * k; j++) {
          const value = f32[(otherValues >>> 2) + j]!;
          offer((values >>> 2) + r * k, (ids >>> 2) + r * k, k, value, i32[(otherIds >>> 2) + j]!);
        }
      }
    },
  };
}
