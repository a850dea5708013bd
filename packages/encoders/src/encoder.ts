import { type Key, OptionError, requireInteger } from "@logq/core";
import { ACTIVATION, type Address, type Kernels } from "@logq/kernels";
import { biasGradient, type DenseUnit, denseUnits, matrixGradient } from "./dense-units.js";
import type { EncoderInput } from "./input.js";
import type { Block, EncoderLayout, LayerLayout } from "./layout.js";
import type { EmbeddingRows } from "./rows.js";
import type { Segments } from "./segments.js";
import { type EncoderSpec, layerShapes, validateEncoderSpec } from "./spec.js";

/** Names the dropout masks of a training step: the same (key, step) gives the same masks, whatever block of rows is asked for. */
export interface TrainingStep {
  readonly key: Key;
  readonly step: number;
}

const NO_INPUT: EncoderInput = { offsets: 0, ids: 0, weights: 0 };
const NO_SEGMENTS: Segments = { unique: 0, offsets: 0, rows: 0, weights: 0 };

/**
 * From a batch's input to H and back, as units of work over rows of the batch or blocks of parameters. An object in each thread, over
 * the same memory. It owns nothing and decides nothing: the caller shares out the units and puts a barrier between
 *
 *     prepare(units) | forward(rows) … backward(rows) | denseGradient(units), sparseGradient(runs of ids)
 *
 * Every element is computed by one call, in an order that depends on the shapes alone, so results do not depend on how rows and units
 * were shared out. Calls check nothing and allocate nothing: spec, layout, ids and weights were checked where they entered.
 */
export class Encoder {
  readonly spec: Required<EncoderSpec>;
  readonly layout: EncoderLayout;
  /** Units of `prepare` before a training step. */
  readonly prepareUnits: number;
  /** Units of `prepare` before an evaluation: the first of them. */
  readonly evaluationPrepareUnits: number;
  /** What each unit of `denseGradient` computes. */
  readonly denseUnits: readonly DenseUnit[];

  readonly #kernels: Kernels;
  readonly #embedding: EmbeddingRows | undefined;
  readonly #draw: { key: Key; step: number; layer: number } = { key: { low: 0, high: 0 }, step: 0, layer: 0 };
  #batchRows: number;
  #input: EncoderInput = NO_INPUT;
  #segments: Segments = NO_SEGMENTS;

  /**
   * Throws OptionError if `layout` is not one of `spec`. The batch starts with layout.maxRows rows and no input.
   * @param embedding reads an embedding table that lies apart, in other memories
   */
  constructor(spec: EncoderSpec, layout: EncoderLayout, kernels: Kernels, embedding?: EmbeddingRows) {
    this.spec = validateEncoderSpec(spec);
    requireSameShapes(this.spec, layout);
    this.layout = layout;
    this.#batchRows = layout.maxRows;
    this.#kernels = kernels;
    this.#embedding = embedding;
    this.evaluationPrepareUnits = layout.layers.length;
    this.prepareUnits = layout.training ? 2 * layout.layers.length : layout.layers.length;
    this.denseUnits = layout.training ? denseUnits(layout) : [];
  }

  /** Rows of the current batch, in [1, maxRows]; the last batch of an epoch can be smaller. */
  get batchRows(): number {
    return this.#batchRows;
  }

  /** Says how many rows the current batch has. Throws OptionError outside [1, maxRows]. */
  setBatchRows(rows: number): void {
    this.#batchRows = requireInteger("rows of the batch", rows, 1, this.layout.maxRows);
  }

  /** Says where the current batch's input lies; `input` stays the caller's. Throws OptionError for a mean without weights. */
  setInput(input: EncoderInput): void {
    if (this.spec.input === "bag" && this.spec.reduce === "mean" && input.weights === 0) {
      throw new OptionError("a mean needs weights that sum to one: see scaleBagWeights", { weights: input.weights });
    }
    this.#input = input;
  }

  /** Says where the current batch's segments lie: needed by `sparseGradient` only. */
  setSegments(segments: Segments): void {
    this.#segments = segments;
  }

  /** Packs the matrix of one layer for one direction. All are independent; again after every change of the parameters. */
  prepare(unit: number): void {
    const { layers, tables } = this.layout;
    const { matrix } = this.#kernels;
    const layer = layers[unit % layers.length];
    const A = tables[layer.matrixTable];
    if (unit < layers.length) matrix.packRight(layer.packedForward, A.address, A.ld, layer.inputs, layer.outputs);
    else matrix.packRightTransposed(layer.packedBackward, A.address, A.ld, layer.outputs, layer.inputs);
  }

  /**
   * Rows [firstRow, firstRow + rows) of H, and what `backward` needs of them. `training` draws dropout; undefined: none.
   * External input: nothing to do.
   */
  forward(firstRow: number, rows: number, training: TrainingStep | undefined): void {
    if (this.spec.input === "external") return;
    if (this.spec.input === "bag") this.#sumBags(firstRow, rows);
    else this.#gatherWindows(firstRow, rows);
    const { layers, inputVector } = this.layout;
    this.#dropout(inputVector, 0, firstRow, rows, training);
    for (let l = 0; l < layers.length; l++) this.#layerForward(layers[l], l, firstRow, rows, training);
  }

  /**
   * From rows of dL/dH to rows of the input gradient, and dL/d(x·A + b) of each layer for `denseGradient`. Needs `forward` of the same
   * rows with the same `training`. Changes hiddenGradient in place.
   */
  backward(firstRow: number, rows: number, training: TrainingStep | undefined): void {
    const { layers, inputGradient } = this.layout;
    for (let l = layers.length - 1; l >= 0; l--) this.#layerBackward(layers[l], l, firstRow, rows, training);
    this.#dropout(inputGradient, 0, firstRow, rows, training);
  }

  /**
   * The gradient of one block of dense parameters over all rows of the batch, written to its place (`denseUnits[unit].gradient`).
   * After every row's `backward`. `scratch` (layout.scratchBytes) is the worker's own.
   */
  denseGradient(unit: number, scratch: Address): void {
    const block = this.denseUnits[unit];
    const layer = this.layout.layers[block.layer];
    if (block.table === layer.biasTable) biasGradient(this.#kernels, layer, block, this.#batchRows);
    else matrixGradient(this.#kernels, layer, block, this.#batchRows, scratch);
  }

  /**
   * out (count, E) = (accumulate ? out : 0) + the gradients of embedding rows unique[firstUnique …], each summed over its segment in row order. A segment
   * may be empty.
   */
  sparseGradient(firstUnique: number, count: number, out: Address, ldOut: number, accumulate = false): void {
    const { address, ld } = this.layout.inputGradient;
    const { embedding, input } = this.spec;
    const { offsets, rows, weights } = this.#segments;
    const ldSource = input === "concat" ? embedding : ld;
    const first = offsets + 4 * firstUnique;
    this.#kernels.rows.weightedRowSums(
      out,
      ldOut,
      address,
      ldSource,
      first,
      rows,
      weights,
      count,
      embedding,
      accumulate,
    );
  }

  #sumBags(firstRow: number, rows: number): void {
    const { inputVector, tables } = this.layout;
    const { offsets, ids, weights } = this.#input;
    const table = tables[0];
    const out = rowAddress(inputVector, firstRow);
    const first = offsets + 4 * firstRow;
    if (this.#embedding !== undefined) {
      this.#embedding.weightedSums(out, inputVector.ld, first, ids, weights, rows, false);
      return;
    }
    this.#kernels.rows.weightedRowSums(
      out,
      inputVector.ld,
      table.address,
      table.ld,
      first,
      ids,
      weights,
      rows,
      table.columns,
      false,
    );
  }

  #gatherWindows(firstRow: number, rows: number): void {
    const { inputVector, tables } = this.layout;
    const { window, embedding } = this.spec;
    const table = tables[0];
    const out = rowAddress(inputVector, firstRow);
    const ids = this.#input.ids + 4 * window * firstRow;
    if (this.#embedding !== undefined) {
      this.#embedding.gather(out, embedding, ids, rows * window);
      return;
    }
    this.#kernels.rows.gatherRows(out, embedding, table.address, table.ld, ids, rows * window, embedding);
  }

  #layerForward(layer: LayerLayout, l: number, firstRow: number, rows: number, training?: TrainingStep): void {
    const { matrix, dense } = this.#kernels;
    const { input, output, inputs, outputs } = layer;
    const x = rowAddress(input, firstRow);
    const y = rowAddress(output, firstRow);
    matrix.multiply(y, output.ld, x, input.ld, 1, layer.packedForward, rows, inputs, outputs, false);
    const bias = this.layout.tables[layer.biasTable].address;
    dense.biasActivate(y, output.ld, rows, outputs, bias, layer.activation);
    if (layer.activation === ACTIVATION.linear || !this.#drops(training)) return;
    if (layer.undropped !== 0) this.#keepUndropped(layer, firstRow, rows);
    this.#dropout(output, l + 1, firstRow, rows, training);
  }

  #layerBackward(layer: LayerLayout, l: number, firstRow: number, rows: number, training?: TrainingStep): void {
    const { matrix, dense } = this.#kernels;
    const { activation, inputGradient, output, outputGradient, inputs, outputs, undropped } = layer;
    const dy = rowAddress(outputGradient, firstRow);
    if (activation !== ACTIVATION.linear) {
      this.#dropout(outputGradient, l + 1, firstRow, rows, training);
      // Dropout scales what it keeps, which relu's derivative does not notice and tanh's does.
      const kept = undropped !== 0 && this.#drops(training) ? undropped : output.address;
      const y = kept + 4 * output.ld * firstRow;
      dense.activationBackward(dy, outputGradient.ld, y, output.ld, rows, outputs, activation);
    }
    const dx = rowAddress(inputGradient, firstRow);
    matrix.multiply(dx, inputGradient.ld, dy, outputGradient.ld, 1, layer.packedBackward, rows, outputs, inputs, false);
  }

  #keepUndropped(layer: LayerLayout, firstRow: number, rows: number): void {
    const { ld } = layer.output;
    const from = rowAddress(layer.output, firstRow) / 4;
    const to = layer.undropped / 4 + ld * firstRow;
    this.#kernels.memory.f32.copyWithin(to, from, from + ld * rows);
  }

  #drops(training: TrainingStep | undefined): training is TrainingStep {
    return training !== undefined && this.spec.dropout > 0;
  }

  /** Masks rows of an activation or of its gradient; site 0 is the input vector, l + 1 the output of layer l. */
  #dropout(block: Block, site: number, firstRow: number, rows: number, training: TrainingStep | undefined): void {
    if (!this.#drops(training)) return;
    const draw = this.#draw;
    draw.key = training.key;
    draw.step = training.step;
    draw.layer = site;
    const y = rowAddress(block, firstRow);
    this.#kernels.dense.dropout(y, block.ld, rows, block.columns, this.spec.dropout, firstRow, draw);
  }
}

function rowAddress(block: Block, row: number): Address {
  return block.address + 4 * block.ld * row;
}

function requireSameShapes(spec: EncoderSpec, layout: EncoderLayout): void {
  const learned = spec.input !== "external";
  const table = layout.tables[0];
  const sameTable = learned ? table?.rows === spec.vocabulary && table.columns === spec.embedding : !table;
  const asked = layerShapes(spec);
  const sameLayers =
    asked.length === layout.layers.length &&
    asked.every(({ inputs, outputs, activation }, l) => {
      const layer = layout.layers[l];
      return layer.inputs === inputs && layer.outputs === outputs && layer.activation === activation;
    });
  if (layout.hidden.columns !== spec.D || !sameTable || !sameLayers) {
    throw new OptionError("the layout is of another encoder", { spec, layout });
  }
}
