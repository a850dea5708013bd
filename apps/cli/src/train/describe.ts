import { type Backend, describeBackend } from "@logq/blas";
import { describeLoss, type LossSpec, meanPathLength } from "@logq/losses";
import { bringsTargets, drawsWithReplacement, isPool, lossNameOf, type RunOptions, type Trainer } from "@logq/trainers";
import { bytes, columns, count, counted } from "../base/format.js";

/** How to have another back-end than the one that was found. */
const OVERRIDES: Readonly<Record<Backend["name"], string | undefined>> = {
  native: "another: --backend blas or wasm, LOGQ_NATIVE=avx2",
  blas: "another: --backend wasm, LOGQ_BLAS=<library>, LOGQ_BLAS_CORE=<OpenBLAS core type>",
  wasm: undefined,
  reference: undefined,
};

/** What is about to be trained, with every default filled in: one short block. */
export function describeRun(trainer: Trainer): string {
  const { options, dataset, shape, stepsPerEpoch, totalSteps, workers, host } = trainer;
  const { scratch, state } = stateAndScratch(trainer);
  const { optimizer, schedule } = options;
  const tables = options.tableType === "float32" ? "tables" : `tables of ${options.tableType}`;
  const products = options.products === "float32" ? "" : `, products in ${options.products}`;
  const banks = trainer.host.layout.banks.length;
  const memories = banks === 0 ? "" : `, in ${banks + 1} memories`;
  const clip = optimizer.clipNorm > 0 ? `, clipped to norm ${optimizer.clipNorm}` : "";
  const decay = optimizer.weightDecay > 0 ? `, weight decay ${optimizer.weightDecay}` : "";
  const warmup = schedule.warmupSteps > 0 ? ` after ${counted(schedule.warmupSteps, "warm-up step")}` : "";
  return columns([
    [
      "data",
      `${dataset.kind}, ${counted(shape.classes, "class", "classes")}, ${counted(trainer.examples, "training example")}`,
    ],
    ["encoder", describeEncoder(options, shape.encoder.vocabulary)],
    ["loss", describeLossOptions(options) + describeClusters(trainer) + describeTree(trainer)],
    ["sampler", describeSampler(options)],
    ["optimizer", `${optimizer.name}, rate ${optimizer.learningRate}, ${schedule.name}${warmup}${decay}${clip}`],
    ["steps", `${count(stepsPerEpoch)} an epoch, ${count(totalSteps)} in all, of ${counted(options.batch, "example")}`],
    ["machine", `back-end ${describeBackend(host.backend)}${products}, ${counted(workers, "worker")}`],
    ...overrides(host.backend.name),
    [
      "memory",
      `${tables} ${bytes(trainer.tableBytes)}, optimizer state ${bytes(state)}, scratch ${bytes(scratch)}${memories}`,
    ],
  ]);
}

function overrides(name: Backend["name"]): [string, string][] {
  const line = OVERRIDES[name];
  return line === undefined ? [] : [["", line]];
}

/** Bytes of the optimizer's memory, and of everything that is neither that nor a table. */
function stateAndScratch(trainer: Trainer): { state: number; scratch: number } {
  const { regions, bytes: total } = trainer.host.layout;
  const state = regions
    .filter(({ name }) => name.endsWith(".state") || name.endsWith(".secondState"))
    .reduce((sum, region) => sum + region.bytes, 0);
  return { state, scratch: total - trainer.tableBytes - state };
}

function describeEncoder(options: RunOptions, vocabulary: number): string {
  const { encoder, window, contextMode, hidden, embedding, reduce, activation, dim, dropout, withinLine } = options;
  const each = `${embedding} wide${options.tied ? ", in one table with the classes" : ""}`;
  const inputs = {
    user: `a row for each of ${counted(vocabulary, "user")}, ${each}`,
    history: `${reduce} of up to ${counted(window, "earlier item")}, ${each}`,
    window: describeWindow(window, contextMode, hidden.length > 0, reduce, each) + describeWalk(options),
    features: `weighted ${reduce} of ${counted(vocabulary, "feature")}, ${each}`,
    context: `a row for each of ${counted(vocabulary, "context")}, ${each}`,
  }[encoder];
  const layers = hidden.length > 0 ? `, ${activation} layers ${hidden.join(", ")}` : "";
  const rows = options.examples === "users" ? ", all the user's items at once" : "";
  const last = (hidden.at(-1) ?? embedding) === dim && encoder !== "window" ? "" : `, D ${dim}`;
  const lines = withinLine ? ", within lines" : "";
  return `${encoder}: ${inputs}${rows}${lines}${layers}${last}${dropout > 0 ? `, dropout ${dropout}` : ""}`;
}

function describeWindow(window: number, mode: string, concat: boolean, reduce: string, each: string): string {
  if (concat) return `${counted(window, "previous word")} side by side, ${each}`;
  if (mode === "neighbours") return `a word and the ${window} on each side, ${each}`;
  if (mode === "pair") return `one of the ${window} words on each side at a time, ${each}`;
  return `${reduce} of the ${counted(window, mode === "around" ? "word" : "previous word")}${mode === "around" ? " on each side" : ""}, ${each}`;
}

function describeWalk({ dynamicWindow, subsample }: RunOptions): string {
  return `${dynamicWindow ? ", windows of random width" : ""}${subsample > 0 ? `, subsampled at ${subsample}` : ""}`;
}

/** An adaptive softmax's tails: where each begins, and how wide its rows are. */
function describeClusters({ host }: Trainer): string {
  const { adaptive } = host.spec;
  if (adaptive === undefined) return "";
  const { h, tails } = adaptive;
  const list = tails.map(({ first, width }) => `from ${count(first)} on ${width} wide`);
  return `, head of ${counted(h, "class", "classes")}${list.length > 0 ? `, tails ${list.join(", ")}` : ""}`;
}

function describeLossOptions(options: RunOptions): string {
  const { correction, accidentalHits, exclude, temperature, labelSmoothing, normalize } = options.loss;
  const parts: string[] = [lossNameOf(options)];
  if (options.sampler !== undefined) {
    parts.push(
      correction === "none" ? "no correction" : `${correction} correction`,
      `accidental hits ${accidentalHits === "keep" ? "kept" : "removed"}`,
    );
  }
  if (exclude === "seen") parts.push("seen classes left out");
  if (options.learnTemperature) parts.push(`temperature learned from ${temperature}`);
  else if (temperature !== 1) parts.push(`temperature ${temperature}`);
  if (labelSmoothing > 0) parts.push(`label smoothing ${labelSmoothing}`);
  if (normalize) parts.push("cosine logits");
  if (options.loss.zLoss > 0) parts.push(`z-loss ${options.loss.zLoss}`);
  if (options.loss.softCap > 0) parts.push(`logits capped at ${options.loss.softCap}`);
  parts.push(...describeWeights(options), ...ownOptions(options.loss));
  if (options.gradientFilter > 0)
    parts.push(`gradients may leave out ${options.gradientFilter} of a row's probability`);
  parts.push(options.classBias === "none" ? "no class bias" : `class bias from ${options.classBias}`);
  return parts.join(", ");
}

/** How often labels count in training, where that differs. */
function describeWeights({ classWeights, propensities }: RunOptions): string[] {
  const parts: string[] = [];
  if (classWeights?.kind === "given") parts.push("class weights as given");
  if (classWeights?.kind === "inverse-frequency") parts.push(`class weights 1/frequency^${classWeights.power}`);
  if (classWeights?.kind === "effective-number")
    parts.push(`class weights by effective number, beta ${classWeights.beta}`);
  if (propensities?.kind === "given") parts.push("propensities as given");
  if (propensities?.kind === "counts") parts.push(`propensities by A ${propensities.A}, B ${propensities.B}`);
  return parts;
}

/** Options that single losses have. */
function ownOptions({ name, calibration, negativeWeight, negativeMargin, marginKind, margin }: LossSpec): string[] {
  if (name === "gbce") return [`calibration ${calibration}`];
  if (name === "ccl") return [`negatives weigh ${negativeWeight}`, `negative margin ${negativeMargin}`];
  if (name === "margin" || name === "sampled-margin") return [`${marginKind} margin ${margin}`];
  return [];
}

function describeTree({ shape, options, dataset }: Trainer): string {
  if (shape.tree === undefined) return "";
  const decisions = meanPathLength(shape.tree, dataset.classes.counts).toFixed(1);
  return `, a tree by ${options.tree}: ${decisions} decisions a label on average, ${shape.tree.depth} at most`;
}

function describeSampler({ sampler, negatives, candidates, loss, adaptive }: RunOptions): string {
  if (adaptive !== undefined) return "none: the head is looked at, and the tails of the labels";
  if (describeLoss(loss.name).kind === "tree") return "none: a label is decided for on its path";
  if (sampler === undefined) return "none: every class is looked at";
  const power = sampler.name === "unigram" && sampler.distortion !== 1 ? `^${sampler.distortion}` : "";
  const per = candidates === "row" ? "row" : "batch";
  const counting = loss.negativesPerLabel > 0 ? ` counted as ${loss.negativesPerLabel} a label` : "";
  const replacement = drawsWithReplacement(sampler) ? "with" : "without";
  if (isPool(sampler)) {
    const law = sampler.law?.name ?? "unigram, or uniform where nothing was counted";
    const pool = sampler.pool ?? 4 * negatives;
    return `${sampler.name}: each row takes ${count(negatives)} of a pool of ${count(pool)}, drawn by ${law}`;
  }
  const drawn = `${counted(negatives, "candidate")} a ${per}${counting}, ${replacement} replacement`;
  if (!bringsTargets(sampler.name)) return `${sampler.name}${power}, ${drawn}`;
  const ring = sampler.name === "cross-batch" ? " and those of earlier ones" : "";
  return `${sampler.name}: the labels of the batch${ring}${sampler.name === "mixed" ? `, and ${drawn}` : ""}`;
}
