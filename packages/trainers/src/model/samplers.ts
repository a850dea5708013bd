import { OptionError, requireInteger, requireOneOf } from "@logq/core";
import {
  BATCH_NAMES,
  CONTEXTUAL_NAMES,
  type ContextualSpec,
  createSamplerState,
  createStatefulState,
  DESCRIBED_SAMPLERS,
  type DescribedSampler,
  MAX_CANDIDATES,
  POOL_NAMES,
  type PoolName,
  type SamplerSpec,
  STATEFUL_NAMES,
  type StatefulSpec,
  samplerFrom,
  statefulSamplerFrom,
  validateSamplerSpec,
} from "@logq/samplers";
import type { CandidateSpec } from "../engine/spec.js";

/**
 * Samplers by name: of a fixed law, those that learn from the targets they see, those that look at the row's hidden vector, and those that let each row
 * choose from a pool.
 */
export const TRAIN_SAMPLERS = DESCRIBED_SAMPLERS;
export type TrainSamplerName = DescribedSampler;

/** A pool that the batch shares, drawn by a law with replacement, from which each row takes as many as there are negatives. */
export interface PoolSpec {
  readonly name: PoolName;
  /** Candidates of the pool, at least as many as negatives. Default: four times as many. */
  readonly pool?: number;
  /** Default: the unigram of the counts where there are some, else uniform. */
  readonly law?: SamplerSpec;
}

/** What a run is stored with. */
export type RunSampler = SamplerSpec | StatefulSpec | ContextualSpec | PoolSpec;

/** A sampler's own options, beside its name. Plain data; which there are is the sampler's to say. */
export type SamplerOptions = Readonly<Record<string, unknown>>;

/** Whether candidates are targets of this batch, and of others: then a row's own label is always among them. */
export function bringsTargets(name: string | undefined): boolean {
  return (BATCH_NAMES as readonly string[]).includes(name ?? "");
}

export function isStateful(sampler: RunSampler): sampler is StatefulSpec {
  return (STATEFUL_NAMES as readonly string[]).includes(sampler.name);
}

export function isContextual(sampler: { readonly name: string }): sampler is ContextualSpec {
  return (CONTEXTUAL_NAMES as readonly string[]).includes(sampler.name);
}

/** A run's sampler with its options, as far as they can be checked without the classes. @throws OptionError */
export function runSampler(
  name: TrainSamplerName,
  fixed: Omit<SamplerSpec, "name">,
  own: SamplerOptions | undefined,
): RunSampler {
  requireOneOf("sampler", name, TRAIN_SAMPLERS);
  const spec = { name, ...own } as RunSampler;
  if (spec.name === "learned-unigram") return fixed.replacement === false ? { ...spec, replacement: false } : spec;
  if (isPool(spec)) return poolSpec(spec);
  return isStateful(spec) || isContextual(spec) ? spec : { ...fixed, ...spec };
}

export function isPool(sampler: { readonly name: string }): sampler is PoolSpec {
  return (POOL_NAMES as readonly string[]).includes(sampler.name);
}

function poolSpec(spec: PoolSpec): PoolSpec {
  for (const field of Object.keys(spec)) requireOneOf(`a field of ${spec.name}`, field, ["name", "pool", "law"]);
  if (spec.pool !== undefined) requireInteger("pool", spec.pool, 1, MAX_CANDIDATES);
  const law = spec.law === undefined ? undefined : validateSamplerSpec(spec.law);
  if (law !== undefined && (law.name === "given" || !law.replacement)) {
    throw new OptionError(`the pool of ${spec.name} is drawn by a law with replacement, not by ${law.name}`, { law });
  }
  return spec;
}

/** Whether equal candidates can be drawn. */
export function drawsWithReplacement(sampler: RunSampler): boolean {
  return isContextual(sampler) || isPool(sampler) || !("replacement" in sampler) || sampler.replacement !== false;
}

/** What candidates are made from. */
export interface CandidatePlan {
  readonly sampler: RunSampler;
  /** S, or what a sampler draws beside the targets that it brings itself. */
  readonly negatives: number;
  readonly per: "batch" | "row";
  /** Most labels of a batch. */
  readonly labels: number;
}

/**
 * The candidates of an engine. @param counts (n) how often each class is a label
 * @throws OptionError, SamplerError and what else the sampler's own checks throw
 */
export function planCandidates(plan: CandidatePlan, n: number, counts: ArrayLike<number> | undefined): CandidateSpec {
  const { sampler, negatives, per, labels } = plan;
  const known = counts === undefined ? {} : { counts };
  if (isContextual(sampler)) {
    if (per === "batch") {
      throw new OptionError(`the sampler ${sampler.name} looks at a row's hidden vector: it draws for each row`, {
        sampler: sampler.name,
        candidates: per,
      });
    }
    return { state: undefined, contextual: { spec: sampler, unigram: smoothed(counts, n) }, S: negatives, per };
  }
  if (isPool(sampler)) return planPool(sampler, plan, n, counts);
  if (!isStateful(sampler)) {
    const state = createSamplerState(sampler, n, sampler.name === "unigram" ? known : {});
    samplerFrom(state).requireDrawable(negatives);
    return { state, S: negatives, per };
  }
  if (per === "row") {
    throw new OptionError(`the sampler ${sampler.name} draws for the batch, not for each row`, {
      sampler: sampler.name,
    });
  }
  const spec = sampler.name === "cross-batch" ? { ...sampler, batches: sampler.batches ?? 4, labels } : sampler;
  const stateful = createStatefulState(spec, n, needsCounts(sampler) ? known : {});
  const drawn = statefulSamplerFrom(stateful);
  drawn.requireDrawable(negatives);
  return { state: undefined, stateful, S: drawn.most(negatives, labels), draws: negatives, per };
}

function planPool(
  { name, pool, law }: PoolSpec,
  { negatives, per }: CandidatePlan,
  n: number,
  counts: ArrayLike<number> | undefined,
): CandidateSpec {
  if (per === "row") {
    throw new OptionError(`the sampler ${name} lets rows choose from a pool that the batch shares`, { sampler: name });
  }
  const S = pool ?? Math.min(MAX_CANDIDATES, 4 * negatives);
  if (S < negatives) {
    throw new OptionError(
      `${name} takes ${negatives} candidates a row from a pool of ${S}: the pool must be at least as large`,
      {
        sampler: name,
        pool: S,
        negatives,
      },
    );
  }
  const chosen = law ?? { name: counts === undefined ? ("uniform" as const) : ("unigram" as const) };
  const state = createSamplerState(chosen, n, chosen.name === "unigram" && counts !== undefined ? { counts } : {});
  samplerFrom(state).requireDrawable(S);
  return { state, S, per, select: { kind: name, keep: negatives } };
}

/** Counts as a law in which every class has some mass; undefined where nothing was counted. */
function smoothed(counts: ArrayLike<number> | undefined, n: number): Float64Array | undefined {
  if (counts === undefined) return undefined;
  let total = 0;
  for (let id = 0; id < n; id++) total += counts[id]!;
  if (total === 0) return undefined;
  const law = new Float64Array(new SharedArrayBuffer(8 * n));
  for (let id = 0; id < n; id++) law[id] = Math.max(counts[id]!, 0.1);
  return law;
}

/** Counts of the data start nothing that is to be learned, unless the options say so. */
function needsCounts(sampler: StatefulSpec): boolean {
  if (sampler.name === "learned-unigram") return false;
  return sampler.frequency?.kind === "given" || sampler.extra?.name === "unigram";
}
