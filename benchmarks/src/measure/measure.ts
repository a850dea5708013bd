import { Bench } from "tinybench";
import type { Variant } from "./group.js";
import { summarise, type Timing } from "./statistics.js";

export interface Budget {
  /** Timed seconds a variant, over all rounds. Each round takes at least one sample. */
  readonly seconds: number;
  readonly rounds: number;
}

/** A sample lasts at least this long where its variant can be repeated, so that the clock's own cost (some 50 ns) is below 0.1%. */
const SHORTEST_SAMPLE_MS = 0.05;

/** Part of the budget that is spent untimed before the first round: compilers look twice at code that is hot. */
const WARM_UP_SHARE = 0.25;

/**
 * Times variants against each other: in each round every one has its turn, in turned order every other round, so that a machine that
 * slows down slows them all. Answers in the order of `variants`.
 */
export async function measure(variants: readonly Variant[], budget: Budget): Promise<Timing[]> {
  const repeats = variants.map(repeatsOf);
  const rounds: number[][][] = variants.map(() => []);
  for (let round = 0; round < budget.rounds; round++) {
    const order = variants.map((_, i) => (round % 2 === 0 ? i : variants.length - 1 - i));
    const bench = new Bench({
      time: (1000 * budget.seconds) / budget.rounds,
      iterations: 1,
      warmupIterations: 1,
      warmupTime: round === 0 ? 1000 * WARM_UP_SHARE * budget.seconds : 0,
      retainSamples: true,
      throws: true,
    });
    for (const i of order) addTask(bench, variants[i]!, repeats[i]!);
    const tasks = await bench.run();
    order.forEach((i, place) => {
      const result = tasks[place]!.result;
      if (result.state !== "completed") throw new Error(`${variants[i]!.name} ended as ${result.state}`);
      const executions = repeats[i]! * (variants[i]!.perCall ?? 1);
      rounds[i]!.push(result.latency.samples!.map((ms) => ms / executions));
    });
  }
  return rounds.map(summarise);
}

function addTask(bench: Bench, variant: Variant, repeats: number): void {
  const options = {
    async: variant.async ?? false,
    ...(variant.before === undefined ? {} : { beforeEach: () => variant.before!() }),
  };
  const once = () => variant.run();
  const often = () => {
    for (let i = 0; i < repeats; i++) variant.run();
  };
  bench.add(variant.name, repeats === 1 ? once : often, options);
}

/** How often a sample runs a variant: powers of two until one lasts long enough. What must be restored or awaited runs once. */
function repeatsOf(variant: Variant): number {
  if (variant.async || variant.before !== undefined) return 1;
  for (let repeats = 1; ; repeats *= 2) {
    const begin = performance.now();
    for (let i = 0; i < repeats; i++) variant.run();
    if (performance.now() - begin >= SHORTEST_SAMPLE_MS) return repeats;
  }
}
