import { createRequire } from "node:module";
import { BackendError } from "@logq/core";
import type { BlasFacts } from "./facts.js";
import { fileOf } from "./find.js";

/**
 * C (M, N) = alpha · op(A) · op(B) + beta · C in row-major order, with addresses as plain integers.
 * order 101; operations 111 (as it lies) or 112 (transposed).
 */
export type Sgemm = (
  order: number,
  operationA: number,
  operationB: number,
  M: number,
  N: number,
  K: number,
  alpha: number,
  A: number,
  lda: number,
  B: number,
  ldb: number,
  beta: number,
  C: number,
  ldc: number,
) => void;

/** A BLAS in this process, bound to one thread a call. */
export interface BlasLibrary {
  readonly facts: BlasFacts;
  readonly sgemm: Sgemm;
  /** The address of a typed array's first byte. */
  addressOf(view: Uint8Array): number;
}

const SGEMM =
  "void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, uintptr_t a, int lda, uintptr_t b, int ldb, float beta, uintptr_t c, int ldc)";

const open = new Map<string, BlasLibrary>();

/**
 * Loads a BLAS. One thread a call: the caller's threads share the work among themselves.
 * @throws BackendError with the loader's reason
 */
export function openLibrary(path: string): BlasLibrary {
  const known = open.get(path);
  if (known !== undefined) return known;
  try {
    const library = load(path);
    open.set(path, library);
    return library;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError(`${path} cannot be used as a BLAS: ${reason}`, { path, reason }, { cause });
  }
}

function load(path: string): BlasLibrary {
  // koffi is a native add-on: on a platform that it has no binary for, requiring it throws, and this back-end is not there.
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(path);
  const sgemm = library.func(SGEMM) as Sgemm;
  const ask = (definition: string): string | undefined => {
    try {
      return library.func(definition)() as string;
    } catch {
      return undefined;
    }
  };
  const config = ask("const char *openblas_get_config()");
  if (config !== undefined) library.func("void openblas_set_num_threads(int count)")(1);
  return {
    facts: {
      library: nameOf(path, config),
      path,
      file: fileOf(path),
      core: ask("const char *openblas_get_corename()"),
    },
    sgemm,
    addressOf: (view) => Number(koffi.address(view)),
  };
}

/** OpenBLAS's configuration begins with its name and version. */
function nameOf(path: string, config: string | undefined): string {
  if (config !== undefined) return config.split(" ").slice(0, 2).join(" ");
  return path.includes("Accelerate") ? "Accelerate" : path;
}
