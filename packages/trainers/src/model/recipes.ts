import { requireOneOf } from "@logq/core";
import { describeLoss } from "@logq/losses";
import type { TrainOptions } from "./options.js";

export const RECIPES = ["skipgram", "cbow"] as const;

/** A named set of defaults. Each of them can be overridden by the option that it is the default of. */
export type RecipeName = (typeof RECIPES)[number];

type Defaults = {
  -readonly [option in keyof Omit<TrainOptions, "recipe" | "backend" | "workers">]: TrainOptions[option];
};

/** What both have of word2vec (Mikolov et al. 2013): windows and words at random, sums at a rate that falls to 0, tables that start as there. */
function word2vec(dim: number): Defaults {
  return {
    encoder: "window",
    window: 5,
    dynamicWindow: true,
    subsample: 1e-4,
    withinLine: true,
    dim,
    sampler: "unigram",
    distortion: 0.75,
    batch: 256,
    negatives: 64,
    reduction: "sum",
    epochs: 5,
    schedule: { name: "linear" },
    classBias: "none",
    classScale: 0,
    embeddingScale: 0.5 / dim,
  };
}

/** What depends on the loss: word2vec's own counts negatives by label and keeps accidental hits. Sums of softmax gradients are too steep for plain SGD. */
function lossDefaults(loss: NonNullable<TrainOptions["loss"]>): Defaults {
  if (loss !== "negative-sampling") return { loss, optimizer: { name: "rowwise-adagrad", learningRate: 0.2 } };
  return {
    loss,
    negativesPerLabel: 5,
    accidentalHits: "keep",
    optimizer: { name: "sgd", learningRate: 0.05 },
  };
}

const RECIPE_DEFAULTS: Readonly<Record<RecipeName, Defaults>> = {
  skipgram: { contextMode: "neighbours" },
  cbow: { contextMode: "around", reduce: "sum" },
};

/**
 * Options with the defaults of their recipe. A default goes with the choice it belongs to: the recipe's learning rate is that of its optimizer, so it is
 * not taken over to another one, full losses take neither sampler nor negatives, and tied tables start as embeddings do.
 * @throws OptionError for a name that is none
 */
export function withRecipe(options: TrainOptions): TrainOptions {
  const { recipe, ...given } = options;
  if (recipe === undefined) return options;
  requireOneOf("recipe", recipe, RECIPES);
  const loss = given.loss ?? "negative-sampling";
  const defaults = { ...word2vec(given.dim ?? 128), ...lossDefaults(loss), ...RECIPE_DEFAULTS[recipe] };
  if (loss === "adaptive-softmax" || !describeLoss(loss)?.candidates)
    for (const name of ["sampler", "negatives"] as const) delete defaults[name];
  if (given.tied === true) delete defaults.classScale;
  const { optimizer } = defaults;
  const sameRule = given.optimizer?.name === undefined || given.optimizer.name === optimizer?.name;
  return {
    ...defaults,
    ...given,
    recipe,
    optimizer: { ...(sameRule ? optimizer : {}), ...given.optimizer },
    schedule: { ...defaults.schedule, ...given.schedule },
  };
}
