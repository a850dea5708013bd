import { makeStepInputs, type StepInputs } from "../inputs/step-inputs.js";
import { layerEntry } from "../logq/layer-contender.js";
import type { Comparison } from "../measure/compare.js";
import type { Entry } from "../measure/contender.js";
import type { ItemContext } from "./context.js";
import { count, type StepShape } from "./step-shape.js";

/** Sampled steps of logq alone over few and over very many classes: the cost of a step should not follow n. */
export function sampledAgainstItself(context: ItemContext): Comparison[] {
  const [small, large] = context.settings.quick ? [10_000, 200_000] : [10_000, 10_000_000];
  return [128, 64].map((D) => ({
    item: "sampled",
    name: `sampled softmax against itself, D = ${D}`,
    work: `logq's step as above (B = 256, S = 1,024) with ${count(small!)} and with ${count(large!)} classes.`,
    agreements: {},
    absent: context.absentBackends,
    async prepare() {
      const shapes = [small!, large!].map(
        (n): StepShape => ({ loss: "sampled-softmax", n, B: 256, D, S: 1024, draws: "given" }),
      );
      const entries: Entry[] = [];
      for (const backend of context.backends) {
        for (const shape of shapes) entries.push(lazyEntry(context, backend, shape));
      }
      return { entries, close: async () => {} };
    },
  }));
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Makes its inputs when it starts and lets go of their table then: it is gigabytes, and the layer has its own. */
function lazyEntry(context: ItemContext, backend: ItemContext["backends"][number], shape: StepShape): Entry {
  const name = `logq, ${backend}, n = ${count(shape.n)}`;
  return {
    name,
    side: "logq",
    settings: { backend, workers: context.settings.threads, n: shape.n },
    bytes: 2 ** 29 + 3 * 4 * shape.n * shape.D,
    async start() {
      const inputs: Mutable<StepInputs> = { ...(await makeStepInputs(shape, { files: false })) };
      const contender = await layerEntry(backend, shape, inputs, context.settings.threads).start();
      inputs.table = new Float32Array(0);
      // Nobody to compare with, and reading back a table of gigabytes would be all that a check does.
      return { check: async () => ({}), round: contender.round.bind(contender), close: () => contender.close() };
    },
  };
}
