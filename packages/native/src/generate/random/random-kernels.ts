import { generateDropout } from "./dropout.js";

/** Kernels that draw. */
export const RANDOM_KERNELS = { dropout: generateDropout } as const;
