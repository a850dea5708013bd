import { DivergenceError } from "@logq/core";
import type { Kernels } from "@logq/kernels";
import type { Team } from "../../parallel/team.js";
import { accountStep } from "../account.js";
import { type BatchLayout, HEAD } from "../batch-layout.js";
import { Flags } from "../flags.js";
import { type EngineLayout, FLAG } from "../layout.js";
import type { EngineParts } from "../parts.js";
import type { TrainingSpec } from "../spec.js";
import type { Temperature } from "../temperature.js";
import type { Updates } from "../updates.js";
import type { EncoderUpdate } from "./encoder-update.js";
import type { Ahead, Step } from "./step.js";

/** What steps of every kind do in the same way: bookkeeping, the check that nothing diverged, clipping by the norm, a learned temperature's update. */
export class SharedPhases {
  readonly flags: Flags;
  readonly #team: Team;
  readonly #kernels: Kernels;
  readonly #layout: EngineLayout;
  readonly #training: TrainingSpec;
  readonly #temperature: Temperature;
  readonly #updates: Updates;
  readonly #encoder: EncoderUpdate;
  /** Of this step's gradients; 0 without clipping. */
  #norm = 0;

  constructor(
    { team, kernels, spec, layout, temperature }: EngineParts,
    updates: Updates,
    encoderUpdate: EncoderUpdate,
  ) {
    this.flags = new Flags(kernels.memory, layout.flags);
    this.#team = team;
    this.#kernels = kernels;
    this.#layout = layout;
    this.#training = spec.training!;
    this.#temperature = temperature;
    this.#updates = updates;
    this.#encoder = encoderUpdate;
  }

  batchRows(batch: BatchLayout): number {
    return this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.rows];
  }

  /** Units that are no arithmetic: bookkeeping, and the next batch. They come first, because they are long. */
  housekeepingUnits(ahead: Ahead | undefined): number {
    return 1 + (ahead?.units ?? 0);
  }

  /** @param loss of the batch, once every row has its own */
  housekeeping(unit: number, of: Step, loss: () => number): void {
    if (of.ahead !== undefined && unit < of.ahead.units) of.ahead.run(unit, of.step + 1);
    else this.account(of, loss());
  }

  /** One unit a step: what the main thread reads, and what all members agree on. */
  account({ step, batch, stopRequested }: Step, loss: number): void {
    const { memory } = this.#kernels;
    const examples = memory.i32[(batch.head >>> 2) + HEAD.validRows];
    const mean = this.#training.reduction === "mean" ? loss : loss / Math.max(1, examples);
    accountStep(memory, this.#layout.stats, step, { examples, loss: mean, norm: this.#norm });
    this.flags.set(FLAG.stop, stopRequested());
  }

  /** Every member sees the same flag after the barrier, so all leave together, before any table has changed. */
  requireFinite(step: number): void {
    if (!this.flags.isSet(FLAG.diverged)) return;
    // Alone, one may go on with other numbers; a larger team leaves.
    if (this.#team.size === 1) this.flags.set(FLAG.diverged, false);
    throw new DivergenceError(
      `step ${step} has a loss or gradient that is not finite; the tables are as they were before it. A smaller learning rate usually helps`,
      { step, learningRate: this.#training.optimizer.learningRate },
    );
  }

  /**
   * Clipping: all gradients first, then their norm, then the factor that every update is scaled by. Without clipping nothing happens.
   * @param classes units of class gradients
   * @param squares computes the gradients of such a unit, if they are not there yet, and answers Σ of their squares
   * @param parts of the gradient of a learned temperature
   */
  clip(batch: BatchLayout, classes: number, squares: (unit: number) => number, parts: number): void {
    const { clip } = this.#layout;
    if (clip === undefined) return;
    const { f64 } = this.#kernels.memory;
    const at = clip.squares >>> 3;
    const units = classes + this.#encoder.units(batch);
    this.#team.phase("clip", units, (unit) => {
      f64[at + unit] = unit < classes ? squares(unit) : this.#encoder.squares(unit - classes, batch);
    });
    this.#scaleByNorm(at, units, this.#temperature.gradient(this.batchRows(batch), parts));
  }

  /** Every member sums the same squares in the same order. @param ofTemperature its gradient */
  #scaleByNorm(squares: number, units: number, ofTemperature: number): void {
    const { f64 } = this.#kernels.memory;
    let sum = ofTemperature ** 2;
    for (let unit = 0; unit < units; unit++) sum += f64[squares + unit];
    const norm = Math.sqrt(sum);
    const limit = this.#training.optimizer.clipNorm;
    this.#updates.scaleGradients(norm > limit ? limit / norm : 1);
    this.#norm = norm;
  }

  /** A learned temperature, once every part of its gradient is in: one unit. @param parts of the biases */
  updateTemperature(batch: BatchLayout, parts: number): void {
    if (!this.#temperature.learns) return;
    const rows = this.batchRows(batch);
    this.#team.phase("update", 1, () => {
      this.#temperature.writeGradient(rows, parts);
      this.#updates.temperature();
    });
  }
}
