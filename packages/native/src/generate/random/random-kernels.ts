import { generateAliasIds } from "./alias-ids.js";
import { generateDropout } from "./dropout.js";
import { generateLogUniformIds } from "./log-uniform-ids.js";
import { generateLogUniformLogs } from "./log-uniform-logs.js";
import { generatePermuted } from "./permuted.js";
import { generateUniformIds, generateUniformPairs } from "./uniform-draws.js";

/** Kernels that draw. */
export const RANDOM_KERNELS = {
  dropout: generateDropout,
  uniformPairs: generateUniformPairs,
  uniformIds: generateUniformIds,
  aliasIds: generateAliasIds,
  logUniformIds: generateLogUniformIds,
  logUniformLogs: generateLogUniformLogs,
  permuted: generatePermuted,
} as const;
