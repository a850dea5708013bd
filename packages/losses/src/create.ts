import { requireInteger } from "@logq/core";
import type { Kernels } from "@logq/kernels";
import { labelFactor } from "./counts.js";
import { pathLoss } from "./hierarchical/path-loss.js";
import { CLASSIFIER_TERM, CORRECTION_TERM, INDICATOR_TERM, WEIGHTED_TERM } from "./label-terms.js";
import { validateLossSpec } from "./loss-options.js";
import type { LossSpec } from "./loss-spec.js";
import { labelMargin } from "./margin.js";
import { fullSoftmaxLoss, sampledSoftmaxLoss } from "./normalised-loss.js";
import { rankingLoss } from "./ranking-loss.js";
import { contrastiveLoss, logisticLoss } from "./separable-loss.js";
import type { TileLoss, WalkedLoss } from "./tile-loss.js";
import { warpLoss } from "./warp-loss.js";

/**
 * The loss that `spec` describes, over the memory of `kernels`. `classes` is n, the number of classes in the whole table, however many
 * lanes and machines share it. `own`: tiles hold candidates of the rows' own, which the caller scales, caps and corrects element by element. Throws
 * OptionError for a spec that makes no sense.
 */
export function createTileLoss(kernels: Kernels, spec: LossSpec, classes: number, own = false): TileLoss {
  validateLossSpec(spec);
  requireInteger("classes", classes, 1);
  const options = { zLoss: spec.zLoss, smoothing: spec.labelSmoothing, cap: spec.softCap };
  switch (spec.name) {
    case "full-softmax":
      return fullSoftmaxLoss(kernels, classes, options);
    case "sampled-softmax":
      return sampledSoftmaxLoss(kernels, classes, { ...options, tileCap: own ? 0 : spec.softCap });
    case "margin":
    case "sampled-margin":
      return sampledSoftmaxLoss(kernels, classes, {
        zLoss: spec.zLoss,
        margin: labelMargin(spec.marginKind, spec.margin),
      });
    case "nce":
    case "negative-sampling":
    case "sampled-logistic":
      return logisticLoss(kernels, CLASSIFIER_TERM);
    case "bce":
    case "gbce":
      return logisticLoss(kernels, CLASSIFIER_TERM, (draws) => labelFactor(spec, draws, classes));
    case "one-vs-all":
      return logisticLoss(kernels, spec.labelMass === "weight" ? WEIGHTED_TERM : CORRECTION_TERM);
    case "sampled-one-vs-all":
      return logisticLoss(kernels, spec.labelMass === "weight" ? CLASSIFIER_TERM : INDICATOR_TERM);
    case "ccl":
      return contrastiveLoss(kernels, spec.negativeMargin);
    case "bpr":
      return rankingLoss(kernels);
    case "warp":
      return warpLoss(kernels, classes);
    case "hierarchical-softmax":
      return pathLoss(kernels);
  }
}

/** `createTileLoss` of a loss over every class, which is always one that is walked. */
export function createFullLoss(kernels: Kernels, spec: LossSpec, classes: number): WalkedLoss {
  const loss = createTileLoss(kernels, spec, classes);
  if (loss.kind === "pairwise") throw new RangeError(`${spec.name} is no loss over every class`);
  return loss;
}
