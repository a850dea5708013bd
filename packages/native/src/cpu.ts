import { readFileSync } from "node:fs";
import { arch, cpus } from "node:os";

/** What this machine's processor calls itself, and the instruction sets it says it has (lower case; empty where the system does not tell). */
export interface Cpu {
  readonly model: string;
  readonly flags: ReadonlySet<string>;
}

export function thisCpu(): Cpu {
  return { model: `${arch()} ${cpus()[0]?.model ?? "unknown"}`, flags: cpuFlags() };
}

function cpuFlags(): ReadonlySet<string> {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"));
    return new Set(line?.[1]?.split(" "));
  } catch {
    // No Linux: what there is cannot be known.
    return new Set();
  }
}
