import { OptionError } from "@logq/core";
import { lossNameOf } from "./adaptive.js";
import type { EncoderName, RunOptions } from "./options.js";

/** Encoders whose inputs are classes: the words of a window, the items of a history. What fills up a short window is a class as well. */
const READ_CLASSES: readonly EncoderName[] = ["window", "history"];

/** Checks that one table can be that of inputs and that of classes. @throws OptionError with both sizes */
export function requireTieable(options: RunOptions, classes: number, inputs: number): void {
  const { encoder, dim, embedding, gradientFilter } = options;
  const loss = lossNameOf(options);
  if (options.adaptive !== undefined || (options.tree ?? null) !== null) {
    throw new OptionError(`tied tables need a row of width ${dim} for every class, which ${loss} has not`, {
      loss,
      dim,
    });
  }
  if (!READ_CLASSES.includes(encoder)) {
    throw new OptionError(
      `tied tables need inputs that are classes, by the encoder ${READ_CLASSES.join(" or ")}: ${encoder} has ${inputs} inputs of its own beside ${classes} classes`,
      { encoder, inputs, classes, allowed: READ_CLASSES },
    );
  }
  if (embedding !== dim) {
    throw new OptionError(`tied tables have rows of one width: embedding ${embedding} is not dim ${dim}`, {
      embedding,
      dim,
      inputs,
      classes,
    });
  }
  if (gradientFilter > 0) {
    throw new OptionError(
      "tied tables take no gradient filter: it knows the gradients of inputs only after class rows are updated",
      { gradientFilter },
    );
  }
}
