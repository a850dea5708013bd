import { OptionError, requireInteger } from "@logq/core";
import type { Address, IndexKernels, Kernels, MemoryPlan } from "@logq/kernels";
import { type EncoderInput, inputIds } from "./input.js";
import type { EncoderSpec } from "./spec.js";

/**
 * The uses of embedding rows in a batch, grouped by id: segment u holds the uses offsets[u] … offsets[u+1]−1 of row unique[u], in the
 * order of the batch. A row's gradient is the sum over its segment of weights[j] · inputGradient[rows[j]].
 */
export interface Segments {
  /** int32 (unique ids), ascending */
  readonly unique: Address;
  /** int32 (unique ids + 1) */
  readonly offsets: Address;
  /** int32 (ids): the batch row (bag), or row·window + slot (concat) */
  readonly rows: Address;
  /** float32 (ids), or 0: all ones */
  readonly weights: Address;
}

/** Reserves segments for at most `maxIds` ids. `weighted`: whether inputs carry weights (always so for means). */
export function planSegments(plan: MemoryPlan, name: string, maxIds: number, weighted: boolean): Segments {
  requireInteger("maxIds", maxIds, 0, 2 ** 31 - 2);
  return {
    unique: plan.reserve(`${name}.unique`, 4 * maxIds),
    offsets: plan.reserve(`${name}.offsets`, 4 * (maxIds + 1)),
    rows: plan.reserve(`${name}.rows`, 4 * maxIds),
    weights: weighted ? plan.reserve(`${name}.weights`, 4 * maxIds) : 0,
  };
}

/** Bytes of scratch that `buildSegments` needs for at most `maxIds` ids. */
export function segmentScratchBytes(indices: Pick<IndexKernels, "sortScratchBytes">, maxIds: number): number {
  return wholeLines(4 * maxIds) + indices.sortScratchBytes(maxIds);
}

function wholeLines(bytes: number): number {
  return 64 * Math.ceil(bytes / 64);
}

/**
 * Groups the uses of a batch by id and answers how many unique ids there are. Stable: a segment is in row order, so its sum is too.
 * One unit of work, by one worker. `scratch` (segmentScratchBytes) is a multiple of 16. Throws OptionError if a bag's input has
 * weights and the segments have no room for them.
 */
export function buildSegments(
  kernels: Kernels,
  spec: EncoderSpec,
  input: EncoderInput,
  batchRows: number,
  segments: Segments,
  scratch: Address,
): number {
  const { memory, indices } = kernels;
  const weighted = spec.input === "bag" && input.weights !== 0;
  if (weighted && segments.weights === 0) {
    throw new OptionError("the input has weights, but its segments were planned without", { weights: input.weights });
  }
  const { i32 } = memory;
  const count = inputIds(memory, spec, input, batchRows);
  const ids = input.ids >>> 2;
  i32.copyWithin(segments.unique >>> 2, ids, ids + count);
  const rowOf = scratch >>> 2;
  if (spec.input === "bag") writeRowOfEach(i32, input.offsets >>> 2, batchRows, rowOf);
  // Without weights the row is all that is carried along; with them it is the position, which leads to both.
  const carried = segments.rows >>> 2;
  if (spec.input === "concat" || weighted) for (let j = 0; j < count; j++) i32[carried + j] = j;
  else i32.copyWithin(carried, rowOf, rowOf + count);

  const sortScratch = scratch + wholeLines(4 * count);
  indices.sortPairs(segments.unique, segments.rows, count, spec.vocabulary - 1, sortScratch);
  if (weighted) splitPositions(memory.f32, i32, segments, input.weights >>> 2, rowOf, count);
  else if (segments.weights !== 0) memory.f32.fill(1, segments.weights >>> 2, (segments.weights >>> 2) + count);
  return indices.uniqueRuns(segments.unique, segments.offsets, segments.unique, count);
}

function writeRowOfEach(i32: Int32Array, offsets: number, rows: number, rowOf: number): void {
  for (let row = 0; row < rows; row++) {
    for (let j = i32[offsets + row]; j < i32[offsets + row + 1]; j++) i32[rowOf + j] = row;
  }
}

/** Replaces each position by its row, and fetches its weight. */
function splitPositions(
  f32: Float32Array,
  i32: Int32Array,
  segments: Segments,
  weights: number,
  rowOf: number,
  count: number,
): void {
  const rows = segments.rows >>> 2;
  const sorted = segments.weights >>> 2;
  for (let j = 0; j < count; j++) {
    const position = i32[rows + j];
    f32[sorted + j] = f32[weights + position];
    i32[rows + j] = i32[rowOf + position];
  }
}
