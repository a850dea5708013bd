import { availableParallelism, cpus, loadavg } from "node:os";

/** What times mean nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Load average of the last minute. */
  readonly load: number;
}

export function machineNow(): Machine {
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: availableParallelism(), load: loadavg()[0] ?? 0 };
}
