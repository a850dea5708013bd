import type { Backend } from "@logq/blas";
import {
  CONTEXTUAL_NAMES,
  type ContextualSpec,
  type DescribedSampler,
  POOL_NAMES,
  type PoolName,
  SAMPLER_NAMES,
  type SamplerSpec,
  STATEFUL_NAMES,
  type StatefulSpec,
} from "@logq/samplers";
import { contextualProposal } from "./contextual-proposals.js";
import type { Layer } from "./layer.js";
import { poolProposal } from "./pool-proposals.js";
import type { Proposal } from "./proposal.js";
import { statefulProposal } from "./stateful-proposals.js";
import { exactProposal, staticProposal } from "./static-proposals.js";

/** A sampler with options, as it can be measured. */
export type RowSpec = SamplerSpec | StatefulSpec | ContextualSpec | { readonly name: PoolName | "exact softmax" };

/** The samplers that have something to measure: lists of one's own have no law. */
export const MEASURED_SAMPLERS = [...SAMPLER_NAMES, ...STATEFUL_NAMES, ...CONTEXTUAL_NAMES, ...POOL_NAMES].filter(
  (name) => name !== "given",
);

/** Dimensions that the kernel of the published law sees; beside it, without a projection, it is what Blanc and Rendle drew by. */
const PROJECTION = 64;

/** What is measured, in the order of the table: several options of a sampler are rows of their own. */
export function measuredRows(D: number, wanted?: readonly string[]): RowSpec[] {
  const rows: RowSpec[] = [
    { name: "uniform" },
    { name: "log-uniform" },
    { name: "unigram" },
    { name: "unigram", distortion: 0.75 },
    { name: "learned-unigram" },
    { name: "in-batch" },
    { name: "mixed" },
    { name: "cross-batch" },
    { name: "quadratic-kernel" },
    { name: "quadratic-kernel", tableType: "bfloat16" },
    { name: "quadratic-kernel", blockLaw: "kernel", projection: Math.min(D, PROJECTION) },
    ...(D > PROJECTION ? [{ name: "quadratic-kernel", blockLaw: "kernel", projection: D } as const] : []),
    { name: "random-features" },
    { name: "random-features", tableType: "bfloat16" },
    { name: "midx", codes: "product", K: 32 },
    { name: "midx", codes: "product", K: 64 },
    { name: "midx", codes: "residual", K: 32 },
    { name: "midx", codes: "residual", K: 64 },
    { name: "midx", codes: "residual", K: 128 },
    { name: "lsh" },
    { name: "lsh", classFactor: "unigram" },
    { name: "lsh", candidates: "slide" },
    { name: "hard" },
    { name: "two-pass" },
    { name: "exact softmax" },
  ];
  return wanted === undefined ? rows : rows.filter(({ name }) => name === "exact softmax" || wanted.includes(name));
}

/** Draws without replacement: their log Q is another. */
const WITHOUT_REPLACEMENT: readonly RowSpec[] = [
  { name: "uniform", replacement: false },
  { name: "log-uniform", replacement: false },
  { name: "unigram", replacement: false },
  { name: "learned-unigram", replacement: false },
];

/**
 * What is trained with: each sampler once with its default options, with and without replacement where it has the choice, and those that carry a unigram or
 * leave log Q out.
 */
export function trainedRows(D: number, wanted?: readonly string[]): RowSpec[] {
  const rows = measuredRows(D).filter(({ name, ...options }) => {
    if (name === "exact softmax") return false;
    if (name === "midx") return JSON.stringify(options) === JSON.stringify({ codes: "residual", K: 64 });
    const tree = name === "quadratic-kernel" || name === "random-features";
    return !tree || Object.keys(options).length === 0;
  });
  const last = rows.findIndex(({ name }) => name === "in-batch");
  return [...rows.slice(0, last), ...WITHOUT_REPLACEMENT, ...rows.slice(last)].filter(
    ({ name }) => wanted === undefined || wanted.includes(name),
  );
}

/** @param most the greatest S that will be drawn */
export function proposalOf(spec: RowSpec, layer: Layer, backend: Backend, most: number): Proposal {
  if (spec.name === "exact softmax") return exactProposal(layer);
  if (spec.name === "hard" || spec.name === "two-pass") return poolProposal(layer, spec.name, most);
  if (isOf(spec, CONTEXTUAL_NAMES)) return contextualProposal(layer, backend, spec as ContextualSpec, most);
  if (isOf(spec, STATEFUL_NAMES)) return statefulProposal(layer, spec as StatefulSpec, most);
  return staticProposal(layer, spec as SamplerSpec);
}

function isOf({ name }: RowSpec, names: readonly DescribedSampler[]): boolean {
  return (names as readonly string[]).includes(name);
}

/** A row's name for people: midx (codes product, K 32). */
export function labelOf(name: string, options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(options).map(([key, value]) => `${key} ${value}`);
  return parts.length === 0 ? name : `${name} (${parts.join(", ")})`;
}
