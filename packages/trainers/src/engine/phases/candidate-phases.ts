import type { Encoder } from "@logq/encoders";
import type { Address, Kernels } from "@logq/kernels";
import type { Team } from "../../parallel/team.js";
import type { BatchLayout } from "../batch-layout.js";
import type { CandidateStep } from "../candidate-step.js";
import type { ContextualDraws } from "../contextual-candidates.js";
import { type EngineLayout, FLAG } from "../layout.js";
import type { EngineParts } from "../parts.js";
import { type EngineSpec, UPDATE_BLOCK } from "../spec.js";
import type { TiedInputs } from "../tied-inputs.js";
import type { Updates } from "../updates.js";
import type { EncoderUpdate } from "./encoder-update.js";
import type { SharedPhases } from "./shared-phases.js";
import type { Step, StepPhases } from "./step.js";

/** What brings a step with candidates about, beside the engine's parts. */
export interface CandidateParts {
  readonly candidate: CandidateStep;
  /** A sampler that looks at hidden vectors. */
  readonly draws: ContextualDraws | undefined;
  readonly tied: TiedInputs | undefined;
  readonly updates: Updates;
  readonly encoderUpdate: EncoderUpdate;
  readonly shared: SharedPhases;
}

/** The phases of a step with candidates: gather, rows and table; before them, with a sampler that looks at hidden vectors, its draws. */
export class CandidatePhases implements StepPhases {
  readonly #team: Team;
  readonly #kernels: Kernels;
  readonly #spec: EngineSpec;
  readonly #layout: EngineLayout;
  readonly #encoder: Encoder;
  readonly #parts: CandidateParts;

  constructor({ team, kernels, spec, layout, encoder }: EngineParts, parts: CandidateParts) {
    this.#team = team;
    this.#kernels = kernels;
    this.#spec = spec;
    this.#layout = layout;
    this.#encoder = encoder;
    this.#parts = parts;
  }

  run(of: Step): void {
    const { candidate, draws, shared, encoderUpdate } = this.#parts;
    const { step, parity, batch, ahead, labels } = of;
    if (draws !== undefined) this.#drawByHidden(draws, of);
    this.#gather(of);
    if (labels !== undefined && shared.flags.isSet(FLAG.refused)) return;
    this.#team.phase("rows", candidate.rowUnits(batch), (unit) => candidate.row(unit, step, batch, parity));
    shared.requireFinite(step);
    const classes = candidate.classUnits(batch);
    shared.clip(batch, classes, (unit) => this.#classSquares(unit, batch), classes);
    const before = shared.housekeepingUnits(ahead);
    const encoder = encoderUpdate.units(batch);
    this.#team.phase("table", before + classes + encoder, (unit) => {
      if (unit < before) shared.housekeeping(unit, of, () => candidate.batchLoss(batch));
      else if (unit < before + classes) this.#classUpdate(unit - before, batch);
      else encoderUpdate.update(unit - before - classes, batch);
    });
    shared.updateTemperature(batch, classes);
  }

  /**
   * Candidates by hidden vectors: a share of the structure is brought up to date with the class table, which nobody writes now; then rows draw; then their
   * panel is made.
   */
  #drawByHidden(draws: ContextualDraws, { step, batch, builder }: Step): void {
    const team = this.#team;
    const { candidate } = this.#parts;
    const prepared = this.#encoder.prepareUnits;
    const { ids, logQ } = this.#layout.contextual!;
    team.phase("gather", prepared + draws.refreshUnits(step), (unit) => {
      if (unit < prepared) this.#encoder.prepare(unit);
      else draws.refresh(unit - prepared, step);
    });
    team.phase("draw", 1, () => draws.settle(step));
    team.phase("draw", candidate.rowUnits(batch), (unit) => candidate.draw(unit, step, batch, draws));
    team.phase("build", 1, () => builder.buildDrawn(step, batch, ids, logQ));
  }

  /**
   * Rows of the panel; with `labels`, their rows are known in the first unit only, which gathers them. Of tied tables one unit finds which of them are inputs
   * as well: both are known now, and the table phase asks.
   */
  #gather({ batch, parity, labels }: Step): void {
    const { candidate, draws, tied } = this.#parts;
    const prepared = draws === undefined ? this.#encoder.prepareUnits : 0;
    const known = candidate.candidateUnits(batch);
    const joins = tied === undefined ? 0 : 1;
    const first = joins + (labels === undefined ? 0 : 1);
    const units = labels === undefined ? candidate.gatherUnits(batch) : known;
    this.#team.phase("gather", first + prepared + units, (unit) => {
      if (unit < joins) tied!.join(batch);
      else if (unit < first) {
        labels!();
        for (let rest = known; rest < candidate.gatherUnits(batch); rest++) candidate.gather(rest, batch, parity);
      } else if (unit < first + prepared) this.#encoder.prepare(unit - first);
      else candidate.gather(unit - first - prepared, batch, parity);
    });
  }

  #classUpdate(unit: number, batch: BatchLayout): void {
    const { candidate, updates } = this.#parts;
    const { rows, bias } = this.#gradientPlace(unit);
    if (this.#layout.clip === undefined) candidate.classGradient(unit, batch, rows, bias);
    const count = candidate.classCount(unit, batch);
    const indices = batch.panelRows + 4 * UPDATE_BLOCK * unit;
    updates.classRows(indices, 0, count, rows);
    updates.classBias(indices, 0, count, bias);
  }

  /** Clipping: computes the gradients of a block of the panel and answers Σ of their squares. */
  #classSquares(unit: number, batch: BatchLayout): number {
    const { candidate } = this.#parts;
    const { ld, D } = this.#spec.table;
    const kernel = this.#kernels.rows;
    const { rows, bias } = this.#gradientPlace(unit);
    candidate.classGradient(unit, batch, rows, bias);
    const count = candidate.classCount(unit, batch);
    const ofBias = this.#spec.bias ? kernel.sumOfSquares(bias, 1, count, 1) : 0;
    return kernel.sumOfSquares(rows, ld, count, D) + ofBias;
  }

  /** Where a unit's class gradients go: the worker's scratch, or, when clipping, a place of their own. */
  #gradientPlace(unit: number): { rows: Address; bias: Address } {
    if (this.#layout.clip === undefined) {
      const { scratchGradient, scratchBiasGradient } = this.#parts.candidate;
      return { rows: scratchGradient, bias: scratchBiasGradient };
    }
    const { gradient, biasGradient } = this.#layout.candidate!;
    const first = UPDATE_BLOCK * unit;
    return { rows: gradient + 4 * this.#spec.table.ld * first, bias: biasGradient + 4 * first };
  }
}
