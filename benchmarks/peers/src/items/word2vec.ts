import { existsSync } from "node:fs";
import path from "node:path";
import type { MachineProbe } from "@logq/micro-benchmarks";
import { InputFolder } from "../inputs/folder.js";
import { runTrials, type Trial } from "../measure/trials.js";
import type { Absent, ComparisonResult } from "../report/results.js";
import { CORPUS_FILES, openCorpus } from "../word2vec/corpus.js";
import { runProgram } from "../word2vec/program.js";
import { fastTextTrial, logqTrial, pythonTrial, type Word2vecWork } from "../word2vec/trainees.js";
import type { ItemContext } from "./context.js";

/** Lines and epochs of a quick run. */
const QUICK = { lines: 5000, epochs: 1 } as const;

/** Skip-gram with negative sampling: words a second and thread, and how well the vectors know which words are alike. */
export async function runWord2vec(context: ItemContext, probe: MachineProbe): Promise<ComparisonResult> {
  const { settings, data, tell } = context;
  const head = {
    item: "word2vec",
    name: "skip-gram, negative sampling, on WikiText-2",
    work: "D = 128, window 5, 5 negatives, subsampling at 1e-4, every word; words counted before subsampling; ρ: Spearman of the cosines with people's scores, means over seeds, the same pairs for all.",
    unit: "words/s a thread",
  } as const;
  const nothing = (reason: string) => runTrials(head, [], [{ contender: "everybody", reason }], 0, probe, tell);
  if (data === undefined) return nothing("LOGQ_DATA is not set");
  const missing = Object.values(CORPUS_FILES).find((name) => !existsSync(path.join(data, name)));
  if (missing !== undefined) return nothing(`there is no ${missing} in LOGQ_DATA`);
  const folder = await InputFolder.create();
  try {
    const work: Word2vecWork = {
      corpus: await openCorpus(data, folder.path, settings.quick ? QUICK.lines : undefined),
      settings: {
        ...{ dim: 128, window: 5, negatives: 5, subsample: 1e-4, threads: settings.threads },
        epochs: settings.quick ? QUICK.epochs : 5,
      },
      folder: folder.path,
    };
    const ours = context.backends.map((backend) => logqTrial(work, backend));
    const { trials, absent } = await peers(context, work);
    return await runTrials(head, [...ours, ...trials], absent, settings.trainings, probe, tell);
  } finally {
    await folder.remove();
  }
}

async function peers(
  { python, noPython, absentBackends }: ItemContext,
  work: Word2vecWork,
): Promise<{ trials: Trial[]; absent: Absent[] }> {
  const trials: Trial[] = [];
  const absent: Absent[] = [...absentBackends];
  const program = await hasProgram("fasttext");
  if (program) trials.push(fastTextTrial(work));
  if (python === undefined) {
    if (!program) absent.push({ contender: "fastText", reason: `no fasttext program on PATH; ${noPython}` });
    absent.push({ contender: "gensim", reason: noPython });
    return { trials, absent };
  }
  if (!program) trials.push(pythonTrial("fastText", "fasttext_word2vec.py", ["fasttext-wheel"], python, work));
  trials.push(pythonTrial("gensim", "gensim_word2vec.py", ["gensim"], python, work));
  return { trials, absent };
}

/** Whether it starts at all: without arguments fastText prints its usage and fails. */
async function hasProgram(name: string): Promise<boolean> {
  try {
    await runProgram(name, []);
  } catch (error) {
    return !String(error).includes("ENOENT");
  }
  return true;
}
