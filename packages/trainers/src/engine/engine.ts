import type { Kernels } from "@logq/kernels";
import { sharesMass } from "@logq/losses";
import type { Program } from "../parallel/crew.js";
import type { Activity } from "../parallel/profile.js";
import type { Team } from "../parallel/team.js";
import { createSource } from "../sources/create.js";
import { EpochOrder, SequentialOrder } from "../sources/order.js";
import type { Source } from "../sources/source.js";
import { AdaptiveEvaluation } from "./adaptive/adaptive-evaluation.js";
import { BatchBuilder, type MassRule } from "./batch-builder.js";
import type { EngineCommand, EvaluateCommand, TrainCommand } from "./commands.js";
import type { EngineInput } from "./engine-input.js";
import { Evaluation } from "./evaluation.js";
import { tileShape } from "./full-space.js";
import { initialiseAll } from "./initialise.js";
import { type EngineLayout, FLAG, NEXT_STEP } from "./layout.js";
import { type EngineParts, openFullWalk, openParts } from "./parts.js";
import { PathEvaluation } from "./path-evaluation.js";
import type { Ahead, Step } from "./phases/step.js";
import { TrainingSteps } from "./phases/training-steps.js";
import type { EngineSpec } from "./spec.js";

const NONE = new Int32Array(0);
const NO_SOURCE = createSource({ kind: "pair", inputs: NONE, targets: NONE });
const NO_ORDER = new SequentialOrder(0, 0, 0, 1);

const ACTIVITY_OF: Readonly<Record<EngineCommand["type"], Activity>> = {
  initialise: "start",
  train: "training",
  step: "training",
  evaluate: "evaluation",
};

/**
 * The program that every member of a crew runs. Between two barriers a member claims units; what a unit computes depends on the spec and
 * the step alone, so a run has the same bits for any number of members.
 */
export class Engine implements Program<EngineCommand> {
  readonly kernels: Kernels;
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  readonly #team: Team;
  readonly #parts: EngineParts;
  readonly #evaluation: Evaluation | AdaptiveEvaluation;
  /** undefined: this engine only evaluates. */
  readonly #steps: TrainingSteps | undefined;
  readonly #sources = new Map<string, Source>();
  /** Of steps whose batch the caller writes. */
  #givenBuilder: BatchBuilder | undefined;

  constructor(input: EngineInput, team: Team) {
    const parts = openParts(input, team);
    this.kernels = parts.kernels;
    this.spec = parts.spec;
    this.layout = parts.layout;
    this.#team = team;
    this.#parts = parts;
    this.#evaluation = openEvaluation(parts);
    if (parts.spec.training !== undefined) this.#steps = new TrainingSteps(parts);
  }

  execute(command: EngineCommand, stopRequested: () => boolean): void {
    this.#team.profile.enter(ACTIVITY_OF[command.type]);
    switch (command.type) {
      case "initialise":
        initialiseAll(this.#team, [this.kernels, ...this.#parts.banks], this.spec, this.layout, command.scale);
        return;
      case "train":
        this.#train(command, stopRequested);
        return;
      case "step":
        this.#givenStep(stopRequested);
        return;
      case "evaluate":
        this.#evaluate(command);
    }
  }

  #source(name: string): Source {
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = createSource(this.spec.sources[name]!);
      this.#sources.set(name, source);
    }
    return source;
  }

  #train({ first, count }: TrainCommand, stopRequested: () => boolean): void {
    const { spec } = this;
    const source = this.#source("train");
    const { B } = spec.training!;
    const scratch = { kernels: this.kernels, address: this.#parts.scratch };
    const epochs = () => ({ source, order: new EpochOrder(source.examples, B, spec.key, scratch) });
    const rows = source.training?.(B, spec.key) ?? epochs();
    const mass: MassRule = sharesMass(spec.training!.loss.name) ? "shared" : "each";
    const { labelFactors } = spec.training!;
    const builder = new BatchBuilder(
      this.kernels,
      spec,
      rows.source,
      rows.order,
      this.layout.builder,
      mass,
      labelFactors,
    );
    const ahead: Ahead = { units: 2, run: (unit, step) => this.#build(unit, step, builder) };
    // A sampler that learns has seen the targets of all steps that were done when a command ends, and of no other.
    const learns = spec.training!.candidates?.stateful !== undefined;
    const last: Ahead | undefined = learns
      ? { units: 1, run: (_, step) => builder.observe(step - 1, this.layout.batches[(step - 1) & 1]) }
      : undefined;
    this.#team.phase("build", ahead.units, (unit) => ahead.run(unit, first));
    const steps = this.#steps!;
    steps.begin();
    for (let step = first; step < first + count; step++) {
      const next = step + 1 < first + count ? ahead : last;
      steps.run({ ...this.#batchOf(step), builder, ahead: next, labels: undefined, stopRequested });
      if (steps.flags.isSet(FLAG.stop)) return;
    }
  }

  #givenStep(stopRequested: () => boolean): void {
    const { layout } = this;
    const { f64 } = this.kernels.memory;
    const step = f64[(layout.nextStep >>> 3) + NEXT_STEP.step];
    const given = f64[(layout.nextStep >>> 3) + NEXT_STEP.given];
    const steps = this.#steps!;
    const at = this.#batchOf(step);
    const { batch } = at;
    this.#givenBuilder ??= new BatchBuilder(this.kernels, this.spec, NO_SOURCE, NO_ORDER, layout.builder, "each");
    const builder = this.#givenBuilder;
    const draw = given === 0 ? undefined : { ids: layout.givenIds, logQ: layout.givenLogQ, S: given };
    const labels = () => this.#team.profile.within("build", () => builder.buildLabels(step, batch, given > 0));
    // Shared candidates come first, and may have been drawn in the last step already: labels join them while they are gathered.
    const shared = this.spec.training!.candidates?.per === "batch";
    if (draw !== undefined || !builder.hasDrawn(step, batch)) {
      this.#team.phase("build", 1, () => {
        if (step > 0) builder.observe(step - 1, layout.batches[(step - 1) & 1]);
        builder.buildCandidates(step, batch, draw);
        if (!shared) builder.buildLabels(step, batch, false);
      });
      if (steps.flags.isSet(FLAG.refused)) return;
    }
    const ahead = draw === undefined && builder.drawsAhead ? this.#drawAhead : undefined;
    steps.begin();
    steps.run({ ...at, builder, ahead, labels: shared ? labels : undefined, stopRequested });
  }

  /** A caller who lets the layer draw will do so again. */
  readonly #drawAhead: Ahead = {
    units: 1,
    run: (_, step) => {
      const batch = this.layout.batches[step & 1];
      this.#team.profile.within("build", () => this.#givenBuilder!.drawAhead(step, batch));
    },
  };

  /** The two units that build the batch of `step`. */
  #build(unit: number, step: number, builder: BatchBuilder): void {
    const batch = this.layout.batches[step & 1];
    this.#team.profile.within("build", () => {
      if (unit === 0 && step > 0) builder.observe(step - 1, this.layout.batches[(step - 1) & 1]);
      if (unit === 0) builder.buildTargets(step, batch);
      else builder.buildInputs(step, batch);
    });
  }

  #batchOf(step: number): Pick<Step, "step" | "parity" | "batch"> {
    const parity = step & 1;
    return { step, parity, batch: this.layout.batches[parity] };
  }

  #evaluate(command: EvaluateCommand): void {
    const { goals } = command;
    const team = this.#team;
    const { encoder, temperature } = this.#parts;
    const source = command.list === undefined ? this.#source(command.source) : createSource(command.list);
    const { evaluationRows } = this.spec;
    const order = new SequentialOrder(source.examples, command.first, command.count, evaluationRows, command.key);
    const builder = new BatchBuilder(this.kernels, this.spec, source, order, this.layout.builder, "each");
    encoder.setInput(this.layout.evaluationBatch.input);
    temperature.refresh();
    const evaluation = this.#evaluation;
    for (let batch = command.batch; batch < command.batch + command.batches; batch++) {
      team.phase("build", 1 + encoder.evaluationPrepareUnits, (unit) => {
        if (unit === 0) evaluation.build(batch, builder, order, goals);
        else encoder.prepare(unit - 1);
      });
      encoder.setBatchRows(evaluation.rowsOfBatch);
      team.phase("rows", evaluation.rowUnits(), (unit) => evaluation.row(unit, goals));
      team.phase("classes", evaluation.classUnits(goals), (unit) => evaluation.classes(unit, goals));
      team.phase("rank", evaluation.foldUnits(), (unit) => evaluation.fold(unit, goals));
      if (goals.loss) team.phase("fold", 1, () => evaluation.account());
    }
  }
}

function openEvaluation(parts: EngineParts): Evaluation | AdaptiveEvaluation {
  const { kernels, spec, layout, encoder, tables, clusters } = parts;
  if (clusters !== undefined) return new AdaptiveEvaluation(kernels, spec, layout, encoder, clusters);
  const walk = openFullWalk(parts, kernels, tileShape(spec.evaluationRows));
  return spec.tree === undefined
    ? new Evaluation(kernels, spec, layout, walk)
    : new PathEvaluation(kernels, spec, layout, walk, tables.classes, spec.tree);
}
