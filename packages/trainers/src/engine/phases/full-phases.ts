import type { Encoder } from "@logq/encoders";
import type { Team } from "../../parallel/team.js";
import type { FullStep } from "../full-step.js";
import type { EngineParts } from "../parts.js";
import type { EncoderUpdate } from "./encoder-update.js";
import type { SharedPhases } from "./shared-phases.js";
import type { Step, StepPhases } from "./step.js";

/** The phases of a step over all classes: gather, rows, classes, fold and table; behind them what had to wait for the class gradients. */
export class FullPhases implements StepPhases {
  readonly #team: Team;
  readonly #lanes: number;
  readonly #clips: boolean;
  readonly #encoder: Encoder;
  readonly #full: FullStep;
  readonly #encoderUpdate: EncoderUpdate;
  readonly #shared: SharedPhases;

  constructor(
    { team, spec, layout, encoder }: EngineParts,
    full: FullStep,
    encoderUpdate: EncoderUpdate,
    shared: SharedPhases,
  ) {
    this.#team = team;
    this.#lanes = spec.table.lanes;
    this.#clips = layout.clip !== undefined;
    this.#encoder = encoder;
    this.#full = full;
    this.#encoderUpdate = encoderUpdate;
    this.#shared = shared;
  }

  run(of: Step): void {
    const team = this.#team;
    const full = this.#full;
    const { step, batch } = of;
    team.phase("gather", this.#encoder.prepareUnits, (unit) => this.#encoder.prepare(unit));
    team.phase("rows", full.rowUnits(batch), (unit) => full.row(unit, step, batch));
    team.phase("classes", this.#lanes, (unit) => full.classes(unit, batch));
    team.phase("fold", full.foldUnits(batch), (unit) => full.fold(unit, step, batch));
    this.#shared.requireFinite(step);
    // Clipped gradients wait for their norm, and the encoder waits for a dH that is filtered with the class gradients.
    const waits = this.#clips || full.filter !== undefined;
    this.#table(of, waits);
    if (waits) this.#updateWaiting(of);
    this.#shared.updateTemperature(batch, this.#lanes);
  }

  /** Class gradients, and every update that need not wait. The next batch is built while this longest phase runs. */
  #table(of: Step, waits: boolean): void {
    const full = this.#full;
    const { step, batch, ahead } = of;
    const lanes = this.#lanes;
    const builds = ahead?.units ?? 0;
    const encoder = this.#encoderUpdate.units(batch);
    const lane = full.filter ?? full.gradient;
    this.#team.phase("table", builds + lanes + (waits ? 0 : 1 + encoder), (unit) => {
      if (unit < builds) ahead!.run(unit, step + 1);
      else if (unit < builds + lanes) lane.lane(unit - builds, batch);
      else if (unit === builds + lanes) this.#shared.account(of, full.batchLoss(batch));
      else this.#encoderUpdate.update(unit - builds - lanes - 1, batch);
    });
  }

  #updateWaiting(of: Step): void {
    const team = this.#team;
    const full = this.#full;
    const { step, batch } = of;
    if (full.filter !== undefined) team.phase("hidden", full.rowUnits(batch), (unit) => full.hidden(unit, step, batch));
    const classes = this.#clips ? full.gradient.clippedUnits : 0;
    this.#shared.clip(batch, classes, (unit) => full.gradient.squares(unit), this.#lanes);
    team.phase("update", 1 + classes + this.#encoderUpdate.units(batch), (unit) => {
      if (unit === 0) this.#shared.account(of, full.batchLoss(batch));
      else if (unit <= classes) full.gradient.updateBlock(unit - 1);
      else this.#encoderUpdate.update(unit - 1 - classes, batch);
    });
  }
}
