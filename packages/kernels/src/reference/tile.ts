import type { TileKernels } from "../interface/tile.js";
import type { KernelMemory } from "../memory.js";
import { sigmoid, softplus } from "./functions.js";
import { referencePartials } from "./partials.js";
import { referenceSettle } from "./settle.js";
import { referenceSoftCap } from "./soft-cap.js";
import { referenceTopK } from "./top-k.js";

/** What a loss does to a tile of logits; softmax and top-k stand in their own files. */
export function referenceTile(memory: KernelMemory): TileKernels {
  const { f32, f64 } = memory;

  const sumOverTiles: TileKernels["sumOverTiles"] = (out, z, ld, step, C, R, rows, weight) => {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) {
        const at = (z >>> 2) + step * Math.floor(r / R) + c * ld + (r % R);
        sum += (weight === 0 ? 1 : f32[(weight >>> 2) + r]!) * f32[at]!;
      }
      f32[(out >>> 2) + c] = sum;
    }
  };

  return {
    ...referencePartials(memory),
    ...referenceSettle(memory),
    ...referenceTopK(memory),
    ...referenceSoftCap(memory),

    logisticTile(z, ld, C, R, scale, add, weight, coefficient, loss) {
      for (let r = 0; r < R; r++) {
        const a = f32[(coefficient >>> 2) + r]!;
        let sum = 0;
        for (let c = 0; c < C; c++) {
          const at = (z >>> 2) + c * ld + r;
          const y = scale * f32[at]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!);
          const w = weight === 0 ? 1 : f32[(weight >>> 2) + c]!;
          f32[at] = a === 0 ? 0 : a * w * sigmoid(y);
          sum += w * softplus(y);
        }
        if (a !== 0) f64[(loss >>> 3) + r]! += sum;
      }
    },

    logisticPairs(z, ld, C, scale, add, weight, labels, mass, T, coefficient, pull) {
      let loss = 0;
      for (let c = 0; c < C; c++) {
        const at = (z >>> 2) + c * ld;
        const y = scale * f32[at]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!);
        const w = weight === 0 ? 1 : f32[(weight >>> 2) + c]!;
        let slope = 0;
        for (let l = 0; l < T; l++) {
          const m = mass === 0 ? w : w * f32[(mass >>> 2) + l]!;
          const difference = y - f32[(labels >>> 2) + l]!;
          const pair = m * sigmoid(difference);
          loss += m * softplus(difference);
          slope += pair;
          f64[(pull >>> 3) + l]! += pair;
        }
        f32[at] = coefficient * slope;
      }
      return loss;
    },

    hingeTile(z, ld, C, R, scale, add, weight, margin, coefficient, loss) {
      for (let r = 0; r < R; r++) {
        const a = f32[(coefficient >>> 2) + r]!;
        let sum = 0;
        for (let c = 0; c < C; c++) {
          const at = (z >>> 2) + c * ld + r;
          const excess = scale * f32[at]! + (add === 0 ? 0 : f32[(add >>> 2) + c]!) - margin;
          const w = weight === 0 ? 1 : f32[(weight >>> 2) + c]!;
          f32[at] = a !== 0 && excess > 0 ? a * w : 0;
          sum += w * Math.max(0, excess);
        }
        if (a !== 0) f64[(loss >>> 3) + r]! += sum;
      }
    },

    sumOverClasses(out, z, ld, C, R) {
      for (let r = 0; r < R; r++) {
        let sum = 0;
        for (let c = 0; c < C; c++) sum += f32[(z >>> 2) + c * ld + r]!;
        f64[(out >>> 3) + r]! += sum;
      }
    },

    subtractPerRow(z, ld, C, R, value) {
      for (let c = 0; c < C; c++) {
        for (let r = 0; r < R; r++) f32[(z >>> 2) + c * ld + r]! -= f32[(value >>> 2) + r]!;
      }
    },

    sumOverRows(out, z, ld, C, R, weight) {
      sumOverTiles(out, z, ld, 0, C, R, R, weight);
    },

    sumOverTiles,

    scaleColumns(z, ld, C, R, factor) {
      for (let c = 0; c < C; c++) for (let r = 0; r < R; r++) f32[(z >>> 2) + c * ld + r]! *= f32[(factor >>> 2) + r]!;
    },
  };
}
