import { makeStepInputs } from "../inputs/step-inputs.js";
import { layerEntry } from "../logq/layer-contender.js";
import type { Comparison } from "../measure/compare.js";
import type { Entry } from "../measure/contender.js";
import type { ItemContext } from "./context.js";
import { count, type StepShape } from "./step-shape.js";
import { SAME_INPUTS } from "./steps.js";

/** Steps of logq alone, by one worker and by all: what a further core is worth. */
export function workersSteps(context: ItemContext): Comparison[] {
  const [small, large] = context.settings.quick ? [10_000, 20_000] : [100_000, 1_000_000];
  const full: StepShape = { loss: "full-softmax", n: small!, B: 128, D: 128, S: 0, draws: "given" };
  const sampled: StepShape = { loss: "sampled-softmax", n: large!, B: 256, D: 128, S: 1024, draws: "given" };
  return [
    workersComparison(context, `full softmax by workers, n = ${count(small!)}, B = 128, D = 128`, full),
    workersComparison(
      context,
      `sampled softmax by workers, n = ${count(large!)}, B = 256, S = 1,024, D = 128`,
      sampled,
    ),
  ];
}

function workersComparison(context: ItemContext, name: string, shape: StepShape): Comparison {
  const { backends, absentBackends, settings } = context;
  const numbers = [...new Set([1, settings.threads])];
  return {
    item: "workers",
    name,
    work: "logq's step as among the peers, by as many worker threads; the caller is one of them.",
    agreements: SAME_INPUTS,
    absent: absentBackends,
    async prepare() {
      const inputs = await makeStepInputs(shape, { files: false });
      const entries = backends.flatMap((backend) =>
        numbers.map((workers): Entry => {
          const entry = layerEntry(backend, shape, inputs, workers);
          return { ...entry, name: `${entry.name}, ${workers} worker${workers === 1 ? "" : "s"}` };
        }),
      );
      return { entries, close: () => inputs.remove() };
    },
  };
}
