import { OptionError, requireNumber, requireOneOf, requirePositive } from "@logq/core";
import { ACCIDENTAL_HITS } from "@logq/samplers";
import { describeLoss } from "./loss-facts.js";
import { CORRECTIONS, LABEL_MASSES, LOSS_NAMES, type LossName, type LossSpec, MARGIN_KINDS } from "./loss-spec.js";

/** A loss with its usual options, and the way of drawing that belongs to them. */
export interface LossDefaults {
  readonly spec: LossSpec;
  /** Whether candidates are drawn with replacement. Losses without candidates: true, and without meaning. */
  readonly replacement: boolean;
}

/**
 * The usual options of a loss. `like: "tensorflow"` gives those of tf.nn.sampled_softmax_loss and tf.nn.nce_loss: unique draws,
 * and accidental hits removed by the former. Throws OptionError for a name that is none.
 */
export function lossDefaults(name: LossName, { like }: { like?: "tensorflow" } = {}): LossDefaults {
  requireOneOf("loss", name, LOSS_NAMES);
  if (like !== undefined) requireOneOf("like", like, ["tensorflow"]);
  const facts = describeLoss(name);
  const tensorflow = like === "tensorflow" && facts.candidates;
  return {
    spec: {
      name,
      correction: facts.corrections[0],
      temperature: name === "margin" || name === "sampled-margin" ? MARGIN_TEMPERATURE : 1,
      labelSmoothing: 0,
      accidentalHits: tensorflow && name === "sampled-softmax" ? "remove" : facts.accidentalHits[0],
      exclude: "none",
      normalize: facts.cosines,
      negativesPerLabel: 0,
      ...LOSS_OPTIONS,
    },
    replacement: facts.replacement && !tensorflow,
  };
}

/** Of margins: a scale of 64, that of CosFace and ArcFace. Between cosines themselves a softmax can tell little. */
const MARGIN_TEMPERATURE = 1 / 64;

/** Options of single losses. Other losses have them as well, at these values. */
const LOSS_OPTIONS = {
  zLoss: 0,
  softCap: 0,
  labelMass: "target",
  calibration: 0.75,
  negativeWeight: 150,
  negativeMargin: 0.4,
  marginKind: "cosine",
  margin: 0.35,
} as const;

/** Which losses take which of them. */
const OWNERS: { readonly [option in keyof typeof LOSS_OPTIONS]: readonly LossName[] } = {
  zLoss: ["full-softmax", "sampled-softmax", "margin", "sampled-margin"],
  softCap: ["full-softmax", "sampled-softmax"],
  labelMass: ["one-vs-all", "sampled-one-vs-all"],
  calibration: ["gbce"],
  negativeWeight: ["ccl"],
  negativeMargin: ["ccl"],
  marginKind: ["margin", "sampled-margin"],
  margin: ["margin", "sampled-margin"],
};

/** Answers `spec` if it makes sense as a whole; else throws OptionError that says which option contradicts what, and why. */
export function validateLossSpec(spec: LossSpec): LossSpec {
  requireOneOf("loss", spec.name, LOSS_NAMES);
  requireOneOf("correction", spec.correction, CORRECTIONS);
  requirePositive("temperature", spec.temperature);
  requireNumber("labelSmoothing", spec.labelSmoothing, 0, 1);
  requireOneOf("accidentalHits", spec.accidentalHits, ACCIDENTAL_HITS);
  requireOneOf("exclude", spec.exclude, ["none", "seen"]);
  requireBoolean("normalize", spec.normalize);
  requireKnownCorrection(spec);
  requireKnownHits(spec);
  requireKnownSmoothing(spec);
  requireKnownFactor(spec);
  requireCosines(spec);
  requireTree(spec);
  requireOwnOptions(spec);
  return spec;
}

function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") refuse(`${name} must be true or false, not ${String(value)}`, { name, value });
}

function requireKnownCorrection({ name, correction, accidentalHits }: LossSpec): void {
  const { candidates, corrections } = describeLoss(name);
  if (!corrections.includes(correction)) {
    const why = candidates ? "" : ": it draws no candidates, so there is nothing to correct";
    refuse(`${name} takes correction ${corrections.join(" or ")}, not ${correction}${why}`, { name, correction });
  }
  if (correction === "partition" && accidentalHits === "keep") {
    const why = "it would count the label twice, once as itself and once by its draws";
    refuse(`correction partition needs accidentalHits remove: ${why}`, { correction, accidentalHits });
  }
}

function requireKnownHits({ name, accidentalHits }: LossSpec): void {
  const allowed = describeLoss(name).accidentalHits;
  if (allowed.includes(accidentalHits)) return;
  const why: { readonly [other in LossName]?: string } = {
    nce: "; with hits removed it is sampled-logistic, another loss with another optimum",
    "sampled-logistic": "; with hits kept it is nce, another loss with another optimum",
    "sampled-one-vs-all": ": a label of the row is not one of its negatives",
    warp: ": a label of the row is not one of its negatives",
    "sampled-margin": ": a label of the row is not one of the others that it must stand above",
  };
  const reason = why[name] ?? ": it draws no candidates, so there are no hits";
  refuse(`${name} takes accidentalHits ${allowed[0]}, not ${accidentalHits}${reason}`, { name, accidentalHits });
}

function requireKnownSmoothing(spec: LossSpec): void {
  const { name, labelSmoothing, exclude, correction, accidentalHits } = spec;
  if (labelSmoothing === 0) return;
  if (labelSmoothing === 1) refuse("labelSmoothing must be below 1: at 1 the labels are gone", { labelSmoothing });
  const facts = describeLoss(name);
  if (!facts.labelSmoothing) {
    const why = facts.candidates
      ? "the share of the classes that were not drawn is unknown, and 1/S in its place is another loss"
      : facts.kind === "tree"
        ? "every class would have to be decided for, and its cost is that of one path"
        : "it is defined for a distribution over classes";
    refuse(`${name} takes no labelSmoothing: ${why}`, { name, labelSmoothing });
  }
  if (facts.candidates && (correction !== "importance" || accidentalHits !== "keep")) {
    const why = "the mean of all logits is estimated by the draws, 1/Q each and hits among them, never by 1/S";
    refuse(`labelSmoothing of ${name} needs correction importance and accidentalHits keep: ${why}`, {
      name,
      labelSmoothing,
      correction,
      accidentalHits,
    });
  }
  if (exclude !== "none") {
    refuse("labelSmoothing spreads over every class, so it cannot be combined with exclude", {
      labelSmoothing,
      exclude,
    });
  }
}

function requireKnownFactor({ name, negativesPerLabel }: LossSpec): void {
  requireNumber("negativesPerLabel", negativesPerLabel, 0);
  if (negativesPerLabel === 0 || name === "negative-sampling") return;
  refuse(`${name} counts each draw once: negativesPerLabel is an option of negative-sampling`, {
    name,
    negativesPerLabel,
  });
}

/** What is said of cosines is wrong of anything else. */
function requireCosines({ name, normalize, temperature }: LossSpec): void {
  if (!describeLoss(name).cosines) return;
  if (!normalize) refuse(`${name} is defined on cosines: it needs normalize`, { name, normalize });
  if (name === "ccl" && temperature !== 1) {
    refuse("ccl compares cosines with 1 and with its margin: temperature must be 1", { name, temperature });
  }
}

/** What options of logits of classes would mean where there are none. */
function requireTree({ name, normalize, exclude }: LossSpec): void {
  if (describeLoss(name).kind !== "tree") return;
  if (normalize)
    refuse(`${name} takes no normalize: its rows are decisions, and no class has a cosine`, { name, normalize });
  if (exclude !== "none") {
    refuse(`${name} takes no exclude: what a class is left out of is every decision above it`, { name, exclude });
  }
}

function requireOwnOptions(spec: LossSpec): void {
  requireNumber("zLoss", spec.zLoss, 0);
  requireNumber("softCap", spec.softCap, 0);
  if (spec.softCap > 0 && spec.labelSmoothing > 0) {
    refuse("softCap and labelSmoothing cannot be combined: what smoothing gives would depend on every logit", {
      softCap: spec.softCap,
      labelSmoothing: spec.labelSmoothing,
    });
  }
  requireOneOf("labelMass", spec.labelMass, LABEL_MASSES);
  requireNumber("calibration", spec.calibration, 0, 1);
  requireNumber("negativeWeight", spec.negativeWeight, 0);
  requireNumber("negativeMargin", spec.negativeMargin, -1, 1);
  requireOneOf("marginKind", spec.marginKind, MARGIN_KINDS);
  requireNumber("margin", spec.margin, 0, 2);
  for (const option of Object.keys(OWNERS) as (keyof typeof OWNERS)[]) {
    if (spec[option] === LOSS_OPTIONS[option] || OWNERS[option].includes(spec.name)) continue;
    refuse(`${option} is an option of ${OWNERS[option].join(", ")}, not of ${spec.name}`, {
      name: spec.name,
      [option]: spec[option],
    });
  }
}

function refuse(message: string, values: Record<string, unknown>): never {
  throw new OptionError(message, values);
}
