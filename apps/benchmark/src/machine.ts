import os from "node:os";

/** Where a sweep ran: numbers mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  /** Logical processors that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** "linux x64 6.1.0". */
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  /** When the sweep was started last, ISO 8601, UTC. */
  readonly date: string;
  /** float32 GEMM rate through the chosen back-end, 1e9 flop/s by number of threads; empty until it is measured. */
  readonly gemmGigaflops: Readonly<Record<string, number>>;
  /** The part of the time in which the system let the threads of that measurement run, in [0, 1]; null until it is measured. */
  readonly processorShare: number | null;
}

/** Describes this machine. `gemmGigaflops` and `processorShare` are filled in by who measures. */
export function describeMachine(now: Date = new Date()): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    os: `${os.platform()} ${os.arch()} ${os.release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    date: now.toISOString(),
    gemmGigaflops: {},
    processorShare: null,
  };
}

/** The differences between two machines that make times incomparable, one phrase each; empty if there are none. */
export function machineChanges(before: Machine, now: Machine): string[] {
  const names = ["cpu", "cores", "os", "node"] as const;
  return names.filter((name) => before[name] !== now[name]).map((name) => `${name} ${before[name]} -> ${now[name]}`);
}
