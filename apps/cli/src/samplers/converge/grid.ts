import type { ConvergeLog, Training } from "./log.js";
import { nextSize } from "./sizes.js";
import { FULL, type Subject } from "./subjects.js";
import { triedOf } from "./summary.js";

export type Train = (subject: Subject, negatives: number | null, seed: number) => Promise<Training>;

/**
 * Full softmax, then each sampler at one size after the other, and all of it with the next seed. The first seed decides which sizes a sampler is trained at:
 * each round gives every sampler its next one. What the log holds is not trained again.
 */
export async function runGrid(
  log: ConvergeLog,
  subjects: readonly Subject[],
  seeds: readonly number[],
  train: Train,
): Promise<void> {
  const [first, ...others] = seeds;
  if (first === undefined) return;
  const once = async (subject: Subject, negatives: number | null, seed: number): Promise<Training> => {
    const { sampler, options } = subject;
    const known = log.find({ sampler, options, negatives, seed });
    if (known !== undefined) return known;
    const training = await train(subject, negatives, seed);
    await log.add(training);
    return training;
  };
  const full = await once(FULL, null, first);
  const done = subjects.map((): Training[] => []);
  for (let more = true; more; ) {
    more = false;
    for (const [i, subject] of subjects.entries()) {
      const negatives = nextOf(log, subject, done[i]!, full);
      if (negatives === undefined) continue;
      done[i]!.push(await once(subject, negatives, first));
      more = true;
    }
  }
  for (const seed of others) {
    await once(FULL, null, seed);
    for (const [i, subject] of subjects.entries()) {
      for (const { negatives } of done[i]!) await once(subject, negatives, seed);
    }
  }
}

/** The size that a sampler is to be trained at next with the first seed; undefined: none. */
function nextOf(
  { setting }: ConvergeLog,
  { sizes }: Subject,
  done: readonly Training[],
  full: Training,
): number | null | undefined {
  const numbers = sizes.filter((S) => S !== null);
  if (numbers.length === 0) return done.length === 0 ? null : undefined;
  return nextSize(numbers, triedOf(setting, done, full));
}
