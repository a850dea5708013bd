import { OptionError, requireNumber, requireOneOf, requirePositive } from "@logq/core";
import { ACCIDENTAL_HITS } from "@logq/samplers";
import { describeLoss } from "./loss-facts.js";
import { CORRECTIONS, LOSS_NAMES, type LossName, type LossSpec } from "./loss-spec.js";

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
      temperature: 1,
      labelSmoothing: 0,
      accidentalHits: tensorflow && name === "sampled-softmax" ? "remove" : facts.accidentalHits[0],
      exclude: "none",
      normalize: false,
      negativesPerLabel: 0,
    },
    replacement: !tensorflow,
  };
}

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
  return spec;
}

function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") refuse(`${name} must be true or false, not ${String(value)}`, { name, value });
}

function requireKnownCorrection({ name, correction, accidentalHits }: LossSpec): void {
  const { candidates, corrections } = describeLoss(name);
  if (!corrections.includes(correction)) {
    const why = candidates ? "" : ": it sums over every class, so there is nothing to correct";
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
  };
  const reason = why[name] ?? ": it draws no candidates, so there are no hits";
  refuse(`${name} takes accidentalHits ${allowed[0]}, not ${accidentalHits}${reason}`, { name, accidentalHits });
}

function requireKnownSmoothing({ name, labelSmoothing, exclude }: LossSpec): void {
  if (labelSmoothing === 0) return;
  if (labelSmoothing === 1) refuse("labelSmoothing must be below 1: at 1 the labels are gone", { labelSmoothing });
  const facts = describeLoss(name);
  if (!facts.labelSmoothing) {
    const why = facts.candidates
      ? "the share of the classes that were not drawn is unknown, and 1/S in its place is another loss"
      : "it is defined for a distribution over classes";
    refuse(`${name} takes no labelSmoothing: ${why}`, { name, labelSmoothing });
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

function refuse(message: string, values: Record<string, unknown>): never {
  throw new OptionError(message, values);
}
