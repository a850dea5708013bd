import type { Encoder } from "@logq/encoders";
import type { Team } from "../../parallel/team.js";
import { AdaptiveStep } from "../adaptive/adaptive-step.js";
import { CandidateStep } from "../candidate-step.js";
import { ContextualDraws } from "../contextual-candidates.js";
import type { Flags } from "../flags.js";
import { FullStep } from "../full-step.js";
import { type EngineParts, openFullWalk } from "../parts.js";
import { trainingKernels } from "../products.js";
import type { Temperature } from "../temperature.js";
import { TiedInputs } from "../tied-inputs.js";
import { Updates } from "../updates.js";
import { AdaptivePhases } from "./adaptive-phases.js";
import { CandidatePhases } from "./candidate-phases.js";
import { EncoderUpdate } from "./encoder-update.js";
import { FullPhases } from "./full-phases.js";
import { SharedPhases } from "./shared-phases.js";
import type { Step, StepPhases } from "./step.js";

/** The training steps of one thread, of the kind that the spec names. */
export class TrainingSteps {
  readonly #team: Team;
  readonly #encoder: Encoder;
  readonly #temperature: Temperature;
  readonly #tied: TiedInputs | undefined;
  readonly #updates: Updates;
  readonly #draws: ContextualDraws | undefined;
  readonly #shared: SharedPhases;
  readonly #phases: StepPhases;

  constructor(parts: EngineParts) {
    const { team, kernels, spec, layout, encoder, tables, temperature } = parts;
    this.#team = team;
    this.#encoder = encoder;
    this.#temperature = temperature;
    this.#tied = layout.tied === undefined ? undefined : new TiedInputs(kernels.memory, layout.tied);
    this.#updates = new Updates(kernels, spec, layout, encoder, tables);
    if (spec.training!.candidates?.contextual !== undefined)
      this.#draws = new ContextualDraws(kernels, spec, layout, tables.classes, team.index);
    const encoderUpdate = new EncoderUpdate(parts, this.#updates, this.#tied);
    this.#shared = new SharedPhases(parts, this.#updates, encoderUpdate);
    this.#phases = this.#phasesOf(parts, encoderUpdate);
  }

  #phasesOf(parts: EngineParts, encoderUpdate: EncoderUpdate): StepPhases {
    const { kernels, spec, layout, encoder, tables, temperature, scratch, clusters } = parts;
    const updates = this.#updates;
    const shared = this.#shared;
    const training = trainingKernels(kernels, spec);
    if (clusters !== undefined) {
      const adaptive = new AdaptiveStep(training, spec, layout, encoder, updates, clusters);
      return new AdaptivePhases(parts, adaptive, encoderUpdate, shared);
    }
    const { classes } = tables;
    if (spec.training!.candidates === undefined) {
      const walk = openFullWalk(parts, training, layout.full.training!.tile);
      const full = new FullStep(training, spec, layout, encoder, walk, updates, classes);
      return new FullPhases(parts, full, encoderUpdate, shared);
    }
    const candidate = new CandidateStep(training, spec, layout, encoder, classes, scratch, temperature);
    const [draws, tied] = [this.#draws, this.#tied];
    return new CandidatePhases(parts, { candidate, draws, tied, updates, encoderUpdate, shared });
  }

  get flags(): Flags {
    return this.#shared.flags;
  }

  /** Once before the steps of a command: a sampler that looks at hidden vectors needs its structure: one unit, which finds it built from the second command on. */
  begin(): void {
    const draws = this.#draws;
    if (draws !== undefined) this.#team.phase("draw", 1, () => draws.build());
  }

  run(of: Step): void {
    const shared = this.#shared;
    const { step, batch, ahead } = of;
    const rows = shared.batchRows(batch);
    if (rows === 0) {
      // Nothing is left of this stretch of text: no table is touched.
      const units = shared.housekeepingUnits(ahead);
      this.#team.phase("table", units, (unit) => shared.housekeeping(unit, of, () => 0));
      return;
    }
    this.#encoder.setBatchRows(rows);
    this.#encoder.setInput(batch.input);
    this.#encoder.setSegments(this.#tied?.segments ?? batch.segments);
    this.#updates.setStep(step);
    this.#temperature.refresh();
    this.#phases.run(of);
  }
}
