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
      let best: { contender: PythonContender; settings: ProcessSettings; ms: number } | undefined;
      for (const one of settings) {
        const contender = await PythonContender.start(environment, task, one);
        const ms = settings.length === 1 ? 0 : await trial(contender);
        if (best !== undefined && best.ms <= ms) {
          await contender.close();
          continue;
        }
        await best?.contender.close();
        best = { contender, settings: one, ms };
      }
      Object.assign(kept, best!.settings.env);
      // A trial has changed the tables: the check wants a first step.
      if (settings.length > 1) {
        await best!.contender.close();
        return PythonContender.start(environment, task, best!.settings);
      }
      return best!.contender;
    },
  };
}

async function trial(contender: PythonContender): Promise<number> {
  await contender.round(TRIAL_SECONDS, 2);
  return medianOf(await contender.round(TRIAL_SECONDS, 2));
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
