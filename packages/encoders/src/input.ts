import { NotFiniteError, OptionError, ShapeError } from "@logq/core";
import type { Address, KernelMemory } from "@logq/kernels";
import type { EncoderSpec } from "./spec.js";

/**
 * The input of one batch, in kernel memory. The object belongs to the caller, who may fill two of them in turn.
 *
 * bag: row i uses entries offsets[i] … offsets[i+1]−1 of ids and weights. concat: row i uses ids[i·window … (i+1)·window−1].
 * external: nothing, all addresses are 0.
 */
export interface EncoderInput {
  /** int32 (rows + 1), offsets[0] = 0; bags only. */
  offsets: Address;
  /** int32, each in [0, vocabulary). */
  ids: Address;
  /** float32, or 0: all ones. Bags only; for reduce "mean" they were scaled by `scaleBagWeights`, or written by `writeMeanWeights`. */
  weights: Address;
}

/** How many ids a batch of `rows` rows holds. */
export function inputIds(memory: KernelMemory, spec: EncoderSpec, input: EncoderInput, rows: number): number {
  if (spec.input === "external") return 0;
  return spec.input === "concat" ? rows * spec.window : memory.i32[(input.offsets >>> 2) + rows];
}

/**
 * Turns the weights of a bag into those of its mean, in place: w_j / Σ w over the row, so that Σ w_j·e_j becomes the weighted mean.
 * A plain mean starts from ones. An empty row stays empty.
 * Throws OptionError for a row whose weights sum to zero, NotFiniteError for one whose sum is not finite.
 */
export function scaleBagWeights(memory: KernelMemory, input: EncoderInput, rows: number): void {
  const { i32, f32 } = memory;
  const offsets = input.offsets >>> 2;
  const weights = input.weights >>> 2;
  for (let row = 0; row < rows; row++) {
    const start = i32[offsets + row];
    const end = i32[offsets + row + 1];
    if (start === end) continue;
    let sum = 0;
    for (let j = start; j < end; j++) sum += f32[weights + j];
    requireMean(row, sum);
    for (let j = start; j < end; j++) f32[weights + j] /= sum;
  }
}

/** The same of a bag without weights, each id counting once: writes the weights of its plain mean. An empty row stays empty. */
export function writeMeanWeights({ i32, f32 }: KernelMemory, input: EncoderInput, rows: number): void {
  const offsets = input.offsets >>> 2;
  const weights = input.weights >>> 2;
  for (let row = 0; row < rows; row++) {
    const start = i32[offsets + row];
    const end = i32[offsets + row + 1];
    const weight = 1 / (end - start);
    for (let j = start; j < end; j++) f32[weights + j] = weight;
  }
}

function requireMean(row: number, sum: number): void {
  if (!Number.isFinite(sum)) {
    throw new NotFiniteError(`the weights of input row ${row} sum to ${sum}; they must be finite`, { row, sum });
  }
  if (sum === 0) {
    throw new OptionError(`the weights of input row ${row} sum to 0: their weighted mean does not exist`, { row, sum });
  }
}

/**
 * Checks a batch's input where it enters: offsets start at 0 and never fall, the ids number at most maxIds and lie in [0, vocabulary),
 * weights are finite. Throws ShapeError, OptionError or NotFiniteError with the place and the value.
 */
export function checkInput(
  memory: KernelMemory,
  spec: EncoderSpec,
  input: EncoderInput,
  rows: number,
  maxIds: number,
): void {
  if (spec.input === "bag") checkOffsets(memory, input.offsets, rows);
  const count = inputIds(memory, spec, input, rows);
  if (count > maxIds) {
    throw new ShapeError(`a batch of ${rows} rows has ${count} input ids, but room for ${maxIds}`, {
      rows,
      count,
      maxIds,
    });
  }
  for (let j = 0; j < count; j++) {
    const id = memory.i32[(input.ids >>> 2) + j];
    if (id < 0 || id >= spec.vocabulary) {
      throw new OptionError(`input id ${id} at position ${j} is not in [0, ${spec.vocabulary})`, {
        id,
        position: j,
        vocabulary: spec.vocabulary,
      });
    }
    const weight = input.weights === 0 ? 1 : memory.f32[(input.weights >>> 2) + j];
    if (!Number.isFinite(weight)) {
      throw new NotFiniteError(`the input weight at position ${j} is ${weight}; it must be finite`, {
        position: j,
        value: weight,
      });
    }
  }
}

function checkOffsets(memory: KernelMemory, offsets: Address, rows: number): void {
  const at = offsets >>> 2;
  for (let row = 0; row <= rows; row++) {
    const value = memory.i32[at + row];
    const least = row === 0 ? 0 : memory.i32[at + row - 1];
    if (value < least || (row === 0 && value !== 0)) {
      throw new ShapeError(`offset ${row} is ${value}: offsets start at 0 and never fall (before it: ${least})`, {
        row,
        value,
        least,
      });
    }
  }
}
