import type { Encoder } from "@logq/encoders";
import type { Address, Kernels, RowBlock } from "@logq/kernels";
import { createRule, type OptimizerSpec, setStep, type TableState } from "../optimize/optimizer.js";
import { rateFactor } from "../optimize/schedule.js";
import type { AdaptiveTable } from "./adaptive/adaptive-space.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec, TrainingSpec } from "./spec.js";
import type { EngineTables } from "./tables.js";

interface Table {
  readonly address: Address;
  readonly ld: number;
}

/** Applies complete gradients to rows of tables. One object in each thread; it allocates nothing. */
export class Updates {
  readonly #kernels: Kernels;
  readonly #tables: EngineTables;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #training: TrainingSpec;
  /** Tables decay, biases do not. */
  readonly #rule;
  readonly #biasRule;
  readonly #denseRule;
  readonly #denseBiasRule;
  readonly #optimizer: OptimizerSpec;
  #step = 0;
  readonly #block: RowBlock = {
    table: 0,
    ldTable: 0,
    indices: 0,
    gradient: 0,
    ldGradient: 0,
    count: 0,
    D: 0,
    state: 0,
    secondState: 0,
  };

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout, encoder: Encoder, tables: EngineTables) {
    this.#kernels = kernels;
    this.#tables = tables;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#training = spec.training!;
    this.#optimizer = this.#training.optimizer;
    this.#rule = createRule(this.#optimizer);
    this.#biasRule = createRule({ ...this.#optimizer, weightDecay: 0 });
    this.#denseRule = createRule(this.#optimizer);
    this.#denseBiasRule = createRule({ ...this.#optimizer, weightDecay: 0 });
  }

  /** Brings the learning rate and adam's corrections to `step`. */
  setStep(step: number): void {
    this.#step = step;
    const factor = rateFactor(this.#training.schedule, step, this.#training.totalSteps);
    setStep(this.#rule, this.#optimizer, factor, step);
    setStep(this.#biasRule, this.#optimizer, factor, step);
    const dense = factor * this.#optimizer.denseFactor;
    setStep(this.#denseRule, this.#optimizer, dense, step);
    setStep(this.#denseBiasRule, this.#optimizer, dense, step);
  }

  /** What all gradients of this step are multiplied by: below 1 where the norm is clipped. */
  scaleGradients(scale: number): void {
    this.#rule.gradientScale = scale;
    this.#biasRule.gradientScale = scale;
    this.#denseRule.gradientScale = scale;
    this.#denseBiasRule.gradientScale = scale;
  }

  /** Class rows `indices` (int32 physical rows), or with indices 0 the `count` rows from `firstRow`. */
  classRows(indices: Address, firstRow: number, count: number, gradient: Address): void {
    this.#tables.classes.update(this.#rule, this.#step, indices, firstRow, count, gradient);
  }

  classBias(indices: Address, firstRow: number, count: number, gradient: Address): void {
    const { bias, biasState } = this.#layout.table;
    if (bias === 0) return;
    this.#update(this.#biasRule, { address: bias, ld: 1 }, biasState, indices, firstRow, count, 1, gradient, 1);
  }

  /** Rows `ids` of the embedding table. */
  embeddingRows(ids: Address, count: number, gradient: Address): void {
    this.#tables.embedding!.update(this.#rule, this.#step, ids, 0, count, gradient);
  }

  /** Rows of a table of clusters. A step that touches a tail touches all of its projection, which is a dense layer. */
  ownRows(table: AdaptiveTable, firstRow: number, count: number, gradient: Address): void {
    const { kind, columns, state } = table;
    const rule = kind === "rows" ? this.#rule : kind === "bias" ? this.#biasRule : this.#denseRule;
    this.#update(rule, table, state, 0, firstRow, count, columns, gradient, columns);
  }

  /** The block of dense parameters that unit `unit` of the encoder has computed the gradient of. */
  denseBlock(unit: number): void {
    const block = this.#encoder.denseUnits[unit];
    const table = this.#layout.encoder.tables[block.table];
    const rule = table.bias ? this.#denseBiasRule : this.#denseRule;
    const state = this.#layout.encoderStates[block.table];
    this.#update(rule, table, state, 0, block.firstRow, block.rows, block.columns, block.gradient, block.ldGradient);
  }

  /** The parameter of a learned temperature, by the gradient that stands beside it. Every step moves it, as it does dense layers. */
  temperature(): void {
    const { logScale, state, gradient } = this.#layout.temperature!;
    this.#update(this.#denseBiasRule, { address: logScale, ld: 1 }, state, 0, 0, 1, 1, gradient, 1);
  }

  #update(
    rule: ReturnType<typeof createRule>,
    table: Table,
    state: TableState,
    indices: Address,
    firstRow: number,
    count: number,
    D: number,
    gradient: Address,
    ldGradient: number,
  ): void {
    const block = this.#block;
    const perRow = this.#optimizer.name === "rowwise-adagrad";
    block.table = table.address + 4 * table.ld * firstRow;
    block.ldTable = table.ld;
    block.indices = indices;
    block.gradient = gradient;
    block.ldGradient = ldGradient;
    block.count = count;
    block.D = D;
    block.state = state.state === 0 ? 0 : state.state + 4 * (perRow ? 1 : table.ld) * firstRow;
    block.secondState = state.secondState === 0 ? 0 : state.secondState + 4 * table.ld * firstRow;
    this.#kernels.optimizer.updateRows(rule, block);
  }
}
