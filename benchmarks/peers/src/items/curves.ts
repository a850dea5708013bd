import type { AnyDataset } from "@logq/datasets";
import type { BackendName } from "@logq/kernels";
import type { MachineProbe } from "@logq/micro-benchmarks";
import type { TrainOptions } from "@logq/trainers";
import { InputFolder } from "../inputs/folder.js";
import { messageOf } from "../message.js";
import { tuned } from "../python/settings.js";
import type { Absent, ComparisonResult } from "../report/results.js";
import { curveRow, drawCurves, type Runner, type Running } from "../train/curve.js";
import { logqLearner } from "../train/logq-learner.js";
import { pythonLearner } from "../train/python-learner.js";
import { StartCheck } from "../train/start-check.js";
import { missingData } from "../train/task.js";
import { reddit } from "../train/text-tasks.js";
import type { ItemContext } from "./context.js";

/** Levels of the table, nats, and steps that full softmax makes; sampled softmax, which is less exact and costs little, makes twice as many. */
const USUAL = { levels: [7.4, 7.2, 7, 6.9, 6.81, 6.7], steps: 600 };

/** Whether everything works. */
const QUICK = { levels: [7.6, 7.5], steps: 12 };

/** The fastest of logq's back-ends first. */
const FASTEST: readonly BackendName[] = ["native", "blas", "wasm"];

const FORMS = ["full", "sampled"] as const;

/** Of a reading of the machine. */
const PROBE_MS = 40;
const SEED = 1;

/** Exact cross-entropy over seconds of training: full and sampled softmax of the same model, in logq's fastest back-end and in PyTorch as it is fastest. */
export async function runCurves(context: ItemContext, probe: MachineProbe): Promise<ComparisonResult> {
  const { settings, data, tell } = context;
  const { levels, steps } = settings.quick ? QUICK : USUAL;
  const task = reddit(levels.at(-1)!);
  const head = {
    item: "curves",
    name: `Reddit titles, full and sampled softmax, to ${levels.at(-1)} nats`,
    work: `${task.work} Trained side by side, from measurement to measurement in turn; one seed.`,
    unit: "s",
  } as const;
  tell("curves: Reddit titles");
  const before = await probe.read(PROBE_MS);
  const absent: Absent[] = [];
  const missing = missingData(data, task);
  if (missing !== undefined) {
    absent.push({ contender: "everybody", reason: missing });
    return { ...head, probe: { before, after: before }, rows: [], absent };
  }
  const folder = await InputFolder.create();
  const all: Running[] = [];
  try {
    const dataset = await task.prepare(data!, folder.path);
    const question = context.python === undefined ? {} : await task.question(dataset, folder);
    if (context.python === undefined) absent.push({ contender: "PyTorch", reason: context.noPython });
    const start = new StartCheck(task);
    for (const runner of runnersOf(dataset, task, question, steps, context)) {
      try {
        all.push(await begin(runner, start));
      } catch (error) {
        absent.push({ contender: runner.name, reason: messageOf(error) });
      }
    }
    if (all.length > 0) await drawCurves(all, task.goal(dataset).limit!, tell);
    const after = await probe.read(PROBE_MS);
    return { ...head, probe: { before, after }, rows: all.map((one) => curveRow(one, levels)), absent };
  } finally {
    for (const { learner } of all) await learner.close();
    await folder.remove();
  }
}

/** @throws WrongResultError if it does not begin as the others do */
async function begin(runner: Runner, start: StartCheck): Promise<Running> {
  const learner = await runner.create();
  try {
    await start.require(runner.name, learner);
  } catch (error) {
    await learner.close();
    throw error;
  }
  return { runner, learner, curve: [] };
}

function runnersOf(
  dataset: AnyDataset,
  task: ReturnType<typeof reddit>,
  question: object,
  steps: number,
  { backends, python, settings, preload }: ItemContext,
): Runner[] {
  const { threads } = settings;
  const totalSteps = { full: steps, sampled: 2 * steps };
  const backend = FASTEST.find((name) => backends.includes(name))!;
  const ours = FORMS.map((form): Runner => {
    const options = { ...lossOptions(task.options, form), backend, workers: threads, seed: SEED };
    return {
      ...{ name: `logq, ${backend}, ${form}`, side: "logq", settings: { ...options }, totalSteps: totalSteps[form] },
      create: () => logqLearner(dataset, options, task.metric),
    };
  });
  if (python === undefined) return ours;
  const ways = tuned(threads, preload)[0]!;
  const peers = FORMS.map(
    (form): Runner => ({
      ...{ name: `PyTorch, ${form}`, side: "peer", settings: { ...ways.env }, totalSteps: totalSteps[form] },
      async create() {
        for (const one of ["numpy", "torch"]) await python.require(one);
        return pythonLearner(python, task.script, ways, { ...question, form, threads, seed: SEED });
      },
    }),
  );
  return [...ours, ...peers];
}

/** The same model by either loss. */
function lossOptions(options: TrainOptions, form: (typeof FORMS)[number]): TrainOptions {
  if (form === "sampled") return options;
  const { sampler, distortion, negatives, ...others } = options;
  return { ...others, loss: "full-softmax" };
}
