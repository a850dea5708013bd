import type { BackendChoice } from "@logq/blas";
import { keyFromSeed, RandomStream, STREAM } from "@logq/core";
import { createSamplerState, type Sampler, samplerFrom } from "@logq/samplers";
import { OutputLayer } from "@logq/trainers";

const key = keyFromSeed("loss step");

/** Steps before the first that is timed. */
const WARM_STEPS = 5;

/**
 * The step that a contextual sampler draws for, in one thread: sampled softmax of B rows with S candidates of their own each, class rows and biases updated by
 * plain gradient steps. Its candidates are uniform, since some have to be; what drawing them takes can be taken off.
 */
export class LossStep {
  readonly #layer: OutputLayer;
  readonly #hidden: Float32Array;
  readonly #targets: Int32Array;
  readonly #sampler: Sampler;
  readonly #ids: Int32Array;
  readonly #logQ: Float64Array;

  private constructor(layer: OutputLayer, hidden: Float32Array, targets: Int32Array, S: number) {
    this.#layer = layer;
    this.#hidden = hidden;
    this.#targets = targets;
    this.#sampler = samplerFrom(createSamplerState({ name: "uniform" }, layer.classes, {}));
    this.#ids = new Int32Array(S);
    this.#logQ = new Float64Array(S);
  }

  /** @throws OptionError, MemoryLimitError, BackendError */
  static async create(n: number, D: number, B: number, S: number, backend: BackendChoice): Promise<LossStep> {
    const layer = await OutputLayer.create({
      classes: n,
      dim: D,
      batch: B,
      loss: "sampled-softmax",
      sampler: "uniform",
      candidates: "row",
      negatives: S,
      classBias: "zero",
      optimizer: { name: "sgd", learningRate: 0.01 },
      backend,
    });
    const stream = new RandomStream(key, STREAM.measurement);
    const hidden = Float32Array.from({ length: B * D }, (_, i) => stream.normal(i));
    const targets = Int32Array.from({ length: B }, (_, i) => Math.floor(n * stream.uniform(B * D + i)));
    const step = new LossStep(layer, hidden, targets, S);
    for (let i = 0; i < WARM_STEPS; i++) {
      step.run();
      step.draw();
    }
    return step;
  }

  run(): void {
    this.#layer.stepSync(this.#hidden, this.#targets);
  }

  /** The draws alone that a step makes. */
  draw(): void {
    const S = this.#ids.length;
    for (let item = 1; item <= this.#targets.length; item++) {
      this.#sampler.draw({ key, step: this.#layer.steps, item, S }, this.#ids, this.#logQ);
    }
  }

  async close(): Promise<void> {
    await this.#layer.close();
  }
}
