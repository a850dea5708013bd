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
    // No Linux: OpenBLAS is left to what it finds.
    return new Set();
  }
}

/** What OpenBLAS's SkylakeX kernels need. It may not know the processor, and then takes kernels of half the width. */
const SKYLAKEX = ["avx512f", "avx512dq", "avx512bw", "avx512vl"];

/** Core types of OpenBLAS that this processor can run for certain, beside what OpenBLAS would choose. A core that it lacks is an illegal instruction. */
export function forcibleCores(flags: ReadonlySet<string>): readonly string[] {
  return SKYLAKEX.every((flag) => flags.has(flag)) ? ["SKYLAKEX"] : [];
}
