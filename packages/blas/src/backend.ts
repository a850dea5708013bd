import { isMainThread } from "node:worker_threads";
import { BackendError, requireOneOf } from "@logq/core";
import {
  type BackendName,
  type CompiledKernels,
  compileKernels,
  instantiateKernels,
  type KernelMemory,
  type Kernels,
} from "@logq/kernels";
import { type Bfloat16Unit, chooseSet, loadNative, type NativeCode, nativeKernels } from "@logq/native";
import { fastestCoreType } from "./core-type.js";
import type { BlasFacts } from "./facts.js";
import { libraryCandidates } from "./find.js";
import { type BlasLibrary, openLibrary } from "./library.js";
import { blasMatrix } from "./matrix.js";

/** `auto` takes machine code of our own where the processor is one that it is written for, then a BLAS if there is one, then WebAssembly, then the reference; a name is taken or refused. */
export type BackendChoice = BackendName | "auto";

/** A back-end, chosen and compiled: what `instantiateBackend` binds to a memory, in any thread. Survives the structured clone algorithm. */
export interface Backend {
  readonly name: BackendName;
  /** What computes everything, or what is left by `native` or `blas`. */
  readonly kernels: CompiledKernels;
  /** The machine code of `native`, in this process. */
  readonly native: NativeCode | undefined;
  /** What computes the matrix products of `blas`. */
  readonly blas: BlasFacts | undefined;
}

const CHOICES = ["auto", "native", "blas", "wasm", "reference"] as const;

/**
 * Chooses a back-end, for shared memories or for unshared ones. Call it in the main thread first: the environment that a BLAS reads when it is
 * loaded can only be set there.
 * @throws BackendError, with the reason and what to install, if a back-end that was asked for by name cannot run here; OptionError if there is
 *   none of that name
 */
export async function compileBackend(choice: BackendChoice, shared: boolean): Promise<Backend> {
  requireOneOf("backend", choice, CHOICES);
  if (choice === "auto") return await firstThatRuns(shared);
  if (choice === "wasm" || choice === "reference") return plain(await compileKernels(choice, shared));
  const parts =
    choice === "native"
      ? { native: loadNative(chooseSet()), blas: undefined }
      : { native: undefined, blas: loadBlas().facts };
  return { name: choice, kernels: await compileKernels("wasm", shared), ...parts };
}

async function firstThatRuns(shared: boolean): Promise<Backend> {
  for (const name of ["native", "blas"] as const) {
    try {
      return await compileBackend(name, shared);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
    }
  }
  return plain(await compileKernels("auto", shared));
}

/** The back-ends that run here, the fastest first. */
export async function availableBackends(): Promise<readonly BackendName[]> {
  const names = ["native", "blas", "wasm", "reference"] as const;
  const usable = await Promise.all(
    names.map((name) =>
      compileBackend(name, true).then(
        () => true,
        () => false,
      ),
    ),
  );
  return names.filter((_, i) => usable[i]);
}

function plain(kernels: CompiledKernels): Backend {
  return { name: kernels.name, kernels, native: undefined, blas: undefined };
}

/** Binds a back-end to a memory: one instance a memory and thread. @throws BackendError as `instantiateKernels` does */
export function instantiateBackend(backend: Backend, memory: KernelMemory): Kernels {
  const kernels = instantiateKernels(backend.kernels, memory);
  if (backend.native !== undefined) return nativeKernels(backend.native, memory, kernels);
  if (backend.blas === undefined) return kernels;
  return { ...kernels, name: "blas", matrix: blasMatrix(memory, openLibrary(backend.blas.path)) };
}

const UNIT_NAMES: Readonly<Record<Bfloat16Unit, string>> = { amx: "AMX", avx512_bf16: "AVX512_BF16" };

/** One line for people: which back-end, its instruction set and, of a BLAS, which library with kernels for which processor. */
export function describeBackend({ name, native, blas }: Backend): string {
  if (native !== undefined) {
    const unit = native.bfloat16 === undefined ? "" : `; bfloat16 products by ${UNIT_NAMES[native.bfloat16.unit]}`;
    return `${name} (${native.set.toUpperCase()}${unit})`;
  }
  if (blas === undefined) return name;
  const core = blas.core === undefined ? "" : ` for ${blas.core}`;
  return `${name} (${blas.library}${core}, ${blas.file})`;
}

let loaded: BlasLibrary | undefined;

/** The first BLAS that can be loaded; once a process. */
function loadBlas(): BlasLibrary {
  if (loaded !== undefined) return loaded;
  const reasons: string[] = [];
  for (const path of libraryCandidates()) {
    try {
      loaded = withEnvironment(settingsFor(path), () => openLibrary(path));
      return loaded;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new BackendError(
    `the back-end "blas" cannot run here: ${reasons.join("; ")}. Install OpenBLAS (Debian, Ubuntu: libopenblas0-pthread; Fedora: openblas; Arch: openblas), or name a library with LOGQ_BLAS`,
    { backend: "blas", reasons },
  );
}

/** What OpenBLAS and Accelerate read when they are loaded. */
function settingsFor(path: string): Record<string, string> {
  const threads = { OPENBLAS_NUM_THREADS: "1", VECLIB_MAXIMUM_THREADS: "1" };
  // A worker's environment is a copy that C does not see: there is nothing to set.
  if (!isMainThread || !/openblas/i.test(path)) return threads;
  const core = process.env.LOGQ_BLAS_CORE || fastestCoreType(path);
  return core === undefined ? threads : { ...threads, OPENBLAS_CORETYPE: core };
}

/** Runs `body` with more in the environment, which is then as it was: child processes must not inherit it. */
function withEnvironment<T>(settings: Record<string, string>, body: () => T): T {
  const before = Object.keys(settings).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, settings);
  try {
    return body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
