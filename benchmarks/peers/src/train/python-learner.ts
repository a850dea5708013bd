import path from "node:path";
import { Child } from "../python/child.js";
import { type PythonEnvironment, SCRIPTS } from "../python/environment.js";
import { bareEnvironment, type ProcessSettings } from "../python/settings.js";
import type { Learner } from "./learner.js";

/** A training script of a peer. */
export async function pythonLearner(
  { python }: PythonEnvironment,
  script: string,
  { env }: ProcessSettings,
  question: object,
): Promise<Learner> {
  const args = [path.join(SCRIPTS, script)];
  const child = new Child({ command: python, args, env: { ...bareEnvironment(), ...env }, pausing: true });
  try {
    await child.ask({ ask: "start", ...question });
  } catch (error) {
    await child.close();
    throw error;
  }
  return {
    steps: async (count) => (await child.ask({ ask: "steps", count })).seconds as number,
    quality: async (limit) => (await child.ask({ ask: "quality", limit: limit ?? null })).quality as number,
    close: () => child.close(),
  };
}
