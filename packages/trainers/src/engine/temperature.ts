import type { Address, KernelMemory, Kernels, MemoryPlan } from "@logq/kernels";
import { planState, type TableState } from "../optimize/optimizer.js";
import type { EngineLayout } from "./layout.js";
import { sumInOrder } from "./loss-state.js";
import { blocksOf, type EngineSpec, UPDATE_BLOCK } from "./spec.js";

/** What a learned temperature needs. */
export interface TemperatureSpace {
  /** float32: the parameter, log(1/τ), and what the optimizer keeps for it */
  readonly logScale: Address;
  readonly state: TableState;
  /** float32 (B): Σ of dloss/dz·z over the products of each row */
  readonly ofRows: Address;
  /** float64: the same over the biases, a part for each lane or each unit of class gradients */
  readonly ofClasses: Address;
  /** float32: dloss/dlog(1/τ) */
  readonly gradient: Address;
}

export function planTemperature(plan: MemoryPlan, spec: EngineSpec, panelRows: number): TemperatureSpace | undefined {
  const { training, table } = spec;
  if (training?.learnTemperature !== true) return undefined;
  const floats = (name: string, count: number) => plan.reserve(`temperature ${name}`, 4 * count);
  return {
    logScale: floats("parameter", 1),
    state: planState(plan, training.optimizer.name, "temperature", 1, 1),
    ofRows: floats("gradient of rows", training.B),
    ofClasses: plan.reserve(
      "temperature gradient of biases",
      8 * Math.max(table.lanes, blocksOf(panelRows, UPDATE_BLOCK)),
    ),
    gradient: floats("gradient", 1),
  };
}

/**
 * The temperature as one thread sees it: fixed, or learned. Learned, its parameter is log(1/τ), which keeps τ above 0, and has the gradient
 * Σ dloss/dz·z over all logits z = (h·w + b)/τ of a step. No logit is looked at for that: with G the gradients of the products, Σ_c G_rc·(h_r·w_c) is
 * h_r·dloss/dh_r, h_r at length 1 and its gradient as it is before it goes back through the length; and the biases have Σ_c b_c·dloss/db_c. Every unit writes
 * its part to a place of its own, and parts are summed in order.
 */
export class Temperature {
  /** 1/τ */
  scale: number;
  readonly #kernels: Kernels;
  readonly #space: TemperatureSpace | undefined;
  readonly #D: number;
  readonly #hasBiases: boolean;

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout) {
    this.scale = spec.scale;
    this.#kernels = kernels;
    this.#space = layout.temperature;
    this.#D = spec.table.D;
    this.#hasBiases = spec.bias;
  }

  get learns(): boolean {
    return this.#space !== undefined;
  }

  /** At the beginning of a step or an evaluation, while nobody updates the parameter. */
  refresh(): void {
    if (this.#space !== undefined) this.scale = 1 / learnedTemperature(this.#kernels.memory, this.#space);
  }

  /** Rows [first, first + R) of unit length, and their gradients: matrices whose row `first` stands at the address. */
  addRows(first: number, R: number, hidden: Address, ldHidden: number, gradient: Address, ldGradient: number): void {
    if (this.#space === undefined) return;
    const out = this.#space.ofRows + 4 * first;
    this.#kernels.rows.pairDots(out, hidden, ldHidden, 0, gradient, ldGradient, 0, R, this.#D);
  }

  /** Before the first `addClasses` of a part. */
  clearClasses(part: number): void {
    if (this.#space !== undefined) this.#kernels.memory.f64[(this.#space.ofClasses >>> 3) + part] = 0;
  }

  /** C biases before their update, and their gradients over the whole batch. */
  addClasses(part: number, bias: Address, gradient: Address, C: number): void {
    if (this.#space === undefined || !this.#hasBiases) return;
    const { f32, f64 } = this.#kernels.memory;
    let sum = 0;
    for (let c = 0; c < C; c++) sum += f32[(bias >>> 2) + c] * f32[(gradient >>> 2) + c];
    f64[(this.#space.ofClasses >>> 3) + part] += sum;
  }

  /** dloss/dlog(1/τ), once all parts are in; 0 if it is not learned. @param parts of the biases */
  gradient(rows: number, parts: number): number {
    if (this.#space === undefined) return 0;
    const { memory } = this.#kernels;
    let sum = this.#hasBiases ? sumInOrder(memory, this.#space.ofClasses, parts) : 0;
    const from = this.#space.ofRows >>> 2;
    for (let r = from; r < from + rows; r++) sum += memory.f32[r];
    return sum;
  }

  /** Writes the gradient where the optimizer finds it. */
  writeGradient(rows: number, parts: number): void {
    if (this.#space === undefined) return;
    this.#kernels.memory.f32[this.#space.gradient >>> 2] = this.gradient(rows, parts);
  }
}

function learnedTemperature({ f32 }: KernelMemory, { logScale }: TemperatureSpace): number {
  return Math.exp(-f32[logScale >>> 2]);
}

/** τ as it has been learned so far, between commands; undefined: it is fixed. */
export function temperatureNow(memory: KernelMemory, { temperature }: EngineLayout): number | undefined {
  return temperature === undefined ? undefined : learnedTemperature(memory, temperature);
}

/** The parameter's first value: main thread, before anything runs. */
export function startTemperature({ f32 }: KernelMemory, { scale }: EngineSpec, { temperature }: EngineLayout): void {
  if (temperature !== undefined) f32[temperature.logScale >>> 2] = Math.log(scale);
}
