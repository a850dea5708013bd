import { philox, STREAM, stepLow, streamWord } from "@logq/core";
import { ACTIVATION, type ActivationCode, type DenseKernels } from "../interface/dense.js";
import type { KernelMemory } from "../memory.js";

/** What dense layers need besides matrix products. */
export function referenceDense({ f32 }: KernelMemory): DenseKernels {
  const words = new Uint32Array(4);

  return {
    biasActivate(y, ld, rows, columns, bias, activation) {
      for (let i = 0; i < rows; i++) {
        for (let d = 0; d < columns; d++) {
          const at = (y >>> 2) + i * ld + d;
          f32[at] = activate(f32[at]! + (bias === 0 ? 0 : f32[(bias >>> 2) + d]!), activation);
        }
      }
    },

    activationBackward(dy, ldDy, y, ldY, rows, columns, activation) {
      for (let i = 0; i < rows; i++) {
        for (let d = 0; d < columns; d++) {
          f32[(dy >>> 2) + i * ldDy + d]! *= derivative(f32[(y >>> 2) + i * ldY + d]!, activation);
        }
      }
    },

    dropout(y, ld, rows, columns, rate, firstRow, { key, step, layer }) {
      const threshold = Math.round(rate * 2 ** 32);
      // One float32 factor for all elements, so that every back-end makes the same bits.
      const keep = Math.fround(1 / (1 - rate));
      for (let i = 0; i < rows; i++) {
        for (let d = 0; d < columns; d++) {
          const block = (d >>> 2) + layer * 2 ** 24;
          philox(key, block, firstRow + i, stepLow(step), streamWord(STREAM.dropout, step), words);
          const at = (y >>> 2) + i * ld + d;
          f32[at] = words[d & 3]! < threshold ? 0 : f32[at]! * keep;
        }
      }
    },

    columnSums(out, source, ld, rows, columns) {
      for (let d = 0; d < columns; d++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += f32[(source >>> 2) + i * ld + d]!;
        f32[(out >>> 2) + d] = sum;
      }
    },
  };
}

function activate(x: number, activation: ActivationCode): number {
  if (activation === ACTIVATION.relu) return Math.max(x, 0);
  if (activation === ACTIVATION.tanh) return Math.tanh(x);
  return x;
}

/** The derivative of an activation, computed from its output y. */
function derivative(y: number, activation: ActivationCode): number {
  if (activation === ACTIVATION.relu) return y > 0 ? 1 : 0;
  if (activation === ACTIVATION.tanh) return 1 - y * y;
  return 1;
}
