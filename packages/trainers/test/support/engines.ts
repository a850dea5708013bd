import { type Key, keyFromSeed } from "@logq/core";
import type { EncoderSpec } from "@logq/encoders";
import type { BackendName, TableType } from "@logq/kernels";
import {
  balancedTree,
  type ClassTree,
  describeLoss,
  huffmanTree,
  type LossName,
  type LossSpec,
  lossDefaults,
  validateLossSpec,
} from "@logq/losses";
import { createSamplerState, type SamplerSpec } from "@logq/samplers";
import { TestRandom } from "@logq/testing";
import type { TrainCommand } from "../../dist/engine/commands.js";
import { EngineHost } from "../../dist/engine/host.js";
import { STAT } from "../../dist/engine/layout.js";
import type { ProductType } from "../../dist/engine/products.js";
import { type EngineSpec, NO_CANDIDATES, pathCapacity, tableRowCount } from "../../dist/engine/spec.js";
import { type OptimizerSpec, optimizerSpec } from "../../dist/optimize/optimizer.js";
import { type ScheduleSpec, scheduleSpec } from "../../dist/optimize/schedule.js";
import { createSource } from "../../dist/sources/create.js";
import type { ContextMode, SourceSpec, StretchSpec } from "../../dist/sources/source.js";
import { readClassTable, readScalars, writeScalars } from "../../dist/table/export.js";
import { tableShape } from "../../dist/table/lanes.js";
import { parameterArrays, readArray, stateArrays } from "../../dist/table/parameters.js";

// Everything is taken from the build, not from the sources: worker threads load dist/parallel/worker.js, and both sides must be one engine.

/** An engine in a few words; what is left out has a small default. */
export interface EngineCase {
  readonly loss: LossName;
  /** hierarchical-softmax: Huffman's of the case's counts, or by id. */
  readonly tree?: "huffman" | "balanced";
  readonly lossOptions?: Partial<LossSpec>;
  readonly n?: number;
  readonly D?: number;
  readonly B?: number;
  readonly lanes?: number;
  readonly sampler?: SamplerSpec;
  readonly S?: number;
  readonly per?: "batch" | "row";
  readonly encoder?: Partial<EncoderSpec>;
  readonly source?: SourceSpec;
  /** Inputs the embedding table has rows for. */
  readonly vocabulary?: number;
  readonly reduction?: "mean" | "sum";
  readonly optimizer?: Partial<OptimizerSpec>;
  readonly schedule?: Partial<ScheduleSpec>;
  readonly bias?: boolean;
  /** Inputs are classes: a source whose inputs lie in [0, n). */
  readonly tied?: boolean;
  readonly tableType?: TableType;
  readonly keepLogits?: boolean;
  readonly products?: ProductType;
  readonly totalSteps?: number;
  readonly evaluationRows?: number;
  readonly maxK?: number;
  readonly seed?: number;
  readonly gradientFilter?: number;
  /** What the mass of a label of class id is multiplied by. */
  readonly labelFactor?: (id: number) => number;
  readonly learnTemperature?: boolean;
}

export function engineSpec(of: EngineCase): EngineSpec {
  const { n = 67, D = 7, B = 37, S = 20, seed = 1 } = of;
  const loss = lossSpec(of.loss, of.lossOptions);
  const source = of.source ?? pairSource(n, of.vocabulary ?? n, 3 * B + 5, seed);
  const reader = createSource(source);
  const tree = describeLoss(of.loss).kind === "tree" ? caseTree(n, of.tree) : undefined;
  const most = {
    maxInputs: Math.max(1, reader.maxInputs),
    maxTargets: Math.max(1, reader.maxTargets),
    maxExcluded: reader.maxExcluded,
  };
  const capacity = pathCapacity(most, tree);
  const sampler = of.sampler ?? { name: "unigram" };
  const inputs = sampler.name === "unigram" ? { counts: caseCounts(n) } : {};
  const table = tableShape(tableRowCount(n, tree), D, of.lanes ?? 4);
  const tied = of.tied ?? false;
  return {
    key: caseKey(of),
    table,
    tree,
    tied,
    tableType: of.tableType ?? "float32",
    bias: of.bias ?? true,
    normalize: loss.normalize,
    scale: 1 / loss.temperature,
    softCap: loss.softCap,
    encoder: {
      input: "bag",
      vocabulary: tied ? table.rows : (of.vocabulary ?? n),
      reduce: "mean",
      window: 0,
      embedding: D,
      hidden: [],
      activation: "tanh",
      dropout: 0,
      D,
      initialScale: 0.8,
      ...of.encoder,
    },
    sources: { train: source },
    training: {
      B,
      capacity,
      loss,
      candidates: describeLoss(of.loss).candidates
        ? { state: createSamplerState(sampler, n, inputs), S, per: of.per ?? "batch" }
        : tree && NO_CANDIDATES,
      reduction: of.reduction ?? "mean",
      optimizer: optimizerSpec(of.optimizer ?? { name: "sgd" }),
      schedule: scheduleSpec(of.schedule),
      totalSteps: of.totalSteps ?? 10,
      logitBytes: of.keepLogits === false ? 0 : 2 ** 30,
      products: of.products ?? "float32",
      gradientFilter: of.gradientFilter ?? 0,
      labelFactors: of.labelFactor && Float32Array.from({ length: n }, (_, id) => of.labelFactor!(id)),
      learnTemperature: of.learnTemperature ?? false,
    },
    evaluationRows: of.evaluationRows ?? 8,
    maxK: Math.min(of.maxK ?? 5, n),
    capacity,
  };
}

/** How often each class is said to occur. */
export function caseCounts(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, id) => 1 + 100 / (1 + id));
}

function caseTree(n: number, name: EngineCase["tree"] = "huffman"): ClassTree {
  return name === "huffman" ? huffmanTree(caseCounts(n)) : balancedTree(Int32Array.from({ length: n }, (_, id) => id));
}

export function caseKey(of: { readonly seed?: number }): Key {
  return keyFromSeed(of.seed ?? 1);
}

export function lossSpec(name: LossName, options: Partial<LossSpec> = {}): LossSpec {
  return validateLossSpec({ ...lossDefaults(name).spec, ...options });
}

/** Random (input, class) pairs; low classes are the more frequent. */
export function pairSource(n: number, vocabulary: number, examples: number, seed = 1): SourceSpec {
  const random = new TestRandom(seed);
  const targets = Int32Array.from({ length: examples }, () => Math.floor(n * random.uniform() ** 2));
  return { kind: "pair", inputs: random.integers(examples, vocabulary), targets };
}

/** A running text of n words. */
export function textSource(
  n: number,
  tokens: number,
  of: { window: number; mode?: ContextMode; filled?: boolean; stretches?: StretchSpec },
): SourceSpec {
  return {
    kind: "window",
    tokens: new TestRandom(5).integers(tokens, n),
    window: of.window,
    mode: of.mode ?? "previous",
    eos: 0,
    withinLine: true,
    filled: of.filled ?? false,
    stretches: of.stretches,
  };
}

/** Of n words each stays with a probability of its own, from `least` on; windows vary. */
export function someWords(n: number, least: number): StretchSpec {
  const keep = Float64Array.from({ length: n }, (_, id) => 2 ** 32 * Math.min(1, least + id / n));
  return { keep, dynamicWindow: true };
}

/** Rows of weighted features with 1 to 4 labels each, and some rows that are no examples. */
export function labelSource(n: number, features: number, rows: number): SourceSpec {
  const random = new TestRandom(6);
  const featureOffsets = [0];
  const labelOffsets = [0];
  const featureIds: number[] = [];
  const labels: number[] = [];
  const examples: number[] = [];
  for (let row = 0; row < rows; row++) {
    featureIds.push(...random.distinctIntegers(1 + random.integer(4), features));
    labels.push(...random.distinctIntegers(random.integer(5), n));
    if (labels.length > labelOffsets.at(-1)!) examples.push(row);
    featureOffsets.push(featureIds.length);
    labelOffsets.push(labels.length);
  }
  return {
    kind: "features",
    featureOffsets: Int32Array.from(featureOffsets),
    features: Int32Array.from(featureIds),
    values: random.uniformFloats(featureIds.length, 0.2, 2),
    labelOffsets: Int32Array.from(labelOffsets),
    labels: Int32Array.from(labels),
    rows: Int32Array.from(examples),
  };
}

/** Users and the items they chose, some of them twice. */
export function userSource(kind: "user" | "history", items: number, users: number, most: number): SourceSpec {
  const random = new TestRandom(7);
  const offsets = [0];
  const chosen: number[] = [];
  const positions: number[] = [];
  const owners: number[] = [];
  for (let user = 0; user < users; user++) {
    const count = 2 + random.integer(most - 1);
    for (let i = 0; i < count; i++) {
      if (kind === "user" || i > 0) {
        positions.push(chosen.length);
        owners.push(user);
      }
      chosen.push(i > 1 && random.uniform() < 0.3 ? chosen.at(-2)! : random.integer(items));
    }
    offsets.push(chosen.length);
  }
  return {
    kind,
    offsets: Int32Array.from(offsets),
    items: Int32Array.from(chosen),
    positions: Int32Array.from(positions),
    users: Int32Array.from(owners),
    window: 5,
  };
}

/** Users as rows, every third of them without any item. */
export function allItemsSource(items: number, users: number, most: number): SourceSpec {
  const random = new TestRandom(8);
  const offsets = [0];
  const chosen: number[] = [];
  for (let user = 0; user < users; user++) {
    if (user % 3 !== 2) chosen.push(...random.distinctIntegers(1 + random.integer(most), items));
    offsets.push(chosen.length);
  }
  return {
    kind: "user-items",
    users: Int32Array.from(offsets.keys()).filter((user) => user < users && user % 3 !== 2),
    offsets: Int32Array.from(offsets),
    items: Int32Array.from(chosen),
  };
}

export interface RunningEngine {
  readonly host: EngineHost;
  train(first: number, count: number): Promise<void>;
}

/** Starts an engine with first values in all tables (biases too), hands it to `use` and closes it whatever happens. */
export async function withEngine<T>(
  spec: EngineSpec,
  options: { workers?: number; backend?: BackendName; scale?: number; bankBytes?: number | undefined },
  use: (engine: RunningEngine) => Promise<T>,
): Promise<T> {
  const { workers = 0, backend = "wasm", bankBytes } = options;
  const host = await EngineHost.create(spec, { workers, backend, ...(bankBytes === undefined ? {} : { bankBytes }) });
  try {
    await host.run({ type: "initialise", scale: options.scale ?? 0.8 });
    if (spec.bias) writeScalars(host, host.layout.table.bias, new TestRandom(9).normalFloats(spec.table.n, 0.3));
    const train = (first: number, count: number) => host.run({ type: "train", first, count } satisfies TrainCommand);
    return await use({ host, train });
  } finally {
    await host.close();
  }
}

/** What an engine learns, by name, without padding, in id order. */
export interface Tables {
  readonly classes: Float32Array;
  readonly bias: Float32Array;
  /** The encoder's tables in the layout's order, of tied tables the first being empty; then the parameter of a learned temperature. */
  readonly encoder: readonly Float32Array[];
}

export function readTables(host: EngineHost): Tables {
  const { table } = host.layout;
  const ofEncoder = parameterArrays(host).filter(({ name }) => name.startsWith("encoder.") || name === "log-scale");
  return {
    classes: readClassTable(host),
    bias: table.bias === 0 ? new Float32Array(host.spec.table.n) : readScalars(host, table.bias),
    encoder: [...(host.spec.tied ? [new Float32Array(0)] : []), ...ofEncoder.map(readArray)],
  };
}

/** The bytes of all tables and of all that the optimizer keeps for them, in id order: a copy. */
export function parameterBytes(host: EngineHost): Buffer {
  const arrays = [...parameterArrays(host), ...stateArrays(host)].map(readArray);
  return Buffer.concat(arrays.map((array) => new Uint8Array(array.buffer)));
}

/** The Σ of the batch losses so far. */
export function lossSum(host: EngineHost): number {
  return host.memory.f64[(host.layout.stats >>> 3) + STAT.lossSum]!;
}

export function stepsDone(host: EngineHost): number {
  return host.memory.f64[(host.layout.stats >>> 3) + STAT.steps]!;
}
