import type { Model } from "../../dist/index.js";

/** A dense layer's outputs, in float64. */
function dense(x: Float64Array, A: Float32Array, bias: Float32Array, activation: (z: number) => number): Float64Array {
  const width = bias.length;
  return Float64Array.from({ length: width }, (_, j) => {
    let sum = bias[j]!;
    for (let i = 0; i < x.length; i++) sum += x[i]! * A[i * width + j]!;
    return activation(sum);
  });
}

/** The hidden vector of ids and weights by the model's exported tables, in float64, written down from the definition of the encoders. */
export function hiddenOf(model: Model, ids: readonly number[], weights: readonly number[]): Float64Array {
  const { encoder, tied } = model.head.shape;
  const tables = model.encoderTables().map(({ values }) => values);
  const [embedding, ...layers] = tied ? [model.table(), ...tables] : tables;
  const E = encoder.embedding;
  const row = (id: number) => embedding!.subarray(id * E, (id + 1) * E);
  let x: Float64Array;
  if (encoder.input === "concat") x = Float64Array.from(ids.flatMap((id) => [...row(id)]));
  else {
    const total = encoder.reduce === "mean" ? weights.reduce((a, b) => a + b, 0) : 1;
    x = new Float64Array(E);
    ids.forEach((id, j) => {
      for (let e = 0; e < E; e++) x[e] = x[e]! + (weights[j]! / total) * row(id)[e]!;
    });
  }
  for (let l = 0; 2 * l < layers.length; l++) {
    const last = l >= encoder.hidden.length;
    const curve = encoder.activation === "tanh" ? Math.tanh : (z: number) => Math.max(0, z);
    x = dense(x, layers[2 * l]!, layers[2 * l + 1]!, last ? (z) => z : curve);
  }
  return x;
}

/** (h·w + b)/τ, capped where the model caps, of every class by the exported tables, in float64; of cosines, if the model has them. */
export function logitsOf(model: Model, hidden: Float64Array): Float64Array {
  const { dim, normalize, temperature, softCap } = model.head.shape;
  const W = model.table();
  const bias = model.biases();
  const length = normalize ? Math.hypot(...hidden) : 1;
  return Float64Array.from({ length: model.classes.size }, (_, c) => {
    const row = W.subarray(c * dim, (c + 1) * dim);
    let dot = 0;
    for (let d = 0; d < dim; d++) dot += hidden[d]! * row[d]!;
    if (normalize) dot /= length * Math.hypot(...row);
    const z = (dot + (bias?.[c] ?? 0)) / temperature;
    return softCap ? softCap * Math.tanh(z / softCap) : z;
  });
}
