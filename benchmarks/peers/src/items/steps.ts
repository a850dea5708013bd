import { makeStepInputs, type StepInputs } from "../inputs/step-inputs.js";
import { layerEntry } from "../logq/layer-contender.js";
import type { Agreements } from "../measure/agree.js";
import type { Comparison } from "../measure/compare.js";
import type { Entry } from "../measure/contender.js";
import { pythonEntry, type ScriptTask } from "../python/contender.js";
import { stock, tuned } from "../python/settings.js";
import type { Absent, ItemName } from "../report/results.js";
import type { ItemContext } from "./context.js";
import { bytesOf, count, LEARNING_RATE, type StepShape } from "./step-shape.js";

/** A peer's way to do a step. */
interface Form {
  readonly name: string;
  readonly package: string;
  readonly script: string;
  /** What the script calls it. */
  readonly form: string;
  /** True: an approximation by name. */
  readonly rounded?: boolean;
}

const torch = (script: string, form: string): Form => ({ name: `PyTorch, ${form}`, package: "torch", script, form });
const TENSORFLOW = { package: "tensorflow-cpu", script: "tensorflow_step.py", form: "" };

const FULL: readonly Form[] = [
  ...["autograd", "hand-written", "torch.compile", "linear_cross_entropy"].map((form) => torch("torch_full.py", form)),
  { ...torch("torch_full.py", "hand-written, products in bfloat16"), rounded: true },
  { ...TENSORFLOW, name: "TensorFlow, dense softmax" },
];
const SAMPLED = ["sparse embedding", "hand-written", "torch.compile"].map((form) => torch("torch_sampled.py", form));

/** Of a first step whose inputs are the same: float32 sums in another order, and nothing else. */
export const SAME_INPUTS: Agreements = {
  loss: { relative: 1e-5 },
  "hidden gradient": { ofLargest: 1e-4 },
  "table change": { ofLargest: 1e-3 },
};

/** Of a first step whose products have operands of 8 bits. */
const ROUNDED: Agreements = {
  loss: { relative: 2e-3 },
  "hidden gradient": { ofLargest: 0.03 },
  "table change": { ofLargest: 0.03 },
};

/** Of the mean over one pass of the batches, each with its own draws. */
const OWN_DRAWS: Agreements = { loss: { relative: 0.01 } };

const SHAPE = { B: 256, D: 128, S: 1024 } as const;

/** The next word of the Reddit titles, as `npm run curves` trains it. */
const NEXT_WORD = { n: 158_309, B: 1024, D: 128 } as const;

const FULL_WORK = "Forward, cross-entropy, gradients of the hidden vectors and of the class table, SGD.";
const OWN_WORK =
  "Every side draws in the step, log-uniformly with replacement, and does with repeated candidates what it does.";
const SOFTMAX: Form = { ...TENSORFLOW, name: "TensorFlow, sampled_softmax_loss" };

export function fullSteps(context: ItemContext): Comparison[] {
  const sizes = context.settings.quick ? [10_000] : [10_000, 100_000, 500_000];
  return sizes.map((n) => {
    const shape: StepShape = { loss: "full-softmax", n, B: 128, D: 128, S: 0, draws: "given" };
    return stepComparison(context, "full", `full softmax, n = ${count(n)}, B = 128, D = 128`, FULL_WORK, shape, FULL);
  });
}

/** What a step costs with all classes and with candidates, at a size at which people must choose: what curves over time follow from. */
export function nextWordSteps(context: ItemContext): Comparison[] {
  const { n, B, D } = context.settings.quick ? { ...NEXT_WORD, n: 10_000, B: 128 } : NEXT_WORD;
  const size = `n = ${count(n)}, B = ${count(B)}, D = ${D}`;
  const full: StepShape = { loss: "full-softmax", n, B, D, S: 0, draws: "given" };
  const sampled: StepShape = { loss: "sampled-softmax", n, B, D, S: 2048, draws: "own" };
  return [
    stepComparison(context, "next-word", `next word, full softmax, ${size}`, FULL_WORK, full, FULL),
    stepComparison(context, "next-word", `next word, sampled softmax, ${size}, S = 2,048 shared`, OWN_WORK, sampled, [
      ...SAMPLED,
      SOFTMAX,
    ]),
  ];
}

export function sampledSteps(context: ItemContext): Comparison[] {
  const sizes = context.settings.quick ? [10_000] : [100_000, 1_000_000];
  const size = "B = 256, S = 1,024 shared, D = 128";
  const nce: Form = { ...TENSORFLOW, name: "TensorFlow, nce_loss" };
  const given = "The same candidates for all, all different; log Q corrected; SGD on the rows that were met.";
  return [
    ...sizes.map((n) => {
      const shape: StepShape = { ...SHAPE, loss: "sampled-softmax", n, draws: "given" };
      return stepComparison(context, "sampled", `sampled softmax, n = ${count(n)}, ${size}`, given, shape, [
        ...SAMPLED,
        SOFTMAX,
      ]);
    }),
    ...sizes.map((n) => {
      const shape: StepShape = { ...SHAPE, loss: "sampled-softmax", n, draws: "own" };
      return stepComparison(
        context,
        "sampled",
        `sampled softmax as users run it, n = ${count(n)}, ${size}`,
        OWN_WORK,
        shape,
        [...SAMPLED, SOFTMAX],
      );
    }),
    ...sizes.slice(0, 1).map((n) => {
      const shape: StepShape = { ...SHAPE, loss: "nce", n, draws: "given" };
      return stepComparison(context, "sampled", `NCE, n = ${count(n)}, ${size}`, given, shape, [...SAMPLED, nce]);
    }),
  ];
}

/** logq's back-ends, then each form as it comes and tuned. */
function stepComparison(
  context: ItemContext,
  item: ItemName,
  name: string,
  work: string,
  shape: StepShape,
  forms: readonly Form[],
): Comparison {
  const { python, noPython, absentBackends } = context;
  const absent: Absent[] =
    python === undefined ? forms.map((form) => ({ contender: form.name, reason: noPython })) : [];
  return {
    item,
    name,
    work,
    agreements: shape.draws === "own" ? OWN_DRAWS : SAME_INPUTS,
    absent: [...absentBackends, ...absent],
    async prepare() {
      const inputs = await makeStepInputs(shape);
      const { threads } = context.settings;
      const ours = context.backends.map((backend) => layerEntry(backend, shape, inputs, threads));
      if (shape.S === 0 && context.backends.includes("native")) {
        const agreements = ROUNDED;
        ours.push({ ...layerEntry("native", shape, inputs, threads, "bfloat16"), agreements });
      }
      const peers = python === undefined ? [] : forms.flatMap((form) => peerEntries(context, form, shape, inputs));
      return { entries: [...ours, ...peers], close: () => inputs.remove() };
    },
  };
}

function peerEntries(
  { python, settings, preload }: ItemContext,
  form: Form,
  shape: StepShape,
  inputs: StepInputs,
): Entry[] {
  const { threads } = settings;
  const task: ScriptTask = {
    script: form.script,
    packages: ["numpy", form.package],
    question: {
      files: inputs.files,
      threads,
      rate: LEARNING_RATE,
      loss: shape.loss,
      negatives: shape.S,
      form: form.form,
    },
    bytes: bytesOf(shape),
  };
  // How OpenMP waits is nothing to TensorFlow, which has threads of its own.
  const ways = form.package === TENSORFLOW.package ? tuned(threads).slice(0, 1) : tuned(threads, preload);
  const entries = [[stock(threads)], ways].map((settings) => pythonEntry(form.name, python!, task, settings));
  return form.rounded ? entries.map((entry) => ({ ...entry, agreements: ROUNDED })) : entries;
}
