import type { AnyDataset } from "@logq/datasets";
import type { MachineProbe } from "@logq/micro-benchmarks";
import { InputFolder } from "../inputs/folder.js";
import { runTrials, type Trial } from "../measure/trials.js";
import { type ProcessSettings, stock, tuned } from "../python/settings.js";
import type { Absent, ComparisonResult } from "../report/results.js";
import { gowalla } from "../train/gowalla.js";
import { type Goal, type Learner, timeToQuality } from "../train/learner.js";
import { logqLearner } from "../train/logq-learner.js";
import { pythonLearner } from "../train/python-learner.js";
import { StartCheck } from "../train/start-check.js";
import { missingData, type Task } from "../train/task.js";
import { reddit, wikitext } from "../train/text-tasks.js";
import type { ItemContext } from "./context.js";

/** Training as a whole, to a stated quality. */
export async function runTrainings(
  context: ItemContext,
  probe: MachineProbe,
  measured: (result: ComparisonResult) => void,
): Promise<void> {
  // Easy targets in a quick run: whether everything works.
  const tasks = context.settings.quick
    ? [gowalla(0.02), wikitext(500), reddit(7.6)]
    : [gowalla(0.17), wikitext(180), reddit(6.8)];
  for (const task of tasks) {
    context.tell(`train: ${task.name}`);
    measured(await runTask(task, context, probe));
  }
}

async function runTask(task: Task, context: ItemContext, probe: MachineProbe): Promise<ComparisonResult> {
  const { settings, data, tell } = context;
  const head = { item: "train", name: task.name, work: task.work, unit: "s" } as const;
  const missing = missingData(data, task);
  if (missing !== undefined) return runTrials(head, [], [{ contender: "everybody", reason: missing }], 0, probe, tell);
  const folder = await InputFolder.create();
  try {
    const dataset = await task.prepare(data!, folder.path);
    const question = context.python === undefined ? {} : await task.question(dataset, folder);
    const trials = trialsOf(task, dataset, question, context);
    const absent: Absent[] = [...context.absentBackends];
    if (context.python === undefined) absent.push({ contender: "PyTorch", reason: context.noPython });
    return await runTrials(head, trials, absent, settings.trainings, probe, tell);
  } finally {
    await folder.remove();
  }
}

function trialsOf(
  task: Task,
  dataset: AnyDataset,
  question: object,
  { backends, python, settings, preload }: ItemContext,
): Trial[] {
  const { threads } = settings;
  const goal = task.goal(dataset);
  const start = new StartCheck(task);
  const ours = backends.map(
    (backend): Trial => ({
      name: `logq, ${backend}`,
      side: "logq",
      settings: { ...task.options, backend, workers: threads },
      prepare: async () => {},
      train: (seed) =>
        run(`logq, ${backend}`, start, goal, () =>
          logqLearner(dataset, { ...task.options, backend, workers: threads, seed }, task.metric),
        ),
    }),
  );
  if (python === undefined) return ours;
  const peers = [stock(threads), tuned(threads, preload)[0]!].map((ways: ProcessSettings): Trial => {
    const name = `PyTorch, ${ways.name}`;
    return {
      name,
      side: "peer",
      settings: { ...ways.env },
      async prepare() {
        for (const one of ["numpy", "torch"]) await python.require(one);
      },
      train: (seed) =>
        run(name, start, goal, () => pythonLearner(python, task.script, ways, { ...question, threads, seed })),
    };
  });
  return [...ours, ...peers];
}

async function run(name: string, start: StartCheck, goal: Goal, create: () => Promise<Learner>) {
  const learner = await create();
  try {
    await start.require(name, learner);
    return await timeToQuality(learner, goal);
  } finally {
    await learner.close();
  }
}
