import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import { type Backend, type BackendChoice, compileBackend, instantiateBackend } from "@logq/blas";
import { MemoryLimitError, requireInteger } from "@logq/core";
import { KernelMemory, type Kernels, MAX_MEMORY_BYTES, MemoryPlan } from "@logq/kernels";
import type { Crew } from "../parallel/crew.js";
import { InlineCrew } from "../parallel/inline-crew.js";
import { WorkerCrew } from "../parallel/worker-crew.js";
import type { EngineCommand } from "./commands.js";
import { Engine, type EngineInput } from "./engine.js";
import { type EngineLayout, planEngine } from "./layout.js";
import type { EngineSpec } from "./spec.js";

const WORKER_FILE = new URL("../parallel/worker.js", import.meta.url).href;

export interface HostOptions {
  /** Worker threads; 0: the caller's thread does the work. */
  readonly workers: number;
  readonly backend: BackendChoice;
}

/** An engine and the threads that run it, seen from the main thread. Owns the memory. */
export class EngineHost {
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  readonly memory: KernelMemory;
  readonly backend: Backend;
  readonly crew: Crew<EngineCommand>;
  /** Set if the caller's thread does the work: its crew, for calls that may not wait. */
  readonly inline: InlineCrew<EngineCommand> | undefined;

  private constructor(input: EngineInput, memory: KernelMemory, workers: number) {
    this.spec = input.spec;
    this.layout = input.layout;
    this.memory = memory;
    this.backend = input.backend;
    this.inline = workers === 0 ? new InlineCrew((team) => new Engine(input, team)) : undefined;
    this.crew = this.inline ?? new WorkerCrew(WORKER_FILE, input, workers);
  }

  /** Plans, refuses what does not fit (MemoryLimitError), allocates and starts the workers. */
  static async create(spec: EngineSpec, options: HostOptions): Promise<EngineHost> {
    const workers = requireInteger("workers", options.workers, 0, 256);
    const backend = await compileBackend(options.backend, true);
    const layout = planLayout(spec, workers, backend);
    const memory = KernelMemory.create(layout.bytes, true);
    return new EngineHost({ backend, memory: memory.memory, spec, layout }, memory, workers);
  }

  /** The kernels in the main thread, for small jobs between commands. */
  kernels(): Kernels {
    return instantiateBackend(this.backend, this.memory);
  }

  run(command: EngineCommand): Promise<void> {
    return this.crew.run(command);
  }

  close(): Promise<void> {
    return this.crew.close();
  }
}

/** Where everything of an engine will lie. @throws MemoryLimitError with the bytes of the largest parts */
export function planLayout(spec: EngineSpec, workers: number, backend: Backend): EngineLayout {
  const plan = new MemoryPlan();
  const sizes = instantiateBackend(backend, KernelMemory.create(1, true));
  const layout = planEngine(plan, spec, workers, sizes);
  plan.requireFits(MAX_MEMORY_BYTES);
  const constrained = constrainedMemory() || Number.POSITIVE_INFINITY;
  const machine = Math.min(totalmem(), constrained);
  if (plan.bytes > machine) {
    throw new MemoryLimitError(`${plan.bytes} bytes are needed, but this machine has ${machine}`, {
      bytes: plan.bytes,
      limit: machine,
    });
  }
  return layout;
}
