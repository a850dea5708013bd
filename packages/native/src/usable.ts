import { BackendError } from "@logq/core";
import { thisCpu } from "./cpu.js";
import type { Bfloat16Unit } from "./generate/bfloat16/bfloat16-kernels.js";
import type { InstructionSet } from "./generate/vectors.js";

/** What the processor must say it has for each instruction set, the widest first. */
const NEEDS: Readonly<Record<InstructionSet, readonly string[]>> = {
  avx512: ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx2", "fma", "bmi1", "popcnt"],
  avx2: ["avx2", "fma", "bmi1", "popcnt"],
};

/** The same for products in bfloat16, besides AVX-512; the fastest first. */
const UNIT_NEEDS: Readonly<Record<Bfloat16Unit, readonly string[]>> = {
  amx: ["amx_tile", "amx_bf16", "avx512_bf16"],
  avx512_bf16: ["avx512_bf16"],
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
 * Whether products by a unit are faster than float32 products. Intel's processors take two cycles for each vdpbf16ps, and do half as many products
 * as with fused multiply-adds of float32; AMD's, from Zen 4 on, do twice as many.
 */
export function isFast(unit: Bfloat16Unit, model: string = thisCpu().model): boolean {
  return unit !== "avx512_bf16" || !/\bintel\b/i.test(model);
}

/** Units for products in bfloat16 of a processor with these flags, the fastest first. Tiles need the system's leave besides: `allowTiles`. */
export function usableUnits(
  flags: ReadonlySet<string> = thisCpu().flags,
  platform: string = process.platform,
  architecture: string = process.arch,
): readonly Bfloat16Unit[] {
  if (!usableSets(flags, platform, architecture).includes("avx512")) return [];
  return (Object.keys(UNIT_NEEDS) as Bfloat16Unit[]).filter((unit) =>
    UNIT_NEEDS[unit].every((flag) => flags.has(flag)),
  );
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
