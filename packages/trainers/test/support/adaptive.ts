import { type AdaptiveClusters, type AdaptiveParameters, adaptiveClusters } from "@logq/losses";
import { TestRandom } from "@logq/testing";
import { adaptiveTables } from "../../dist/engine/adaptive/adaptive-space.js";
import type { EngineHost } from "../../dist/engine/host.js";
import type { EngineSpec } from "../../dist/engine/spec.js";
import { createSource } from "../../dist/sources/create.js";
import { EpochOrder } from "../../dist/sources/order.js";
import { tableShape } from "../../dist/table/lanes.js";
import { parameterArrays, readArray } from "../../dist/table/parameters.js";
import { type EngineCase, engineSpec } from "./engines.js";

/** An engine with an adaptive softmax in a few words. */
export interface AdaptiveCase extends Omit<EngineCase, "loss" | "lanes"> {
  readonly cutoffs: readonly number[];
  readonly divValue?: number;
  /** Default 2^30. */
  readonly logitBytes?: number;
}

export function adaptiveSpec(of: AdaptiveCase): EngineSpec {
  const { cutoffs, divValue = 2, bias = true, logitBytes, ...rest } = of;
  const spec = engineSpec({ loss: "full-softmax", ...rest, bias: false });
  const { n, D } = spec.table;
  return {
    ...spec,
    table: tableShape(n, D, 1),
    adaptive: adaptiveClusters({ D, n, cutoffs, divValue, headBias: bias }),
    training: { ...spec.training!, ...(logitBytes === undefined ? {} : { logitBytes }) },
  };
}

/** Head biases start at random numbers, as everything else does. */
export function scatterBiases({ layout, memory }: EngineHost): void {
  const bias = adaptiveTables(layout.adaptive!).find(({ kind }) => kind === "bias");
  if (bias !== undefined) memory.f32.set(new TestRandom(9).normalFloats(bias.rows, 0.3), bias.address >>> 2);
}

/** All tables by name, row-major: copies. */
export function tablesByName(host: EngineHost): Map<string, Float32Array> {
  return new Map(parameterArrays(host).map((named) => [named.name, readArray(named)]));
}

/** The tables of the clusters as the public form takes them. */
export function parametersOf(
  { tails }: AdaptiveClusters,
  tables: ReadonlyMap<string, Float32Array>,
): AdaptiveParameters {
  return {
    headTable: tables.get("adaptive.head")!,
    headBias: tables.get("adaptive.head-bias") ?? null,
    tails: tails.map((_, i) => ({
      table: tables.get(`adaptive.tail${i}`)!,
      projection: tables.get(`adaptive.tail${i}-projection`)!,
    })),
  };
}

/** A label of a row of a batch, and its share of the loss. */
export interface Entry {
  readonly row: number;
  readonly id: number;
  readonly weight: number;
}

/** A batch of a bag of inputs, as plain lists. */
export interface PlainBatch {
  /** Of each row: ids and weights, which are a mean's already. */
  readonly inputs: readonly { readonly ids: readonly number[]; readonly weights: readonly number[] }[];
  readonly entries: readonly Entry[];
}

/** The batch of `step`. A row's labels share its weight, times their factors, and rows share the batch by what their labels come to, or count 1 each. */
export function plainBatch(spec: EngineSpec, step: number): PlainBatch {
  const { B, reduction, labelFactors } = spec.training!;
  const source = createSource(spec.sources.train!);
  const order = new EpochOrder(source.examples, B, spec.key);
  const rows = order.seek(step);
  const ids = new Int32Array(Math.max(source.maxInputs, source.maxTargets));
  const weights = new Float32Array(ids.length).fill(1);
  const labels = Array.from({ length: rows }, (_, row) =>
    Array.from(ids.subarray(0, source.targets(order.example(row), ids, 0))),
  );
  const massOf = (id: number, own: readonly number[]) => (labelFactors?.[id] ?? 1) / own.length;
  const total = labels.flatMap((own) => own.map((id) => massOf(id, own))).reduce((sum, mass) => sum + mass, 0);
  const inputs = labels.map((_, row) => {
    const count = source.inputs(order.example(row), ids, weights, 0);
    const own = Array.from(weights.subarray(0, count));
    const scale = spec.encoder.reduce === "mean" ? own.reduce((sum, weight) => sum + Math.abs(weight), 0) : 1;
    return { ids: Array.from(ids.subarray(0, count)), weights: own.map((weight) => weight / scale) };
  });
  const each = reduction === "mean" ? 1 / total : 1;
  const entries = labels.flatMap((own, row) => own.map((id) => ({ row, id, weight: each * massOf(id, own) })));
  return { inputs, entries };
}

/** Hidden vectors (rows, D) of a bag of embeddings without layers. */
export function hiddenOf({ inputs }: PlainBatch, embedding: ArrayLike<number>, D: number): Float64Array {
  const hidden = new Float64Array(inputs.length * D);
  inputs.forEach(({ ids, weights }, row) => {
    ids.forEach((id, i) => {
      for (let d = 0; d < D; d++) hidden[row * D + d]! += weights[i]! * embedding[id * D + d]!;
    });
  });
  return hidden;
}

type Numbers = ArrayLike<number>;

/** log of the softmax of `rows` at every class, in float64: a second statement of the law, class by class. */
function logSoftmax(table: Numbers, bias: Numbers | undefined, x: Float64Array): Float64Array {
  const width = x.length;
  const z = Float64Array.from({ length: table.length / width }, (_, c) => {
    let dot = bias?.[c] ?? 0;
    for (let d = 0; d < width; d++) dot += table[c * width + d]! * x[d]!;
    return dot;
  });
  const most = z.reduce((a, b) => Math.max(a, b));
  const lse = most + Math.log(z.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return z.map((value) => value - lse);
}

/** log p of every class given a hidden vector (D), by the definition, in float64. */
export function adaptiveLaw(
  { h, n, D, tails }: AdaptiveClusters,
  tables: ReadonlyMap<string, Numbers>,
  x: Float64Array,
): Float64Array {
  const head = logSoftmax(tables.get("adaptive.head")!, tables.get("adaptive.head-bias"), x);
  const out = new Float64Array(n);
  out.set(head.subarray(0, h));
  tails.forEach(({ first, width }, i) => {
    const P = tables.get(`adaptive.tail${i}-projection`)!;
    const projected = new Float64Array(width);
    for (let j = 0; j < width; j++) for (let d = 0; d < D; d++) projected[j]! += P[j * D + d]! * x[d]!;
    const own = logSoftmax(tables.get(`adaptive.tail${i}`)!, undefined, projected);
    out.set(
      own.map((value) => value + head[h + i]!),
      first,
    );
  });
  return out;
}

/** The loss of a batch, in float64. */
export function adaptiveBatchLoss(spec: EngineSpec, batch: PlainBatch, tables: ReadonlyMap<string, Numbers>): number {
  const { D } = spec.table;
  const hidden = hiddenOf(batch, tables.get("encoder.embedding")!, D);
  const laws = batch.inputs.map((_, row) =>
    adaptiveLaw(spec.adaptive!, tables, hidden.subarray(row * D, (row + 1) * D)),
  );
  return batch.entries.reduce((sum, { row, id, weight }) => sum - weight * laws[row]![id]!, 0);
}
