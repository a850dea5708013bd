import { BackendError } from "@logq/core";
import type { KernelMemory, Kernels } from "@logq/kernels";
import { type Bind, bindKernel } from "./bind.js";
import { nativeDense } from "./dense.js";
import { makeExecutable } from "./executable.js";
import { type Entries, generateProgram } from "./generate/program.js";
import type { InstructionSet } from "./generate/vectors.js";
import { nativeMatrix } from "./matrix.js";
import { nativeOptimizer } from "./optimizer.js";
import { nativeRows } from "./rows.js";
import { nativeTile } from "./tile.js";
import { nativeCopyIn, nativeVector } from "./vector.js";

/** Machine code in this process: all threads run it from where it lies. Plain data, but of no use to another process. */
export interface NativeCode {
  readonly set: InstructionSet;
  /** Address of the first byte. */
  readonly address: number;
  readonly entries: Entries;
}

const loaded = new Map<InstructionSet, NativeCode>();

/**
 * Writes all kernels for an instruction set into executable memory, once a process. Whether the processor has the instructions is the caller's to
 * know: `usableSets`.
 * @throws BackendError, with the reason, where code cannot be made executable
 */
export function loadNative(set: InstructionSet): NativeCode {
  const known = loaded.get(set);
  if (known !== undefined) return known;
  try {
    const { code, entries } = generateProgram(set);
    const native = { set, address: makeExecutable(code), entries };
    loaded.set(set, native);
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

/** Binds the code to a memory, for the calling thread. What it has no kernel for is `others`'s, kernels over the same memory. */
export function nativeKernels(native: NativeCode, memory: KernelMemory, others: Kernels): Kernels {
  const bind: Bind = (name) => bindKernel(native.address + native.entries[name], memory);
  const kernels = boundKernels(native.set, memory, others, bind);
  return { ...kernels, vector: { ...kernels.vector, copyIn: nativeCopyIn(memory) } };
}

/** The same of a program for `set` that whoever hands `bind` over knows how to run on `memory`. */
export function boundKernels(set: InstructionSet, memory: KernelMemory, others: Kernels, bind: Bind): Kernels {
  return {
    ...others,
    name: "native",
    matrix: nativeMatrix(memory, set, bind),
    tile: nativeTile(bind, others.tile),
    rows: nativeRows(bind),
    optimizer: nativeOptimizer(bind),
    vector: nativeVector(bind, others.vector),
    dense: nativeDense(bind, others.dense),
  };
}
