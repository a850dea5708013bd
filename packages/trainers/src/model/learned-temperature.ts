import { OptionError } from "@logq/core";
import { describeLoss, type LossSpec } from "@logq/losses";
import { isContextual, type RunSampler } from "./samplers.js";

/** Whether the temperature is learned. @throws OptionError where that makes no sense, with the option that it cannot be beside */
export function learnsTemperature(
  { learnTemperature = false }: { readonly learnTemperature?: boolean },
  { name, normalize }: LossSpec,
  sampler: RunSampler | undefined,
): boolean {
  if (typeof learnTemperature !== "boolean") {
    throw new OptionError(`learnTemperature must be true or false, not ${String(learnTemperature)}`, {
      learnTemperature,
    });
  }
  if (!learnTemperature) return false;
  if (!normalize) {
    throw new OptionError(
      "learnTemperature needs normalize: the lengths of rows and hidden vectors are a temperature that is learned already",
      { learnTemperature, normalize },
    );
  }
  if (name === "margin" || name === "sampled-margin") {
    throw new OptionError(`learnTemperature cannot be combined with ${name}: it is what makes the margin count`, {
      learnTemperature,
      loss: name,
    });
  }
  if (describeLoss(name).kind === "tree") {
    throw new OptionError(`learnTemperature cannot be combined with ${name}: each decision has a scale of its own`, {
      learnTemperature,
      loss: name,
    });
  }
  if (name === "ccl") {
    throw new OptionError("learnTemperature cannot be combined with ccl, which compares the cosines themselves", {
      learnTemperature,
      loss: name,
    });
  }
  if (sampler !== undefined && isContextual(sampler)) {
    throw new OptionError(
      `learnTemperature cannot be combined with the sampler ${sampler.name}, which draws by logits of one temperature`,
      { learnTemperature, sampler: sampler.name },
    );
  }
  return true;
}
