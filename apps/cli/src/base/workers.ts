import { availableParallelism } from "node:os";

/** Worker threads, if nobody says how many. Results do not depend on it. */
export const DEFAULT_WORKERS = Math.min(8, availableParallelism());

export const BACKENDS = ["auto", "native", "blas", "wasm", "reference"] as const;
