import { requireInteger } from "@logq/core";
import type { Kernels } from "@logq/kernels";
import { validateLossSpec } from "./loss-options.js";
import type { LossSpec } from "./loss-spec.js";
import { fullSoftmaxLoss, sampledSoftmaxLoss } from "./normalised-loss.js";
import { logisticLoss } from "./separable-loss.js";
import type { TileLoss } from "./tile-loss.js";

/**
 * The loss that `spec` describes, over the memory of `kernels`. `classes` is n, the number of classes in the whole table, however many
 * lanes and machines share it. Throws OptionError for a spec that makes no sense.
 */
export function createTileLoss(kernels: Kernels, spec: LossSpec, classes: number): TileLoss {
  validateLossSpec(spec);
  requireInteger("classes", classes, 1);
  switch (spec.name) {
    case "full-softmax":
      return fullSoftmaxLoss(kernels, spec.labelSmoothing, classes);
    case "sampled-softmax":
      return sampledSoftmaxLoss(kernels);
    case "nce":
    case "negative-sampling":
    case "sampled-logistic":
      return logisticLoss(kernels, "classifier");
    case "one-vs-all":
      return logisticLoss(kernels, "correction");
    case "sampled-one-vs-all":
      return logisticLoss(kernels, "indicator");
  }
}
