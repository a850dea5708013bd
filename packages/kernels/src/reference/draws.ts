import { KeyedPermutation, philox, portableExp, stepLow, streamWord, uniform53 } from "@logq/core";
import { ALIAS_RECORD_BYTES, type DrawAddress, type DrawKernels } from "../interface/draws.js";
import type { KernelMemory } from "../memory.js";

const FLOATS = ALIAS_RECORD_BYTES / 8;
const WORDS = ALIAS_RECORD_BYTES / 4;

/** One draw after the other, by the definitions in @logq/core. */
export function referenceDraws({ i32, f32, f64 }: KernelMemory): DrawKernels {
  const words = new Uint32Array(4);

  /** The two uniforms of a pair stand in `words`. */
  function block({ key, stream, step, item }: DrawAddress, index: number): void {
    philox(key, index, item, stepLow(step), streamWord(stream, step), words);
  }

  return {
    scratchBytes: 0,

    uniformPairs(out, count, draw, first) {
      for (let i = 0; i < count; i++) {
        block(draw, first + i);
        f64[(out >>> 3) + 2 * i] = uniform53(words[0]!, words[1]!);
        f64[(out >>> 3) + 2 * i + 1] = uniform53(words[2]!, words[3]!);
      }
    },

    uniformIds(ids, count, range, draw, first) {
      for (let i = 0; i < count; i++) {
        block(draw, first + i);
        i32[(ids >>> 2) + i] = Math.floor(uniform53(words[0]!, words[1]!) * range);
      }
    },

    aliasIds(ids, count, table, n, draw, first) {
      for (let i = 0; i < count; i++) {
        block(draw, first + i);
        const column = Math.floor(uniform53(words[0]!, words[1]!) * n);
        const keep = uniform53(words[2]!, words[3]!);
        const stays = keep < f64[(table >>> 3) + FLOATS * column]!;
        i32[(ids >>> 2) + i] = stays ? column : i32[(table >>> 2) + WORDS * column + 4]!;
      }
    },

    logUniformIds(ids, count, n, logRange, draw, first) {
      for (let i = 0; i < count; i++) {
        block(draw, first + i);
        const u = uniform53(words[0]!, words[1]!);
        i32[(ids >>> 2) + i] = (Math.floor(portableExp(u * logRange)) - 1) % n;
      }
    },

    logUniformLogs(out, ids, count, offset) {
      for (let i = 0; i < count; i++) {
        f32[(out >>> 2) + i] = offset + Math.log(Math.log1p(1 / (i32[(ids >>> 2) + i]! + 1)));
      }
    },

    aliasLogs(out, ids, count, table, offset) {
      for (let i = 0; i < count; i++) {
        f32[(out >>> 2) + i] = offset + f64[(table >>> 3) + FLOATS * i32[(ids >>> 2) + i]! + 1]!;
      }
    },

    permuted(out, count, { size, roundKeys }, first) {
      const permutation = KeyedPermutation.from(size, roundKeys);
      for (let i = 0; i < count; i++) i32[(out >>> 2) + i] = permutation.at(first + i);
    },
  };
}
