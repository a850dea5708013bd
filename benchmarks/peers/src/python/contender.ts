import path from "node:path";
import { medianOf } from "../measure/compare.js";
import type { Check, Contender, Entry } from "../measure/contender.js";
import { Child } from "./child.js";
import { type PythonEnvironment, SCRIPTS } from "./environment.js";
import { bareEnvironment, type ProcessSettings } from "./settings.js";

/** What a script is told when it starts. */
export interface ScriptTask {
  readonly script: string;
  /** Packages it needs. */
  readonly packages: readonly string[];
  readonly question: object;
  /** Memory it takes, about. */
  readonly bytes: number;
}

/** Seconds for which settings are tried against each other. */
const TRIAL_SECONDS = 0.3;

/** A peer under settings of which the fastest is kept. */
export function pythonEntry(
  name: string,
  environment: PythonEnvironment,
  task: ScriptTask,
  settings: readonly ProcessSettings[],
): Entry {
  const label = `${name}, ${settings[0]!.name}`;
  const kept: Record<string, unknown> = { script: task.script };
  return {
    name: label,
    side: "peer",
    settings: kept,
    bytes: task.bytes,
    async start() {
      for (const name of task.packages) await environment.require(name);
      const best = settings.length === 1 ? settings[0]! : await fastest(environment, task, settings);
      Object.assign(kept, best.env);
      return PythonContender.start(environment, task, best);
    },
  };
}

/** Each in a process of its own, one after the other. A trial changes the tables, so its process is not the one that is compared. */
async function fastest(
  environment: PythonEnvironment,
  task: ScriptTask,
  settings: readonly ProcessSettings[],
): Promise<ProcessSettings> {
  const trials: { settings: ProcessSettings; ms: number }[] = [];
  let failure: unknown;
  for (const one of settings) {
    try {
      trials.push({ settings: one, ms: await trial(environment, task, one) });
    } catch (error) {
      // Settings that do not work on this machine are not the fastest.
      failure = error;
    }
  }
  if (trials.length === 0) throw failure;
  return trials.reduce((best, one) => (one.ms < best.ms ? one : best)).settings;
}

async function trial(environment: PythonEnvironment, task: ScriptTask, settings: ProcessSettings): Promise<number> {
  const contender = await PythonContender.start(environment, task, settings);
  try {
    await contender.round(TRIAL_SECONDS, 2);
    return medianOf(await contender.round(TRIAL_SECONDS, 2));
  } finally {
    await contender.close();
  }
}

/** A peer in a process of its own that stands still between its turns. */
class PythonContender implements Contender {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(
    { python }: PythonEnvironment,
    task: ScriptTask,
    { env }: ProcessSettings,
  ): Promise<PythonContender> {
    const child = new Child({
      command: python,
      args: [path.join(SCRIPTS, task.script)],
      env: { ...bareEnvironment(), ...env },
      pausing: true,
    });
    try {
      await child.ask({ ask: "start", ...task.question });
      return new PythonContender(child);
    } catch (error) {
      await child.close();
      throw error;
    }
  }

  async check(): Promise<Check> {
    return (await this.#child.ask({ ask: "check" })).check as Check;
  }

  async round(seconds: number, least: number): Promise<readonly number[]> {
    return (await this.#child.ask({ ask: "round", seconds, least })).milliseconds as number[];
  }

  close(): Promise<void> {
    return this.#child.close();
  }
}
