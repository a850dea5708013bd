import { BackendError, requireOneOf } from "@logq/core";
import type { BackendName, Kernels } from "./interface/kernels.js";
import type { KernelMemory } from "./memory.js";
import { createReferenceKernels } from "./reference/index.js";
import { createWasmKernels } from "./wasm/kernels.js";
import { wasmBinary } from "./wasm/module.js";

/** The back-ends of this package. */
export type KernelsName = Exclude<BackendName, "native" | "blas">;

/** `auto` takes WebAssembly SIMD where it runs and the reference elsewhere; a name is taken or refused. */
export type KernelsChoice = KernelsName | "auto";

/**
 * A back-end, compiled. The structured clone algorithm carries it to workers, where `instantiateKernels` binds it to a memory.
 * A caller that chose `auto` should print `name`.
 */
export interface CompiledKernels {
  readonly name: KernelsName;
  /** Whether the memories it will be bound to are shared. */
  readonly shared: boolean;
  /** Absent for the reference. */
  readonly module: WebAssembly.Module | undefined;
}

const CHOICES = ["auto", "wasm", "reference"] as const;

/** One compilation per flavour and process; a failed one is tried again. */
const compilations = new Map<boolean, Promise<WebAssembly.Module>>();

/**
 * Chooses and compiles a back-end, for shared memories or for unshared ones. Throws BackendError, with the reason, if a back-end that was
 * asked for by name cannot run here, and OptionError if there is none of that name.
 */
export async function compileKernels(choice: KernelsChoice, shared: boolean): Promise<CompiledKernels> {
  requireOneOf("backend", choice, CHOICES);
  if (choice === "reference") return { name: "reference", shared, module: undefined };
  try {
    return { name: "wasm", shared, module: await compileOnce(shared) };
  } catch (cause) {
    if (choice === "auto") return { name: "reference", shared, module: undefined };
    throw unavailable(shared, cause);
  }
}

function compileOnce(shared: boolean): Promise<WebAssembly.Module> {
  const known = compilations.get(shared);
  if (known) return known;
  const compilation = compile(shared);
  compilations.set(shared, compilation);
  compilation.catch(() => compilations.delete(shared));
  return compilation;
}

async function compile(shared: boolean): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === "undefined") throw new Error("there is no WebAssembly");
  const binary = wasmBinary(shared);
  if (!WebAssembly.validate(binary)) {
    throw new Error(shared ? "WebAssembly lacks 128-bit SIMD or threads" : "WebAssembly lacks 128-bit SIMD");
  }
  return await WebAssembly.compile(binary);
}

function unavailable(shared: boolean, cause: unknown): BackendError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BackendError(
    `the back-end "wasm" cannot run here: ${reason}`,
    { backend: "wasm", shared, reason },
    { cause },
  );
}

/**
 * Binds a compiled back-end to a memory: one instance per memory and thread. Throws BackendError if the memory is shared and the
 * back-end was compiled for unshared ones, or the other way round.
 */
export function instantiateKernels(compiled: CompiledKernels, memory: KernelMemory): Kernels {
  if (compiled.module === undefined) return createReferenceKernels(memory);
  if (compiled.shared !== memory.shared) {
    const kind = (shared: boolean) => (shared ? "shared" : "unshared");
    throw new BackendError(
      `kernels compiled for ${kind(compiled.shared)} memory were given a memory that is ${kind(memory.shared)}`,
      { backend: compiled.name, compiledForShared: compiled.shared, memoryShared: memory.shared },
    );
  }
  return createWasmKernels(compiled.module, memory);
}
