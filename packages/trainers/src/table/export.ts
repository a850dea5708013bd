import type { EngineHost } from "../engine/host.js";
import { rowOfClass } from "./lanes.js";

/** The class table (n, D) in id order, without padding: a copy. */
export function readClassTable(host: EngineHost): Float32Array {
  return readRows(host, host.layout.table.address);
}

/** A table of the class table's layout, its optimizer state for example, in id order: a copy. */
export function readRows(host: EngineHost, address: number): Float32Array {
  const { n, D, ld } = host.spec.table;
  const { f32 } = host.memory;
  const out = new Float32Array(n * D);
  for (let id = 0; id < n; id++) {
    const at = (address >>> 2) + rowOfClass(host.spec.table, id) * ld;
    out.set(f32.subarray(at, at + D), id * D);
  }
  return out;
}

/** Writes rows (n, D) in id order to a table of the class table's layout. */
export function writeRows(host: EngineHost, address: number, rows: Float32Array): void {
  const { n, D, ld } = host.spec.table;
  const { f32 } = host.memory;
  for (let id = 0; id < n; id++) {
    f32.set(rows.subarray(id * D, id * D + D), (address >>> 2) + rowOfClass(host.spec.table, id) * ld);
  }
}

/** One number a class, in id order: biases, or the state of row-wise adagrad. */
export function readScalars(host: EngineHost, address: number): Float32Array {
  const { n } = host.spec.table;
  const out = new Float32Array(n);
  for (let id = 0; id < n; id++) out[id] = host.memory.f32[(address >>> 2) + rowOfClass(host.spec.table, id)];
  return out;
}

export function writeScalars(host: EngineHost, address: number, values: ArrayLike<number>): void {
  const { n } = host.spec.table;
  for (let id = 0; id < n; id++) host.memory.f32[(address >>> 2) + rowOfClass(host.spec.table, id)] = values[id]!;
}

/**
 * Biases start at the log of the class's share of the training part, so that the first prediction is the unigram law and the table is left to
 * learn what the input adds. A class that was never seen counts half.
 */
export function startBiases(host: EngineHost, counts: ArrayLike<number>): void {
  const { n } = host.spec.table;
  let total = 0;
  for (let id = 0; id < n; id++) total += Math.max(0.5, counts[id]!);
  const biases = new Float64Array(n);
  // Logits are (h·w + b)/τ.
  const temperature = 1 / host.spec.scale;
  for (let id = 0; id < n; id++) biases[id] = temperature * Math.log(Math.max(0.5, counts[id]!) / total);
  writeScalars(host, host.layout.table.bias, biases);
}
