import type { Encoder } from "@logq/encoders";
import type { Team } from "../../parallel/team.js";
import type { AdaptiveStep } from "../adaptive/adaptive-step.js";
import type { EngineParts } from "../parts.js";
import type { EncoderUpdate } from "./encoder-update.js";
import type { SharedPhases } from "./shared-phases.js";
import type { Step, StepPhases } from "./step.js";

/** No temperature of an adaptive softmax is learned. */
const NO_PARTS = 0;

/** The phases of a step of an adaptive softmax: gather, rows, classes, fold and table. */
export class AdaptivePhases implements StepPhases {
  readonly #team: Team;
  readonly #clips: boolean;
  readonly #encoder: Encoder;
  readonly #adaptive: AdaptiveStep;
  readonly #encoderUpdate: EncoderUpdate;
  readonly #shared: SharedPhases;

  constructor(
    { team, layout, encoder }: EngineParts,
    adaptive: AdaptiveStep,
    encoderUpdate: EncoderUpdate,
    shared: SharedPhases,
  ) {
    this.#team = team;
    this.#clips = layout.clip !== undefined;
    this.#encoder = encoder;
    this.#adaptive = adaptive;
    this.#encoderUpdate = encoderUpdate;
    this.#shared = shared;
  }

  run(of: Step): void {
    const adaptive = this.#adaptive;
    const { step, batch } = of;
    this.#forwardAndBack(of);
    this.#shared.requireFinite(step);
    const classes = adaptive.gradientUnits;
    this.#shared.clip(batch, classes, (unit) => adaptive.gradient(unit, step), NO_PARTS);
    const before = this.#shared.housekeepingUnits(of.ahead);
    const encoder = this.#encoderUpdate.units(batch);
    this.#team.phase("table", before + classes + encoder, (unit) => {
      if (unit < before) this.#shared.housekeeping(unit, of, () => adaptive.batchLoss());
      else if (unit >= before + classes) this.#encoderUpdate.update(unit - before - classes, batch);
      else if (this.#clips) adaptive.update(unit - before, step);
      else adaptive.gradient(unit - before, step);
    });
  }

  /** As far as the gradients of what the encoder has computed. */
  #forwardAndBack({ step, batch }: Step): void {
    const team = this.#team;
    const adaptive = this.#adaptive;
    team.phase("gather", 1 + this.#encoder.prepareUnits, (unit) => {
      if (unit === 0) adaptive.route(batch);
      else this.#encoder.prepare(unit - 1);
    });
    team.phase("rows", adaptive.rowUnits(batch), (unit) => adaptive.row(unit, step, batch));
    team.phase("classes", adaptive.clusterUnits, (unit) => adaptive.cluster(unit));
    team.phase("fold", adaptive.rowUnits(batch), (unit) => adaptive.fold(unit, step, batch));
  }
}
