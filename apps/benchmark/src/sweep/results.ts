import { z } from "zod";
import type { Machine } from "../machine.js";
import type { CellResult } from "../measure/types.js";
import { BACKENDS, LOSSES, PRESETS, SAMPLERS } from "../names.js";
import type { Settings } from "./settings.js";

/** The content of results.json. */
export interface Results {
  readonly machine: Machine;
  readonly settings: Settings;
  /** In the order of `compareCells`. */
  readonly cells: readonly CellResult[];
}

const count = z.number().int().min(1);
const measured = z.number().nullable();
const recall = z.object({ "1": z.number(), "10": z.number() }).nullable();

const cell: z.ZodType<CellResult> = z.object({
  classes: count,
  loss: z.enum(LOSSES),
  sampler: z.enum(SAMPLERS).nullable(),
  negatives: count.nullable(),
  workers: count,
  backend: z.string().nullable(),
  steps: measured,
  seconds: measured,
  stepMilliseconds: measured,
  stepMillisecondsLow: measured,
  stepMillisecondsHigh: measured,
  examplesPerSecond: measured,
  tableBytes: measured,
  gemmShare: measured,
  crossEntropy: measured,
  crossEntropyAtEqualSteps: measured,
  bestCrossEntropy: measured,
  recall,
  recallAtEqualSteps: recall,
  equalSteps: measured,
  gradientBias: measured,
  gradientSpread: measured,
  reason: z.string().nullable(),
  failed: z.boolean(),
});

const machine: z.ZodType<Machine> = z.object({
  cpu: z.string(),
  cores: count,
  memoryBytes: z.number(),
  os: z.string(),
  node: z.string(),
  v8: z.string(),
  date: z.string(),
  gemmGigaflops: z.record(z.string(), z.number()),
  processorShare: measured,
});

const settings: z.ZodType<Settings> = z.object({
  format: z.number().int(),
  preset: z.enum(PRESETS),
  classes: z.array(count),
  losses: z.array(z.enum(LOSSES)),
  samplers: z.array(z.enum(SAMPLERS)).nullable(),
  samplersAt: count.nullable(),
  negatives: z.array(count),
  workers: z.array(count),
  dim: count,
  batch: count,
  seed: z.number().int(),
  backend: z.enum(BACKENDS),
  data: z.string().nullable(),
  seconds: z.number(),
});

/** Checks what was read from a results.json. Keys it does not know (the conclusion, which is computed anew) are dropped. */
export const resultsSchema: z.ZodType<Results> = z.object({ machine, settings, cells: z.array(cell) });
