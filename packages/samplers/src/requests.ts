import { requireInteger, SamplerError, ShapeError, STREAM, type StreamId } from "@logq/core";
import { MAX_CANDIDATES } from "./types.js";

/** The stream of an item: the draw shared by the batch and the draws of rows never meet. */
export function candidateStream(item: number): StreamId {
  return item === 0 ? STREAM.candidates : STREAM.rowCandidates;
}

/** @throws OptionError unless S is an integer in [1, 2^24] */
export function requireCandidates(S: number): void {
  requireInteger("S", S, 1, MAX_CANDIDATES);
}

/** @throws SamplerError if S distinct classes are more than there are */
export function requireDistinct(S: number, available: number, n: number): void {
  if (S > available) {
    throw new SamplerError(
      `${S} distinct candidates cannot be drawn: ${available} of ${n} classes can be drawn; use fewer, or replacement`,
      { S, available, n },
    );
  }
}

/** @throws ShapeError if S elements from `at` do not fit the buffers */
export function requireRoom(S: number, ids: Int32Array, logQ: Float64Array, at: number): void {
  const room = Math.min(ids.length, logQ.length) - at;
  if (!(at >= 0 && room >= S)) {
    throw new ShapeError(
      `${S} candidates from element ${at} do not fit: ids has ${ids.length} elements, logQ ${logQ.length}`,
      { S, at, ids: ids.length, logQ: logQ.length },
    );
  }
}
