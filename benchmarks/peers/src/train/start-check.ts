import { requireClose } from "@logq/micro-benchmarks";
import type { Learner } from "./learner.js";
import type { Task } from "./task.js";

/** Examples that are looked at before the first step. */
const START_EXAMPLES = 2000;

/** Holds every side's model before its first step to the first one's: the same data, read and evaluated the same way. */
export class StartCheck {
  readonly #task: Task;
  #expected: number | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /** @throws WrongResultError */
  async require(name: string, learner: Learner): Promise<void> {
    const { startsWithin, metric } = this.#task;
    if (startsWithin === undefined) return;
    const quality = await learner.quality(START_EXAMPLES);
    this.#expected ??= quality;
    requireClose(`refused: ${metric} of ${name} before the first step`, [quality], [this.#expected], {
      relative: startsWithin,
    });
  }
}
