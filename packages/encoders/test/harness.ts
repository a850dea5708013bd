import { keyFromSeed } from "@logq/core";
import { compileKernels, instantiateKernels, type KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import {
  type Block,
  buildSegments,
  checkInput,
  Encoder,
  type EncoderInput,
  type EncoderSpec,
  initialiseTable,
  planEncoder,
  planSegments,
  type Segments,
  scaleBagWeights,
  segmentScratchBytes,
  type TrainingStep,
} from "../src/index.js";
import type { Batch } from "./oracle.js";

export const KEY = keyFromSeed("encoders");

export interface Backend {
  readonly name: string;
  readonly create: (memory: KernelMemory) => Kernels;
}

async function loadBackend(name: "reference" | "wasm"): Promise<Backend> {
  const compiled = await compileKernels(name, false);
  return { name, create: (memory) => instantiateKernels(compiled, memory) };
}

export const REFERENCE = await loadBackend("reference");
export const WASM = await loadBackend("wasm");
export const BACKENDS: readonly Backend[] = [REFERENCE, WASM];

/** A planned and initialised encoder with one batch in its memory. */
export interface Setting {
  readonly spec: EncoderSpec;
  readonly batch: Batch;
  readonly kernels: Kernels;
  readonly encoder: Encoder;
  readonly input: EncoderInput;
  readonly segments: Segments;
  readonly segmentScratch: number;
  readonly scratch: number;
  readonly sparseOut: number;
}

export interface Share {
  /** Rows of a unit of the row phase. */
  readonly blockRows: number;
  /** Unique ids of a unit of the sparse gradients. */
  readonly blockIds: number;
  /** Units are run last to first. */
  readonly backwards?: boolean;
}

export const WHOLE: Share = { blockRows: 1e9, blockIds: 1e9 };

export const SPEC: EncoderSpec = {
  input: "bag",
  vocabulary: 23,
  reduce: "sum",
  window: 0,
  embedding: 6,
  hidden: [],
  activation: "tanh",
  dropout: 0,
  D: 6,
  initialScale: 0.7,
};

/** Ragged rows of 0 to 5 ids with repeats, some within a row; the second row is empty. Concat: `window` ids a row. */
export function randomBatch(spec: EncoderSpec, rows: number, weighted: boolean, seed = 1): Batch {
  const random = new TestRandom(seed);
  const offsets = new Int32Array(spec.input === "bag" ? rows + 1 : 0);
  if (spec.input === "bag") {
    for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row] + (row === 1 ? 0 : random.integer(6));
  }
  const count = spec.input === "bag" ? offsets[rows] : rows * spec.window;
  const ids = random.integers(count, spec.vocabulary);
  if (count > 1 && spec.input === "bag" && offsets[1] > 1) ids[1] = ids[0];
  return { rows, offsets, ids, weights: weighted ? random.uniformFloats(count, 0.5, 2) : undefined };
}

export function createSetting(spec: EncoderSpec, batch: Batch, backend: Backend, maxRows = batch.rows): Setting {
  const plan = new MemoryPlan();
  // Sizes of packed operands do not depend on the memory, so kernels over an empty one can tell them.
  const sizes = backend.create(new MemoryPlan().allocate(false));
  const layout = planEncoder(plan, spec, { maxRows, training: true, matrix: sizes.matrix });
  const count = batch.ids.length;
  const weighted = batch.weights !== undefined || spec.reduce === "mean";
  const input: EncoderInput = {
    offsets: plan.reserve("offsets", 4 * (batch.rows + 1)),
    ids: plan.reserve("ids", 4 * count),
    weights: weighted ? plan.reserve("weights", 4 * count) : 0,
  };
  const segments = planSegments(plan, "segments", count, weighted);
  const segmentScratch = plan.reserve("segment scratch", segmentScratchBytes(sizes.indices, count));
  const scratch = plan.reserve("scratch", layout.scratchBytes);
  const sparseOut = plan.reserve("sparse gradients", 4 * spec.vocabulary * spec.embedding);
  const memory = plan.allocate(false);
  const kernels = backend.create(memory);
  writeBatch(memory, spec, batch, input);
  checkInput(memory, spec, input, batch.rows, count);
  const random = new TestRandom(99);
  for (const table of layout.tables) {
    initialiseTable(memory, table, KEY);
    if (table.initialLimit === 0) memory.floats(table.address, table.columns).set(random.normalFloats(table.columns));
  }
  const encoder = new Encoder(spec, layout, kernels);
  encoder.setBatchRows(batch.rows);
  encoder.setInput(input);
  encoder.setSegments(segments);
  return { spec, batch, kernels, encoder, input, segments, segmentScratch, scratch, sparseOut };
}

function writeBatch(memory: KernelMemory, spec: EncoderSpec, batch: Batch, input: EncoderInput): void {
  memory.ints(input.offsets, batch.offsets.length).set(batch.offsets);
  memory.ints(input.ids, batch.ids.length).set(batch.ids);
  if (input.weights !== 0) {
    const weights = batch.weights ?? new Float32Array(batch.ids.length).fill(1);
    memory.floats(input.weights, batch.ids.length).set(weights);
  }
  if (spec.input === "bag" && spec.reduce === "mean") scaleBagWeights(memory, input, batch.rows);
}

/** The coefficients c of the loss Σ c·H, which are dL/dH. */
export function lossCoefficients(spec: EncoderSpec, rows: number): Float32Array {
  return new TestRandom(5).normalFloats(rows * spec.D);
}

export interface StepResult {
  readonly H: Float32Array;
  readonly inputGradient: Float32Array;
  /** Like `parametersOf`: all tables, unpadded; zero where no id leads. */
  readonly gradient: Float32Array;
}

/** One complete step without update: prepare, forward, backward, gradients. `share` says how the work is cut and in which order. */
export function runStep(setting: Setting, training: TrainingStep | undefined, share: Share): StepResult {
  const { spec, batch, kernels, encoder } = setting;
  const { memory } = kernels;
  const { layout } = encoder;
  const order = (count: number) => {
    const units = Array.from({ length: count }, (_, unit) => unit);
    return share.backwards ? units.reverse() : units;
  };
  // What is not written must not matter.
  for (const unit of encoder.denseUnits) memory.floats(unit.gradient, unit.rows * unit.ldGradient).fill(NaN);
  for (const unit of order(encoder.prepareUnits)) encoder.prepare(unit);
  const blocks = order(Math.ceil(batch.rows / share.blockRows));
  const rowsOf = (block: number) => Math.min(share.blockRows, batch.rows - block * share.blockRows);
  for (const block of blocks) encoder.forward(block * share.blockRows, rowsOf(block), training);
  const H = readBlock(memory, layout.hidden, batch.rows);
  writeBlock(memory, layout.hiddenGradient, lossCoefficients(spec, batch.rows));
  for (const block of blocks) encoder.backward(block * share.blockRows, rowsOf(block), training);
  for (const unit of order(encoder.denseUnits.length)) encoder.denseGradient(unit, setting.scratch);
  const inputGradient = readBlock(memory, layout.inputGradient, batch.rows);
  return { H, inputGradient, gradient: Float32Array.from(collectGradients(setting, share, order)) };
}

function collectGradients(setting: Setting, share: Share, order: (count: number) => number[]): number[] {
  const { encoder, kernels } = setting;
  const { memory } = kernels;
  const { layout } = encoder;
  return layout.tables.flatMap((table, index) => {
    if (table.kind === "sparse") return Array.from(sparseGradients(setting, share, order));
    const units = encoder.denseUnits.filter((unit) => unit.table === index);
    return units.flatMap((unit) =>
      Array.from(readBlock(memory, { ...unit, address: unit.gradient, ld: unit.ldGradient }, unit.rows)),
    );
  });
}

function sparseGradients(setting: Setting, share: Share, order: (count: number) => number[]): Float32Array {
  const { spec, batch, kernels, encoder, input, segments, segmentScratch, sparseOut } = setting;
  const { memory } = kernels;
  const E = spec.embedding;
  const found = buildSegments(kernels, spec, input, batch.rows, segments, segmentScratch);
  const unique = memory.ints(segments.unique, found);
  const gradient = new Float32Array(spec.vocabulary * E);
  for (const block of order(Math.ceil(found / share.blockIds))) {
    const first = block * share.blockIds;
    const count = Math.min(share.blockIds, found - first);
    encoder.sparseGradient(first, count, sparseOut, E);
    for (let u = 0; u < count; u++) gradient.set(memory.floats(sparseOut + 4 * E * u, E), unique[first + u] * E);
  }
  return gradient;
}

/** All parameters one after the other, unpadded, in the layout's order. */
export function parametersOf({ encoder, kernels }: Setting): Float32Array {
  return Float32Array.from(
    encoder.layout.tables.flatMap((table) => Array.from(readBlock(kernels.memory, table, table.rows))),
  );
}

export function readBlock(memory: KernelMemory, block: Omit<Block, "rows">, rows: number): Float32Array {
  const out = new Float32Array(rows * block.columns);
  for (let row = 0; row < rows; row++) {
    out.set(memory.floats(block.address + 4 * block.ld * row, block.columns), row * block.columns);
  }
  return out;
}

export function writeBlock(memory: KernelMemory, block: Block, values: Float32Array): void {
  for (let row = 0; row * block.columns < values.length; row++) {
    const from = values.subarray(row * block.columns, (row + 1) * block.columns);
    memory.floats(block.address + 4 * block.ld * row, block.columns).set(from);
  }
}
