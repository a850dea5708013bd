import { type Key, philox, STREAM, stepLow, streamWord } from "@logq/core";
import { type EncoderSpec, layerShapes, type TrainingStep } from "../src/index.js";

/** A batch as plain arrays; offsets are those of a bag, and empty for concat. */
export interface Batch {
  readonly rows: number;
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
  readonly weights: Float32Array | undefined;
}

/** Whether dropout keeps element (row, column) at a site: the addresses of the mask, written anew from their description. */
function keeps(rate: number, key: Key, step: number, site: number, row: number, column: number): boolean {
  const words = new Uint32Array(4);
  const block = Math.floor(column / 4) + site * 2 ** 24;
  philox(key, block, row, stepLow(step), streamWord(STREAM.dropout, step), words);
  return words[column % 4] >= Math.round(rate * 2 ** 32);
}

/**
 * H (rows, D) in float64, from the parameters of all tables one after the other, unpadded, in the layout's order.
 * Written for the eye: one row at a time, nothing shared with the code under test but the shapes of layers.
 */
export function oracleForward(
  spec: EncoderSpec,
  parameters: ArrayLike<number>,
  batch: Batch,
  training: TrainingStep | undefined,
): Float64Array {
  const H = new Float64Array(batch.rows * spec.D);
  for (let row = 0; row < batch.rows; row++) {
    const drop = (x: number[], site: number): number[] =>
      !training || spec.dropout === 0
        ? x
        : x.map((v, d) =>
            keeps(spec.dropout, training.key, training.step, site, row, d) ? v / (1 - spec.dropout) : 0,
          );
    let x = drop(inputVector(spec, parameters, batch, row), 0);
    let at = spec.vocabulary * spec.embedding;
    layerShapes(spec).forEach(({ inputs, outputs }, l) => {
      const biasAt = at + inputs * outputs;
      const y = Array.from({ length: outputs }, (_, j) =>
        x.reduce((sum, v, i) => sum + v * parameters[at + i * outputs + j], parameters[biasAt + j]),
      );
      at = biasAt + outputs;
      const activation = spec.activation === "tanh" ? Math.tanh : (v: number) => Math.max(0, v);
      x = l < spec.hidden.length ? drop(y.map(activation), l + 1) : y;
    });
    H.set(x, row * spec.D);
  }
  return H;
}

function inputVector(spec: EncoderSpec, table: ArrayLike<number>, batch: Batch, row: number): number[] {
  const E = spec.embedding;
  const embedding = (id: number) => Array.from({ length: E }, (_, d) => table[id * E + d]);
  if (spec.input === "concat") {
    return Array.from(batch.ids.subarray(row * spec.window, (row + 1) * spec.window)).flatMap(embedding);
  }
  const x = new Array<number>(E).fill(0);
  let total = 0;
  for (let j = batch.offsets[row]; j < batch.offsets[row + 1]; j++) {
    const weight = batch.weights ? batch.weights[j] : 1;
    total += weight;
    embedding(batch.ids[j]).forEach((value, d) => {
      x[d] += weight * value;
    });
  }
  return spec.reduce === "mean" && total !== 0 ? x.map((value) => value / total) : x;
}
