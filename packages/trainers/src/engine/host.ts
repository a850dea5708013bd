import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import {
  type Backend,
  type BackendChoice,
  compileBackend,
  instantiateBackend,
  moveToHugePages,
  preferHugePages,
} from "@logq/blas";
import { MemoryLimitError, requireInteger } from "@logq/core";
import { KernelMemory, type Kernels, MAX_MEMORY_BYTES, MemoryPlan } from "@logq/kernels";
import { writeMemoryTable } from "@logq/samplers";
import type { Crew, SyncCrew } from "../parallel/crew.js";
import { InlineCrew } from "../parallel/inline-crew.js";
import { JoinedCrew } from "../parallel/joined-crew.js";
import type { Team } from "../parallel/team.js";
import { WorkerCrew } from "../parallel/worker-crew.js";
import type { EngineCommand } from "./commands.js";
import { Engine } from "./engine.js";
import type { EngineInput } from "./engine-input.js";
import { type Placement, placements } from "./large-tables.js";
import { type EngineLayout, planEngine } from "./layout.js";
import type { EngineSpec } from "./spec.js";
import { startTemperature } from "./temperature.js";

const WORKER_FILE = new URL("../parallel/worker.js", import.meta.url).href;

export interface HostOptions {
  /** Threads that do the work; 0: the caller's does. */
  readonly workers: number;
  /** The caller's thread is one of the workers: commands begin and end at once, and block it. Default false: it stays free. */
  readonly callerWorks?: boolean;
  readonly backend: BackendChoice;
  /**
   * Set: the class table and the embedding table are divided among memories of at most this many bytes each, even if one would do.
   * By default that happens when one memory cannot hold everything, with 4 GiB each. It changes no bit of any result.
   */
  readonly bankBytes?: number;
  /** Takes the time of each kernel for `crew.profiles`, at about a tenth of a microsecond a call. Default false. */
  readonly profiled?: boolean;
}

/** An engine and the threads that run it, seen from the main thread. Owns the memories. */
export class EngineHost {
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
  /** The main memory. */
  readonly memory: KernelMemory;
  /** The main memory, then the banks. */
  readonly memories: readonly KernelMemory[];
  readonly backend: Backend;
  readonly crew: Crew<EngineCommand>;
  /** Set if the caller's thread works: the crew, for calls that may not wait. */
  readonly sync: SyncCrew<EngineCommand> | undefined;

  private constructor(
    input: EngineInput,
    memories: readonly KernelMemory[],
    { workers, callerWorks = false }: HostOptions,
  ) {
    this.spec = input.spec;
    this.layout = input.layout;
    this.memory = memories[0]!;
    this.memories = memories;
    this.backend = input.backend;
    const createEngine = (team: Team) => new Engine(input, team);
    if (workers === 0 || (callerWorks && workers === 1)) this.sync = new InlineCrew(createEngine);
    else if (callerWorks) this.sync = new JoinedCrew(WORKER_FILE, input, workers, createEngine);
    this.crew = this.sync ?? new WorkerCrew(WORKER_FILE, input, workers);
  }

  /** Plans, refuses what does not fit (MemoryLimitError), allocates and starts the workers. */
  static async create(spec: EngineSpec, options: HostOptions): Promise<EngineHost> {
    const workers = requireInteger("workers", options.workers, 0, 256);
    const backend = await compileBackend(options.backend, true);
    const layout = planLayout(spec, workers, backend, options.bankBytes);
    const bytes = [layout.mainBytes, ...layout.banks.map((bank) => bank.bytes)];
    const memories = bytes.map((some) => KernelMemory.create(some, true));
    for (const memory of memories) preferHugePages(memory.u8);
    // Examples lie far apart in what they are made of.
    for (const source of Object.values(spec.sources)) {
      for (const array of Object.values(source)) if (ArrayBuffer.isView(array)) moveToHugePages(array);
    }
    startTemperature(memories[0]!, spec, layout);
    const table = layout.builder.samplerTable;
    if (table !== 0) writeMemoryTable(spec.training!.candidates!.state!, memories[0]!, table);
    const [memory, ...banks] = memories.map((some) => some.memory);
    return new EngineHost(
      { backend, memory: memory!, banks, spec, layout, profiled: options.profiled ?? false },
      memories,
      options,
    );
  }

  /** The kernels in the main thread, for small jobs between commands. */
  kernels(): Kernels {
    return instantiateBackend(this.backend, this.memory);
  }

  run(command: EngineCommand, meanwhile?: () => void): Promise<void> {
    return this.crew.run(command, meanwhile);
  }

  close(): Promise<void> {
    return this.crew.close();
  }
}

/** What this machine, or the container that the process is in, has. */
function machineBytes(): number {
  return Math.min(totalmem(), constrainedMemory() || Number.POSITIVE_INFINITY);
}

/**
 * Where everything of an engine will lie. If one memory is too small, the larger of the two large tables moves to banks, then both.
 * @param machine the bytes there are for all memories
 * @throws MemoryLimitError with the bytes of the largest parts
 */
export function planLayout(
  spec: EngineSpec,
  workers: number,
  backend: Backend,
  bankBytes?: number,
  machine: number = machineBytes(),
): EngineLayout {
  const sizes = instantiateBackend(backend, KernelMemory.create(1, true));
  const [plan, layout] = firstThatFits(placements(spec, bankBytes), (placement) => {
    const some = new MemoryPlan();
    return [some, planEngine(some, spec, workers, sizes, placement)];
  });
  plan.requireFits(MAX_MEMORY_BYTES);
  requireMachineHas(machine, layout);
  return layout;
}

/** The first layout whose main memory is not too large, or else the last. */
function firstThatFits(
  all: readonly Placement[],
  layOut: (placement: Placement) => [MemoryPlan, EngineLayout],
): [MemoryPlan, EngineLayout] {
  const last = all.length - 1;
  for (let i = 0; i < last; i++) {
    const [plan, layout] = layOut(all[i]!);
    if (plan.bytes <= MAX_MEMORY_BYTES) return [plan, layout];
  }
  return layOut(all[last]!);
}

/** @throws MemoryLimitError if all memories together are more than there is, with what each holds */
function requireMachineHas(machine: number, { bytes, mainBytes, banks, regions }: EngineLayout): void {
  if (bytes <= machine) return;
  const largest = [...regions].sort((a, b) => b.bytes - a.bytes).slice(0, 4);
  const list = largest.map((region) => `${region.name} ${region.bytes}`).join(", ");
  throw new MemoryLimitError(`${bytes} bytes are needed, but this machine has ${machine}; the largest parts: ${list}`, {
    bytes,
    limit: machine,
    memories: [mainBytes, ...banks.map((bank) => bank.bytes)],
    regions,
  });
}
