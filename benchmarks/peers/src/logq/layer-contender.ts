import type { BackendName } from "@logq/kernels";
import { OutputLayer, type ProductType, type StepResult } from "@logq/trainers";
import type { StepBatch, StepInputs } from "../inputs/step-inputs.js";
import { bytesOf, LEARNING_RATE, type StepShape } from "../items/step-shape.js";
import type { Check, Contender, Entry } from "../measure/contender.js";
import { timeRound } from "../measure/time-round.js";

/** logq's step through its public door, `OutputLayer.step`: the batch is checked and copied in, the hidden gradient copied out. */
export function layerEntry(
  backend: BackendName,
  shape: StepShape,
  inputs: StepInputs,
  workers: number,
  products: ProductType = "float32",
): Entry {
  return {
    name: products === "float32" ? `logq, ${backend}` : `logq, ${backend}, products in ${products}`,
    side: "logq",
    settings: { backend, workers, products },
    bytes: bytesOf(shape),
    async start() {
      const layer = await createLayer(backend, shape, workers, products);
      layer.setTable(inputs.table);
      return new LayerContender(layer, shape, inputs);
    },
  };
}

function createLayer(
  backend: BackendName,
  { loss, n, B, D, S, draws }: StepShape,
  workers: number,
  products: ProductType,
): Promise<OutputLayer> {
  return OutputLayer.create({
    classes: n,
    dim: D,
    batch: B,
    loss,
    ...(S === 0 ? {} : { sampler: draws === "own" ? "log-uniform" : "uniform", negatives: S }),
    optimizer: { name: "sgd", learningRate: LEARNING_RATE },
    workers,
    backend,
    products,
    seed: 1,
  });
}

class LayerContender implements Contender {
  readonly #layer: OutputLayer;
  readonly #shape: StepShape;
  readonly #inputs: StepInputs;
  /** log Q of candidates and of targets. Uniform draws: every class is expected S/n times. */
  readonly #logQ: { readonly logQ: Float64Array; readonly targetLogQ: Float64Array };
  #next = 0;

  constructor(layer: OutputLayer, shape: StepShape, inputs: StepInputs) {
    this.#layer = layer;
    this.#shape = shape;
    this.#inputs = inputs;
    const { S, n, B } = shape;
    const logQ = Math.log(S / n);
    this.#logQ = { logQ: new Float64Array(S).fill(logQ), targetLogQ: new Float64Array(B).fill(logQ) };
  }

  async check(): Promise<Check> {
    const { draws, D } = this.#shape;
    if (draws === "own") return { loss: [await this.#meanLoss()] };
    const { loss, hiddenGradient } = await this.#step();
    const gradient = Array.from(hiddenGradient);
    const after = this.#layer.table();
    const { watched, table } = this.#inputs;
    const change: number[] = [];
    for (const id of watched) for (let d = id * D; d < (id + 1) * D; d++) change.push(after[d]! - table[d]!);
    return { loss: [loss], "hidden gradient": gradient, "table change": change };
  }

  /** Over one pass of the batches: draws differ from side to side, their mean does not. */
  async #meanLoss(): Promise<number> {
    let sum = 0;
    for (let k = 0; k < this.#inputs.batches.length; k++) sum += (await this.#step()).loss;
    return sum / this.#inputs.batches.length;
  }

  round(seconds: number, least: number): Promise<readonly number[]> {
    return timeRound(() => this.#step(), seconds, least);
  }

  close(): Promise<void> {
    return this.#layer.close();
  }

  #step(): Promise<StepResult> {
    const batch: StepBatch = this.#inputs.batches[this.#next]!;
    this.#next = (this.#next + 1) % this.#inputs.batches.length;
    const { draws, S } = this.#shape;
    if (S === 0 || draws === "own") return this.#layer.step(batch.hidden, batch.targets);
    const candidates = { ids: batch.candidates, ...this.#logQ };
    return this.#layer.step(batch.hidden, batch.targets, { candidates });
  }
}
