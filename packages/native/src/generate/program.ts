import { Assembler } from "../assembler/assembler.js";
import { MATRIX_KERNELS } from "./matrix-kernels.js";
import { UPDATE_KERNELS } from "./optimizer/update-kernels.js";
import { ROW_KERNELS } from "./rows/row-kernels.js";
import { TILE_KERNELS } from "./tile/tile-kernels.js";
import type { InstructionSet } from "./vectors.js";

/** Writes one kernel, as a function of the address of its argument block. */
export type Generator = (asm: Assembler, set: InstructionSet) => void;

/** Every kernel, by name. */
const GENERATORS = { ...MATRIX_KERNELS, ...ROW_KERNELS, ...UPDATE_KERNELS, ...TILE_KERNELS } as const satisfies Record<
  string,
  Generator
>;

export type KernelName = keyof typeof GENERATORS;

/** Where in a program each kernel begins, in bytes. */
export type Entries = Readonly<Record<KernelName, number>>;

/** Machine code of all kernels in one piece. */
export interface Program {
  readonly code: Uint8Array;
  readonly entries: Entries;
}

/** Writes all kernels for an instruction set. The same bytes every time. */
export function generateProgram(set: InstructionSet): Program {
  const asm = new Assembler();
  const entries = {} as Record<KernelName, number>;
  for (const name of Object.keys(GENERATORS) as KernelName[]) {
    asm.align(64);
    entries[name] = asm.length;
    GENERATORS[name](asm, set);
  }
  return { code: asm.finish(), entries };
}
