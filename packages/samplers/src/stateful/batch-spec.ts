import { OptionError, requireInteger, requireOneOf } from "@logq/core";
import { createSamplerState, MAX_CLASSES, type SamplerState, samplerStateBytes } from "../state.js";
import type { SamplerSpec } from "../types.js";
import {
  createFrequencyTables,
  type FrequencySpec,
  type FrequencyTables,
  frequencyBytes,
  type ValidFrequencySpec,
  validateFrequencySpec,
} from "./frequency-tables.js";
import { createRing, type RingTables } from "./target-ring.js";

export const OWN_LABELS = ["counted", "left-out"] as const;
/** Whether the row's own label is one of the targets whose expected count is stated. */
export type OwnLabels = (typeof OWN_LABELS)[number];

export const BATCH_NAMES = ["in-batch", "mixed", "cross-batch"] as const;

export interface BatchSpec {
  readonly name: (typeof BATCH_NAMES)[number];
  /** Default { kind: "average" }. */
  readonly frequency?: FrequencySpec;
  /** Default `counted`: Q = B·f. `left-out`: Q = (B − 1)·f, for rows of one label whose hits are removed. */
  readonly own?: OwnLabels;
  /** Only `mixed`: the law of the S draws beside the batch, with replacement unless uniform. Default { name: "uniform" }. */
  readonly extra?: SamplerSpec | null;
  /** Only `cross-batch`: M, the batches the ring keeps, in [1, 2^20]. */
  readonly batches?: number;
  /** Only `cross-batch`: the most targets of a batch. batches·labels is at most 2^24. */
  readonly labels?: number;
}

export interface ValidBatchSpec extends Required<BatchSpec> {
  readonly frequency: ValidFrequencySpec;
}

/** The state of a batch sampler, made once and posted to threads. */
export interface BatchTables {
  readonly spec: ValidBatchSpec;
  readonly n: number;
  readonly frequency: FrequencyTables;
  /** Only `cross-batch`. */
  readonly ring: RingTables | null;
  /** Only `mixed`. */
  readonly extra: SamplerState | null;
}

const FIELDS = ["name", "frequency", "own", "extra", "batches", "labels"];
const MOST_HELD = 2 ** 24;

/** Checks a spec and fills in the defaults; options of other samplers are 0 or null. @throws OptionError */
export function validateBatchSpec(spec: BatchSpec, n: number): ValidBatchSpec {
  for (const field of Object.keys(spec)) requireOneOf(`a field of ${spec.name}`, field, FIELDS);
  const name = requireOneOf("sampler", spec.name, BATCH_NAMES);
  requireInteger("n", n, 1, MAX_CLASSES);
  if (name !== "mixed") refuse(spec, "extra", null);
  if (name !== "cross-batch") for (const field of ["batches", "labels"] as const) refuse(spec, field, 0);
  const ring = name === "cross-batch";
  const batches = ring ? requireInteger("batches", spec.batches, 1, 2 ** 20) : 0;
  return {
    name,
    frequency: validateFrequencySpec(spec.frequency ?? { kind: "average" }, n),
    own: requireOneOf("own", spec.own ?? "counted", OWN_LABELS),
    extra: name === "mixed" ? requireLinear(spec.extra ?? { name: "uniform" }) : null,
    batches,
    labels: ring ? requireInteger("labels", spec.labels, 1, Math.floor(MOST_HELD / batches)) : 0,
  };
}

/** @throws OptionError, ShapeError, NotFiniteError, SamplerError, MemoryLimitError */
export function createBatchTables(spec: BatchSpec, n: number, counts?: ArrayLike<number>): BatchTables {
  const valid = validateBatchSpec(spec, n);
  return {
    spec: valid,
    n,
    frequency: createFrequencyTables(spec.frequency ?? { kind: "average" }, n, counts),
    ring: valid.batches === 0 ? null : createRing(n, valid.batches, valid.labels),
    extra: valid.extra === null ? null : createSamplerState(valid.extra, n, counts === undefined ? {} : { counts }),
  };
}

/** Bytes of the tables of a valid spec. */
export function batchBytes(spec: ValidBatchSpec, n: number): number {
  const ring = spec.batches === 0 ? 0 : 4 * spec.batches * (spec.labels + 1) + 16;
  return frequencyBytes(spec.frequency, n) + ring + (spec.extra === null ? 0 : samplerStateBytes(spec.extra, n));
}

/** A law whose expected count is S·p, so that it can be added: without replacement it depends on the draw, except for the uniform law. */
function requireLinear(extra: SamplerSpec): SamplerSpec {
  const { name, replacement = true, expectedCount = "exact" } = extra;
  const linear = replacement === true || (name === "uniform" && expectedCount === "exact");
  if (name === "given" || !linear) {
    throw new OptionError(
      `mixed adds the expected counts of two draws, which ${name} without a law S·p does not have`,
      {
        name: "extra",
        extra,
      },
    );
  }
  return extra;
}

function refuse(spec: BatchSpec, field: "extra" | "batches" | "labels", nothing: null | 0): void {
  if (spec[field] === undefined || spec[field] === nothing) return;
  throw new OptionError(`the sampler ${spec.name} has no option ${field}`, { name: field, value: spec[field] });
}
