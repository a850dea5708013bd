import { keyFromSeed } from "@logq/core";
import {
  createSamplerState,
  type Sampler,
  type SamplerName,
  type SamplerState,
  samplerFrom,
  validateSamplerSpec,
} from "@logq/samplers";
import type { Group, Variant } from "./measure/group.js";
import { requireClose, requireThat } from "./measure/wrong-result.js";

/** What samplers are timed at. */
export interface SamplerSizes {
  readonly classes: readonly number[];
  readonly S: number;
}

export const SAMPLER_SIZES: SamplerSizes = { classes: [10_000, 100_000, 1_000_000, 10_000_000], S: 1024 };

const LAWS = ["uniform", "log-uniform", "unigram"] as const satisfies readonly SamplerName[];
const REPLACEMENTS = [true, false] as const;

/** Draws that a check looks at. */
const CHECKED_DRAWS = 64;

/** How many standard errors a mean over the checked draws may lie from its expectation. Seeds are fixed: it passes always or never. */
const SIGMAS = 6;

/** A frequent class that is missing once in thousands of draws adds less than this to a mean, and nothing to a variance in which it never was. */
const RARE = 1e-3;

const key = keyFromSeed("samplers");

/** The law's p(id), written down once more. */
function probabilityOf(law: (typeof LAWS)[number], n: number): (id: number) => number {
  if (law === "uniform") return () => 1 / n;
  if (law === "log-uniform") return (id) => Math.log1p(1 / (id + 1)) / Math.log(n + 1);
  let sum = 0;
  for (let id = 0; id < n; id++) sum += countOf(id);
  return (id) => countOf(id) / sum;
}

/** Counts of a unigram law: Zipf, in shuffled order of magnitude so that neighbours differ. */
function countOf(id: number): number {
  return 1e6 / (1 + id) + (id % 13);
}

/** How a draw's name tells with or without replacement. */
function nameOf(law: string, replacement: boolean): string {
  return `${law}, ${replacement ? "with" : "without"} replacement`;
}

/** One group a class count: each law, with and without replacement, and what a unigram table costs to build. */
export function samplerGroups(sizes: SamplerSizes = SAMPLER_SIZES): Group[] {
  return sizes.classes.flatMap((n) => [drawGroup(n, sizes.S), buildGroup(n)]);
}

function drawGroup(n: number, S: number): Group {
  const all = LAWS.flatMap((law) => REPLACEMENTS.map((replacement) => ({ law, replacement })));
  return {
    name: `draw S = ${S} of n = ${n}`,
    variants: all.map(({ law, replacement }) => nameOf(law, replacement)),
    async prepare(wanted) {
      const states = new Map<string, SamplerState>();
      const stateOf = (law: (typeof LAWS)[number]) => {
        const state = states.get(law) ?? createSamplerState({ name: law }, n, inputsOf(law, n));
        states.set(law, state);
        return state;
      };
      const variants = all
        .filter(({ law, replacement }) => wanted.includes(nameOf(law, replacement)))
        .map(({ law, replacement }) => {
          // The tables of a law serve both ways of drawing.
          const spec = validateSamplerSpec({ name: law, replacement });
          const sampler = samplerFrom({ ...stateOf(law), spec });
          return drawVariant(nameOf(law, replacement), sampler, () => probabilityOf(law, n), S);
        });
      return { variants };
    },
  };
}

function inputsOf(law: string, n: number): { counts?: Float64Array } {
  return law === "unigram" ? { counts: Float64Array.from({ length: n }, (_, id) => countOf(id)) } : {};
}

/** Exported for tests: a sampler that draws from another law than it says must not be timed. */
export function drawVariant(
  name: string,
  sampler: Sampler,
  probability: () => (id: number) => number,
  S: number,
): Variant {
  const ids = new Int32Array(S);
  const logQ = new Float64Array(S);
  let step = 0;
  return {
    name,
    work: { items: { name: "draw", count: S } },
    check: () => checkDraws(name, sampler, probability(), S),
    run: () => sampler.draw({ key, step: step++, item: 0, S }, ids, logQ),
  };
}

/**
 * Ids in range, and distinct without replacement; log Q by its formula from p; and Σ f/Q over the candidates has the expectation
 * Σ f over all classes: tried with f = p on the head of the law and on the rest.
 */
function checkDraws(name: string, sampler: Sampler, probability: (id: number) => number, S: number): void {
  const { n } = sampler;
  const head = headOf(probability, n);
  const ids = new Int32Array(S);
  const logQ = new Float64Array(S);
  const sums = { head: [] as number[], rest: [] as number[] };
  for (let step = 0; step < CHECKED_DRAWS; step++) {
    sampler.draw({ key, step, item: 1, S }, ids, logQ);
    const distinct = new Set(ids).size;
    requireThat(sampler.replacement || distinct === S, `${name}: ${distinct} distinct ids instead of ${S}`, {
      name,
      distinct,
      S,
    });
    const sum = { head: 0, rest: 0 };
    ids.forEach((id, i) => {
      requireThat(id >= 0 && id < n, `${name}: id ${id} of ${n} classes`, { name, id, n });
      sum[id < head.classes ? "head" : "rest"] += probability(id) / Math.exp(logQ[i]!);
    });
    sums.head.push(sum.head);
    sums.rest.push(sum.rest);
    requireClose(`${name}: log Q`, logQ, expectedLogQ(sampler.replacement, ids, logQ, probability), { absolute: 1e-8 });
  }
  requireMean(`${name}: the head's share`, sums.head, head.mass);
  requireMean(`${name}: the share of all but the head`, sums.rest, 1 - head.mass);
}

/**
 * log(S·p) of independent draws. Without replacement classes arrive as by exponential clocks and Q = 1 − e^(−p·t): t is that of the draw, and is
 * taken from the candidate of the least Q, so that all others must agree with it.
 */
function expectedLogQ(
  replacement: boolean,
  ids: Int32Array,
  logQ: Float64Array,
  probability: (id: number) => number,
): Float64Array {
  const S = ids.length;
  if (replacement) return Float64Array.from(ids, (id) => Math.log(S * probability(id)));
  const least = logQ.indexOf(Math.min(...logQ));
  const t = -Math.log1p(-Math.exp(logQ[least]!)) / probability(ids[least]!);
  return Float64Array.from(ids, (id) => Math.log(-Math.expm1(-probability(id) * t)));
}

/** The first classes that hold about a third of the mass. */
function headOf(probability: (id: number) => number, n: number): { classes: number; mass: number } {
  let mass = 0;
  let classes = 0;
  while (classes < n && mass < 1 / 3) mass += probability(classes++);
  return { classes, mass };
}

function requireMean(what: string, values: readonly number[], expected: number): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const allowed = SIGMAS * Math.sqrt(variance / values.length) + RARE * expected;
  requireThat(Math.abs(mean - expected) <= allowed, `${what} is ${mean} on average instead of ${expected}`, {
    what,
    mean,
    expected,
    allowed,
  });
}

/** The one cost that is linear in n, paid once a run. */
function buildGroup(n: number): Group {
  return {
    name: `build the unigram table of n = ${n}`,
    variants: ["unigram"],
    async prepare() {
      const inputs = inputsOf("unigram", n);
      const build = () => createSamplerState({ name: "unigram" }, n, inputs);
      const variant: Variant = {
        name: "unigram",
        work: { items: { name: "class", count: n } },
        run: build,
        check() {
          const probability = probabilityOf("unigram", n);
          const expected = Float64Array.from({ length: n }, (_, id) => probability(id));
          requireClose("probabilities", build().unigram!.probability, expected, { relative: 1e-9 });
        },
      };
      return { variants: [variant] };
    },
  };
}
