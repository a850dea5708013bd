import path from "node:path";
import { BackendError } from "@logq/core";
import type { BackendName } from "@logq/kernels";
import type { Outcome, Trial } from "../measure/trials.js";
import { Child } from "../python/child.js";
import { type PythonEnvironment, SCRIPTS } from "../python/environment.js";
import { bareEnvironment, stock } from "../python/settings.js";
import type { Corpus } from "./corpus.js";
import { runProgram } from "./program.js";
import { readVectors, similarity } from "./similarity.js";

/** What is the same for all; rates of learning and their schedules are each one's own defaults. */
export interface Word2vecSettings {
  readonly dim: number;
  readonly window: number;
  /** Negatives of a label. */
  readonly negatives: number;
  readonly subsample: number;
  readonly epochs: number;
  readonly threads: number;
}

/** Where and what everybody trains. */
export interface Word2vecWork {
  readonly corpus: Corpus;
  readonly settings: Word2vecSettings;
  /** For models and vectors. */
  readonly folder: string;
}

/** Judges vectors. @param rate words a second and thread, before any is left out */
async function outcome({ corpus }: Word2vecWork, rate: number, vectorFile: string): Promise<Outcome> {
  const vectors = await readVectors(vectorFile, corpus.judged);
  const more = Object.entries(corpus.lists).map(([name, pairs]) => [`ρ ${name}`, similarity(pairs, vectors)] as const);
  return { value: rate, more: Object.fromEntries(more) };
}

const rateOf = ({ corpus, settings }: Word2vecWork, seconds: number) =>
  (corpus.tokens * settings.epochs) / seconds / settings.threads;

/** The workspace's runner: it builds the command first where that is needed. */
const RUNNER = path.resolve(SCRIPTS, "../../..", ".workspace", "run.mjs");
const logq = (...args: string[]) => runProgram(process.execPath, [RUNNER, "logq", ...args]);

/** `logq train --recipe skipgram`: windows, subsampling and negatives of a label as the others have them. */
export function logqTrial(work: Word2vecWork, backend: BackendName): Trial {
  const { dim, window, epochs, threads } = work.settings;
  const data = path.join(work.folder, `logq-data-${backend}`);
  const flags = [
    ...["--recipe", "skipgram", "--loss", "negative-sampling"],
    ...["--dim", dim, "--window", window, "--epochs", epochs].map(String),
    ...["--workers", String(threads), "--backend", backend],
  ];
  return {
    name: `logq, ${backend}`,
    side: "logq",
    settings: { flags },
    async prepare() {
      const { out } = await logq("train", "--help");
      if (!out.includes("--recipe")) throw new BackendError("not available: this logq train has no --recipe");
      await logq("prepare", "text", "--train", work.corpus.text, "--out", data);
    },
    async train(seed) {
      const run = path.join(work.folder, `logq-${backend}-${seed}`);
      const { out } = await logq("train", data, ...flags, "--seed", String(seed), "--out", run, "--json");
      const { seconds } = JSON.parse(out) as { seconds: number };
      const vectors = `${run}.txt`;
      await logq("export", run, "--format", "word2vec", "--table", "inputs", "--out", vectors);
      return outcome(work, rateOf(work, seconds), vectors);
    },
  };
}

/** The fastText program: its own count of words a second and thread, which leaves out reading the vocabulary. */
export function fastTextTrial(work: Word2vecWork): Trial {
  const { dim, window, negatives, epochs, subsample, threads } = work.settings;
  const flags = [
    ...["-dim", dim, "-ws", window, "-neg", negatives, "-epoch", epochs, "-t", subsample, "-thread", threads],
    ...["-minCount", 1, "-minn", 0, "-maxn", 0],
  ].map(String);
  return {
    name: "fastText",
    side: "peer",
    settings: { flags },
    prepare: async () => {},
    async train(seed) {
      const model = path.join(work.folder, `fasttext-${seed}`);
      const args = ["skipgram", "-input", work.corpus.text, "-output", model, ...flags, "-seed", String(seed)];
      const { out, err } = await runProgram("fasttext", args);
      return outcome(work, wordsPerSecond(out + err), `${model}.vec`);
    },
  };
}

/** The last "words/sec/thread" of fastText's progress. @throws BackendError if there is none */
export function wordsPerSecond(progress: string): number {
  const last = [...progress.matchAll(/words\/sec\/thread:\s*(\d+)/g)].at(-1);
  if (last === undefined) throw new BackendError("fastText did not say how fast it was", { progress });
  return Number(last[1]);
}

/** A Python package that trains in a process of its own. */
export function pythonTrial(
  name: string,
  script: string,
  packages: readonly string[],
  environment: PythonEnvironment,
  work: Word2vecWork,
): Trial {
  return {
    name,
    side: "peer",
    settings: { script },
    async prepare() {
      for (const one of packages) await environment.require(one);
    },
    async train(seed) {
      const env = { ...bareEnvironment(), ...stock(work.settings.threads).env };
      const args = [path.join(SCRIPTS, script)];
      const child = new Child({ command: environment.python, args, env, pausing: false });
      try {
        await child.ask({ ask: "start", ...work.settings, text: work.corpus.text });
        const vectors = path.join(work.folder, `${script}-${seed}.txt`);
        const { seconds } = await child.ask({ ask: "train", seed, vectors });
        return await outcome(work, rateOf(work, seconds as number), vectors);
      } finally {
        await child.close();
      }
    },
  };
}
