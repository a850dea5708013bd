import type { Backend } from "@logq/blas";
import { keyFromSeed, RandomStream, SamplerError, STREAM } from "@logq/core";
import {
  CONTEXTUAL_NAMES,
  type ContextualSpec,
  createSamplerState,
  createStatefulState,
  hardest,
  resample,
  type SamplerSpec,
  STATEFUL_NAMES,
  type StatefulSpec,
  samplerFrom,
  samplerStateBytes,
  statefulSamplerFrom,
  statefulStateBytes,
} from "@logq/samplers";
import { type ClassTable, KernelBench } from "./kernel-bench.js";
import { POOL_SHARE } from "./pool-proposals.js";
import type { RowSpec } from "./rows.js";
import { RING_BATCHES } from "./stateful-proposals.js";

/** What is drawn at a time: 64 candidates for each of 256 contexts. */
export const CONTEXTS = 256;
export const DRAWS = 64;
/** Contexts that a contextual sampler is shown at a time. */
const BLOCK = 64;
/** Targets of a batch that is learned from. */
export const TARGETS = 1024;

/** A sampler over a synthetic table, ready to be timed in one thread. */
export interface SpeedSubject {
  readonly sampler: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Bytes that threads share. */
  readonly bytes: number;
  /** @throws SamplerError if what is drawn is not what it should be */
  check(): void;
  /** Draws for all contexts. */
  draw(step: number): void;
  /** Candidates of a context. */
  readonly draws: number;
  /** What keeps it up to date, if anything does, and for how many of what. */
  readonly update: { readonly of: "class" | "target"; readonly count: number; run(round: number): void } | null;
}

const key = keyFromSeed("speed of samplers");

/** Rows overlap in one pool of numbers, so that ten million of them need no memory. */
export function syntheticTable(n: number, D: number): ClassTable & { readonly pool: Float32Array } {
  const stream = new RandomStream(key, STREAM.measurement);
  const pool = Float32Array.from({ length: 2 ** 18 }, (_, i) => (1.2 * stream.normal(i)) / Math.sqrt(D));
  return {
    n,
    D,
    scale: 1,
    hasBiases: true,
    key,
    pool,
    counts: Float64Array.from({ length: n }, (_, id) => Math.max(1, Math.round(1e7 / (id + 1)))),
    readRow(id, out, at) {
      const from = (id * 37) % (pool.length - D);
      out.set(pool.subarray(from, from + D), at);
    },
    bias: (id) => -Math.log(id + 5),
  };
}

/** @throws OptionError, MemoryLimitError if the structure fits no memory */
export function speedSubject(spec: RowSpec, table: ReturnType<typeof syntheticTable>, backend: Backend): SpeedSubject {
  if ((CONTEXTUAL_NAMES as readonly string[]).includes(spec.name)) {
    return contextualSubject(spec as ContextualSpec, table, backend);
  }
  if ((STATEFUL_NAMES as readonly string[]).includes(spec.name)) return statefulSubject(spec as StatefulSpec, table);
  if (spec.name === "hard" || spec.name === "two-pass") return poolSubject(spec.name, table);
  return staticSubject(spec as SamplerSpec, table);
}

function staticSubject(spec: SamplerSpec, { n, counts }: ClassTable): SpeedSubject {
  const { name, ...options } = spec;
  const sampler = samplerFrom(createSamplerState(spec, n, name === "unigram" ? { counts } : {}));
  const ids = new Int32Array(DRAWS);
  const logQ = new Float64Array(DRAWS);
  const draw = (step: number, context: number) => sampler.draw({ key, step, item: context + 1, S: DRAWS }, ids, logQ);
  return {
    sampler: name,
    options,
    bytes: samplerStateBytes(spec, n),
    update: null,
    draws: DRAWS,
    check() {
      draw(0, 0);
      requireDraws(name, n, ids, logQ, (id) => Math.log(DRAWS) + sampler.law!.logProbability(id));
    },
    draw(step) {
      for (let context = 0; context < CONTEXTS; context++) draw(step, context);
    },
  };
}

/** Of `cross-batch` the candidates are the targets of three batches before and 64 of this one. */
function statefulSubject(spec: StatefulSpec, { n, counts }: ClassTable): SpeedSubject {
  const { name, ...options } = spec.name === "cross-batch" ? { ...spec, batches: RING_BATCHES } : spec;
  const full = spec.name === "cross-batch" ? { ...spec, batches: RING_BATCHES, labels: TARGETS } : spec;
  const sampler = statefulSamplerFrom(createStatefulState(full, n, name === "learned-unigram" ? { counts } : {}));
  const targets = new Int32Array(TARGETS);
  const source = samplerFrom(createSamplerState({ name: "unigram" }, n, { counts }));
  const observe = (round: number) => {
    source.draw({ key, step: round, item: 0, S: TARGETS }, targets, new Float64Array(TARGETS));
    sampler.observe(sampler.nextStep, targets, 0, TARGETS);
  };
  // Of in-batch all are targets of the batch, of mixed a half.
  const labels = { "learned-unigram": 0, "in-batch": DRAWS, mixed: DRAWS / 2, "cross-batch": DRAWS }[name];
  const S = Math.max(1, DRAWS - labels);
  const draws = sampler.most(S, labels);
  const ids = new Int32Array(draws);
  const logQ = new Float64Array(draws);
  const draw = (context: number) => {
    const request = { key, step: sampler.nextStep, item: context + 1, S };
    return sampler.draw({ ...request, labels: targets, from: 0, to: labels }, ids, logQ);
  };
  for (let batch = 0; batch < RING_BATCHES; batch++) observe(batch);
  return {
    sampler: name,
    options,
    bytes: statefulStateBytes(full, n),
    update: { of: "target", count: TARGETS, run: observe },
    draws,
    check() {
      const answer = draw(0);
      requireDraws(name, n, ids, logQ, (id) => answer.logQ(id));
    },
    draw() {
      for (let context = 0; context < CONTEXTS; context++) draw(context);
    },
  };
}

/**
 * A pool of draws of the unigram, and the choice among them. Logits are read from a table: they are products that the step makes, of as many rows as the
 * pool has.
 */
function poolSubject(name: "hard" | "two-pass", { n, counts, pool: numbers }: ReturnType<typeof syntheticTable>) {
  const first = samplerFrom(createSamplerState({ name: "unigram" }, n, { counts }));
  const P = POOL_SHARE * DRAWS;
  const [pool, poolLogQ, logits] = [new Int32Array(P), new Float64Array(P), new Float64Array(P)];
  const [positions, logQ] = [new Int32Array(DRAWS), new Float64Array(DRAWS)];
  /** Answers log Ẑ where there is one. */
  const draw = (step: number, context: number): number => {
    first.draw({ key, step, item: context + 1, S: P }, pool, poolLogQ);
    for (let i = 0; i < P; i++) logits[i] = 3 * numbers[(pool[i]! * 37 + context) % numbers.length]!;
    if (name === "two-pass") return resample(logits, poolLogQ, DRAWS, 0.5, positions, logQ).logNormaliser;
    hardest(logits, 1, P, pool, DRAWS, positions);
    return 0;
  };
  const subject: SpeedSubject = {
    sampler: name,
    options: { pool: `${POOL_SHARE}S of unigram` },
    bytes: samplerStateBytes({ name: "unigram" }, n),
    update: null,
    draws: DRAWS,
    check() {
      const logNormaliser = draw(0, 0);
      const ids = positions.map((position) => pool[position]!);
      const logitOf = new Map(Array.from(pool, (id, i) => [id, logits[i]!] as const));
      requireDraws(name, n, ids, logQ, (id) =>
        name === "hard" ? 0 : Math.log(DRAWS) + logitOf.get(id)! - logNormaliser,
      );
      const taken = Math.min(...Array.from(positions, (position) => logits[position]!));
      const greater = logits.filter((logit) => logit > taken).length;
      if (name === "hard" && greater >= DRAWS) {
        throw new SamplerError(`hard took a logit of ${taken}, and ${greater} of its pool are greater`, {
          taken,
          greater,
        });
      }
    },
    draw(step) {
      for (let context = 0; context < CONTEXTS; context++) draw(step, context);
    },
  };
  return subject;
}

function contextualSubject(
  spec: ContextualSpec,
  table: ReturnType<typeof syntheticTable>,
  backend: Backend,
): SpeedSubject {
  const { name, ...options } = spec;
  const { n, D, pool } = table;
  const bench = new KernelBench(backend, table, spec, BLOCK * DRAWS);
  const { sampler, reader } = bench;
  sampler.build(reader);
  bench.setContexts(pool.map((value) => 3 * value).subarray(0, BLOCK * D), BLOCK);
  const ids = new Int32Array(DRAWS);
  const logQ = new Float64Array(DRAWS);
  let step = 0;
  return {
    sampler: name,
    options,
    bytes: bench.plan.tableBytes,
    draws: DRAWS,
    update: {
      of: "class",
      count: n,
      // A pass over all classes, whatever share of them a step refreshes.
      run() {
        const steps = spec.refreshSteps ?? 64;
        for (let i = 0; i < steps; i++, step++) {
          const units = sampler.refreshUnits(step);
          for (let unit = 0; unit < units; unit++) sampler.refresh(unit, step, reader);
          sampler.settle(step);
        }
      },
    },
    check() {
      bench.draw(0, 0, BLOCK, DRAWS);
      bench.read(DRAWS, { ids, logQ });
      const told = new Float64Array(DRAWS);
      bench.logQ(0, ids, DRAWS, told);
      const byId = new Map(Array.from(ids, (id, i) => [id, told[i]!] as const));
      requireDraws(name, n, ids, logQ, (id) => (sampler.biased ? logQ[0]! : byId.get(id)!));
    },
    draw(round) {
      for (let first = 0; first < CONTEXTS; first += BLOCK) bench.draw(round, first, BLOCK, DRAWS);
    },
  };
}

/** Log Q of float32 structures agrees to so many nats. */
const TOLERANCE = 2e-3;

function requireDraws(
  name: string,
  n: number,
  ids: Int32Array,
  logQ: Float64Array,
  expected: (id: number) => number,
): void {
  for (const [i, id] of ids.entries()) {
    if (id >= 0 && id < n && Math.abs(logQ[i]! - expected(id)) < TOLERANCE) continue;
    throw new SamplerError(`${name} drew class ${id} of ${n} with log Q ${logQ[i]}, which should be ${expected(id)}`, {
      sampler: name,
      id,
      n,
      logQ: logQ[i],
      expected: expected(id),
    });
  }
}
