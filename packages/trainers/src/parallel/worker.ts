import type { EngineCommand } from "../engine/commands.js";
import { Engine } from "../engine/engine.js";
import type { EngineInput } from "../engine/engine-input.js";
import { serveCrew } from "./member.js";
import type { WorkerResult, WorkerTask } from "./worker-threads.js";

/** What a worker thread runs: the file that Piscina loads. */
export default function work(task: WorkerTask<EngineInput>): WorkerResult {
  return serveCrew<EngineInput, EngineCommand>(task, (input, team) => new Engine(input, team));
}
