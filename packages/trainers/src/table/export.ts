import { nodeBiases } from "@logq/losses";
import type { EngineHost } from "../engine/host.js";
import { classCount } from "../engine/spec.js";
import { rowOfClass } from "./lanes.js";
import { RowArray, type RowField } from "./row-array.js";

/** The class table (n, D) in id order, without padding: a copy. Or what the optimizer keeps for it: (n, D), or (n) of row-wise adagrad. */
export function readClassTable(host: EngineHost, field: RowField = "rows"): Float32Array {
  const array = RowArray.of(host, host.layout.table.placed, field);
  if (array === undefined) return new Float32Array(0);
  const { n } = host.spec.table;
  const out = new Float32Array(n * array.columns);
  for (let id = 0; id < n; id++) array.read(rowOfClass(host.spec.table, id), out, id * array.columns);
  return out;
}

/** Replaces the class table by rows (n, D) in id order. */
export function writeClassTable(host: EngineHost, rows: Float32Array): void {
  const { n, D } = host.spec.table;
  const array = RowArray.of(host, host.layout.table.placed, "rows")!;
  for (let id = 0; id < n; id++) array.write(rowOfClass(host.spec.table, id), rows.subarray(id * D, id * D + D));
}

/** One number a class of the main memory, in id order: biases. */
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
 * learn what the input adds. A class that was never seen counts half. Nodes of a tree start at log odds that make the same law.
 */
export function startBiases(host: EngineHost, counts: ArrayLike<number>): void {
  const { spec } = host;
  const shares = Float64Array.from({ length: classCount(spec) }, (_, id) => Math.max(0.5, counts[id]!));
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (host.layout.adaptive !== undefined) {
    startHeadBiases(host, counts, total);
    return;
  }
  const logits =
    spec.tree === undefined ? shares.map((share) => Math.log(share / total)) : nodeBiases(spec.tree, shares);
  // Logits are (h·w + b)/τ.
  const temperature = 1 / spec.scale;
  const biases = new Float64Array(spec.table.n);
  biases.set(logits.map((logit) => temperature * logit));
  writeScalars(host, host.layout.table.bias, biases);
}

/** The same of an adaptive softmax, whose head decides between classes and tails. Tails have no biases. */
function startHeadBiases({ spec, layout, memory }: EngineHost, counts: ArrayLike<number>, total: number): void {
  const { h, tails } = spec.adaptive!;
  const at = layout.adaptive!.clusters[0]!.bias >>> 2;
  const massOf = (first: number, end: number) => {
    let mass = 0;
    for (let id = first; id < end; id++) mass += Math.max(0.5, counts[id]!);
    return mass;
  };
  for (let id = 0; id < h; id++) memory.f32[at + id] = Math.log(massOf(id, id + 1) / total);
  tails.forEach(({ first, size }, i) => {
    memory.f32[at + h + i] = Math.log(massOf(first, first + size) / total);
  });
}
