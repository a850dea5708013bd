import { BackendError } from "@logq/core";
import { thisCpu } from "./cpu.js";
import type { InstructionSet } from "./generate/vectors.js";

/** What the processor must say it has for each instruction set, the widest first. */
const NEEDS: Readonly<Record<InstructionSet, readonly string[]>> = {
  avx512: ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx2", "fma", "bmi1", "popcnt"],
  avx2: ["avx2", "fma", "bmi1", "popcnt"],
};

/** Instruction sets of a processor with these flags that kernels can be written for, the widest first. */
export function usableSets(
  flags: ReadonlySet<string> = thisCpu().flags,
  platform: string = process.platform,
  architecture: string = process.arch,
): readonly InstructionSet[] {
  if (platform !== "linux" || architecture !== "x64") return [];
  return (Object.keys(NEEDS) as InstructionSet[]).filter((set) => NEEDS[set].every((flag) => flags.has(flag)));
}

/**
 * The set that LOGQ_NATIVE names, or else the widest.
 * @throws BackendError if there is none, or the one that was named is not among them
 */
export function chooseSet(named = process.env.LOGQ_NATIVE, usable = usableSets()): InstructionSet {
  const set = named === undefined || named === "" ? usable[0] : usable.find((candidate) => candidate === named);
  if (set !== undefined) return set;
  const asked = named === undefined || named === "" ? "" : ` with LOGQ_NATIVE=${named}`;
  const has = usable.length === 0 ? "neither AVX2 with FMA nor AVX-512, or is not an x64 Linux" : usable.join(", ");
  throw new BackendError(
    `the back-end "native" cannot run here${asked}: it writes machine code for x64 Linux with AVX2 and FMA, or AVX-512 (F, DQ, BW, VL); this machine has ${has}`,
    { backend: "native", named, usable },
  );
}
