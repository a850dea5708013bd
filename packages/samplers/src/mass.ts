import { ClassIdError, SamplerError } from "@logq/core";
import type { Law } from "./types.js";

/**
 * Checks at the border, once for a data set or a batch, that every target can be corrected: a class without mass has log Q = −∞, and
 * subtracting it would make its logit +∞. Give such classes mass (`smoothing` > 0) or leave the examples out.
 * @param targets class ids; targets[start .. end) are looked at
 * @throws ClassIdError, SamplerError; both carry the index and the id
 */
export function requireMass(law: Law, targets: ArrayLike<number>, start = 0, end: number = targets.length): void {
  for (let index = start; index < end; index++) {
    const id = targets[index];
    if (!(Number.isInteger(id) && id >= 0 && id < law.n)) {
      throw new ClassIdError(`target ${index} is ${id}; ids lie in [0, ${law.n})`, { index, id, n: law.n });
    }
    if (law.probability(id) === 0) {
      throw new SamplerError(
        `target ${index} is class ${id}, which the ${law.name} law never draws (log Q = −∞); smoothing > 0 gives it mass`,
        { index, id, law: law.name },
      );
    }
  }
}
