import { Assembler } from "../assembler/assembler.js";
import { BFLOAT16_KERNELS, type Bfloat16Unit } from "./bfloat16/bfloat16-kernels.js";
import { MATRIX_KERNELS } from "./matrix-kernels.js";
import { UPDATE_KERNELS } from "./optimizer/update-kernels.js";
import { RANDOM_KERNELS } from "./random/random-kernels.js";
import { ROW_KERNELS } from "./rows/row-kernels.js";
import { TILE_KERNELS } from "./tile/tile-kernels.js";
import type { InstructionSet } from "./vectors.js";

/** Writes one kernel, as a function of the address of its argument block. */
export type Generator = (asm: Assembler, set: InstructionSet) => void;

/** Every kernel, by name. */
const GENERATORS = {
  ...MATRIX_KERNELS,
  ...ROW_KERNELS,
  ...UPDATE_KERNELS,
  ...TILE_KERNELS,
  ...RANDOM_KERNELS,
} as const satisfies Record<string, Generator>;

export type KernelName = keyof typeof GENERATORS;

/** The kernels of products in bfloat16, which are a program of their own. */
export type Bfloat16KernelName = keyof (typeof BFLOAT16_KERNELS)[Bfloat16Unit];

/** Where in a program each kernel begins, in bytes. */
export type Entries<Name extends string = KernelName> = Readonly<Record<Name, number>>;

/** Machine code of several kernels in one piece. */
export interface Program<Name extends string = KernelName> {
  readonly code: Uint8Array;
  readonly entries: Entries<Name>;
}

/** Writes all kernels for an instruction set. The same bytes every time. */
export function generateProgram(set: InstructionSet): Program {
  return assemble(GENERATORS, set);
}

/** Writes the kernels of products in bfloat16, for a processor with AVX-512 and the unit. The same bytes every time. */
export function generateBfloat16Program(unit: Bfloat16Unit): Program<Bfloat16KernelName> {
  return assemble(BFLOAT16_KERNELS[unit], "avx512");
}

function assemble<Name extends string>(
  generators: Readonly<Record<Name, Generator>>,
  set: InstructionSet,
): Program<Name> {
  const asm = new Assembler();
  const entries = {} as Record<Name, number>;
  for (const name of Object.keys(generators) as Name[]) {
    asm.align(64);
    entries[name] = asm.length;
    generators[name](asm, set);
  }
  return { code: asm.finish(), entries };
}
