import { BackendError } from "@logq/core";
import type { KernelMemory, Kernels } from "@logq/kernels";
import { nativeBfloat16Matrix } from "./bfloat16.js";
import { type Bind, bindKernel } from "./bind.js";
import { nativeDense } from "./dense.js";
import { nativeDraws } from "./draws.js";
import { makeExecutable } from "./executable.js";
import type { Bfloat16Unit } from "./generate/bfloat16/bfloat16-kernels.js";
import { type Bfloat16KernelName, type Entries, generateBfloat16Program, generateProgram } from "./generate/program.js";
import type { InstructionSet } from "./generate/vectors.js";
import { nativeMatrix } from "./matrix.js";
import { nativeOptimizer } from "./optimizer.js";
import { nativePieces } from "./pieces.js";
import { nativeRows } from "./rows.js";
import { nativeTile } from "./tile.js";
import { allowTiles } from "./tiles.js";
import { isFast, usableUnits } from "./usable.js";
import { nativeCopyIn, nativeVector } from "./vector.js";

/** Machine code in this process: all threads run it from where it lies. Plain data, but of no use to another process. */
export interface NativeCode {
  readonly set: InstructionSet;
  /** Address of the first byte. */
  readonly address: number;
  readonly entries: Entries;
  /** Of the products in bfloat16, where the processor has a unit for them and the set is AVX-512. */
  readonly bfloat16: Bfloat16Code | undefined;
}

/** The program of the products in bfloat16. */
export interface Bfloat16Code {
  readonly unit: Bfloat16Unit;
  readonly address: number;
  readonly entries: Entries<Bfloat16KernelName>;
}

const loaded = new Map<string, NativeCode>();

/**
 * Writes all kernels for an instruction set, and those for products in bfloat16 with `unit` or without (undefined), into executable memory, once a
 * process. Whether the processor has the instructions is the caller's to know: `usableSets`, `usableUnits`.
 * @throws BackendError, with the reason, where code cannot be made executable
 */
export function loadNative(
  set: InstructionSet,
  unit: Bfloat16Unit | undefined = set === "avx512" ? firstUnit() : undefined,
): NativeCode {
  const key = `${set} ${unit}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  try {
    const { code, entries } = generateProgram(set);
    const bfloat16 = unit === undefined ? undefined : loadBfloat16(unit);
    const native = { set, address: makeExecutable(code), entries, bfloat16 };
    loaded.set(key, native);
    return native;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError(
      `the back-end "native" cannot run here: ${reason}`,
      { backend: "native", set, reason },
      { cause },
    );
  }
}

function loadBfloat16(unit: Bfloat16Unit): Bfloat16Code {
  const { code, entries } = generateBfloat16Program(unit);
  return { unit, address: makeExecutable(code), entries };
}

/** The fastest unit for products in bfloat16 that the processor has and the system lets us use, if it gains anything. */
function firstUnit(): Bfloat16Unit | undefined {
  return usableUnits().find((unit) => isFast(unit) && (unit !== "amx" || allowTiles()));
}

/** Binds the code to a memory, for the calling thread. What it has no kernel for is `others`'s, kernels over the same memory. */
export function nativeKernels(native: NativeCode, memory: KernelMemory, others: Kernels): Kernels {
  const bind: Bind = (name, words) => bindKernel(native.address + native.entries[name], memory, words);
  const kernels = boundKernels(native.set, memory, others, bind);
  const { bfloat16 } = native;
  const bfloat16Matrix =
    bfloat16 === undefined
      ? undefined
      : nativeBfloat16Matrix(memory, (name) => bindKernel(bfloat16.address + bfloat16.entries[name], memory));
  return { ...kernels, bfloat16Matrix, vector: { ...kernels.vector, copyIn: nativeCopyIn(memory) } };
}

/** The same of a program for `set` that whoever hands `bind` over knows how to run on `memory`; products in bfloat16 are `others`'s. */
export function boundKernels(set: InstructionSet, memory: KernelMemory, others: Kernels, bind: Bind): Kernels {
  return {
    ...others,
    name: "native",
    matrix: nativeMatrix(memory, set, bind),
    tile: nativeTile(bind, others.tile),
    rows: nativeRows(bind),
    pieces: nativePieces(memory, bind),
    optimizer: nativeOptimizer(bind),
    vector: nativeVector(bind, others.vector),
    dense: nativeDense(bind, others.dense),
    draws: nativeDraws(bind, others.draws),
  };
}
