import {
  ClassIdError,
  EmptyInputError,
  MissingLogQError,
  OptionError,
  requireAllFinite,
  requireInteger,
  requireLength,
  ShapeError,
} from "@logq/core";
import { labelsNeedLogQ } from "../candidate-terms.js";
import { requireClassWeights, requireNonNegative, requirePropensities } from "../label-weights.js";
import { describeLoss, needsLogQ } from "../loss-facts.js";
import { validateLossSpec } from "../loss-options.js";
import type { LossSpec } from "../loss-spec.js";
import type { LossProblem, RaggedIds, RaggedTargets } from "./problem.js";

export interface CheckedLabels {
  /** (B + 1) */
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
  readonly mass: Float32Array;
  readonly logQ: Float64Array | null;
}

export interface CheckedCandidates {
  readonly S: number;
  readonly perRow: boolean;
  readonly ids: Int32Array;
  readonly logQ: Float64Array | null;
}

/** A problem after the border: shapes agree, ids are in range, numbers are finite, and what was left out is filled in. */
export interface CheckedProblem {
  readonly spec: LossSpec;
  readonly B: number;
  readonly D: number;
  readonly n: number;
  readonly hidden: Float32Array;
  readonly table: Float32Array;
  readonly bias: Float32Array | null;
  readonly labels: CheckedLabels;
  /** (B): weight / sum of weights, 0 for ignored rows. */
  readonly share: Float32Array;
  readonly candidates: CheckedCandidates | null;
  readonly seen: { readonly offsets: Int32Array; readonly ids: Int32Array } | null;
}

/** Throws ShapeError, ClassIdError, NotFiniteError, MissingLogQError, EmptyInputError or OptionError with the values at fault. */
export function checkProblem(problem: LossProblem): CheckedProblem {
  const spec = validateLossSpec(problem.spec);
  requireLogits(spec);
  const D = requireInteger("D", problem.D, 1);
  const B = rowsOf("hidden", problem.hidden, D);
  const n = rowsOf("table", problem.table, D);
  requireAllFinite("hidden", problem.hidden);
  requireAllFinite("table", problem.table);
  if (problem.bias) {
    if (describeLoss(spec.name).cosines) {
      throw new OptionError(`${spec.name} is defined on cosines: it takes no bias`, { loss: spec.name });
    }
    requireLength("bias", problem.bias.length, n, "(n)");
    requireAllFinite("bias", problem.bias);
  }
  const { labels, ignored } = checkTargets(problem, spec, B, n);
  const weighted = weighLabels(problem, spec, labels, n);
  return {
    spec,
    B,
    D,
    n,
    hidden: problem.hidden,
    table: problem.table,
    bias: problem.bias ?? null,
    labels: weighted,
    share: sharesOf(problem.exampleWeights, ignored, problem.classWeights ? rowMasses(weighted) : null),
    candidates: checkCandidates(problem, spec, B, n),
    seen: checkSeen(problem, spec, B, n),
  };
}

/** Decisions down a tree have a form of their own. */
function requireLogits({ name }: LossSpec): void {
  if (describeLoss(name).kind !== "tree") return;
  throw new OptionError(`${name} needs a tree of classes: computeHierarchicalLoss takes one`, { loss: name });
}

/** Class weights multiply the masses of labels, propensities divide them. */
function weighLabels(
  { classWeights, propensities }: LossProblem,
  spec: LossSpec,
  labels: CheckedLabels,
  n: number,
): CheckedLabels {
  if (classWeights) requireClassWeights(classWeights, spec, n);
  if (propensities) requirePropensities(propensities, spec, n);
  if (!classWeights && !propensities) return labels;
  const mass = labels.mass.map((m, l) => {
    const id = labels.ids[l];
    return (m * (classWeights?.[id] ?? 1)) / (propensities?.[id] ?? 1);
  });
  return { ...labels, mass };
}

/** (B): Σ of the masses of each row's labels */
function rowMasses({ offsets, mass }: CheckedLabels): Float64Array {
  return Float64Array.from({ length: offsets.length - 1 }, (_, r) =>
    mass.subarray(offsets[r], offsets[r + 1]).reduce((sum, m) => sum + m, 0),
  );
}

function rowsOf(name: string, values: Float32Array, D: number): number {
  if (values.length === 0) throw new EmptyInputError(`${name} has no rows`, { name });
  if (values.length % D !== 0) {
    throw new ShapeError(`${name} has ${values.length} elements, which is no whole number of rows of D = ${D}`, {
      name,
      actual: values.length,
      D,
    });
  }
  return values.length / D;
}

function checkTargets(
  problem: LossProblem,
  spec: LossSpec,
  B: number,
  n: number,
): { labels: CheckedLabels; ignored: boolean[] } {
  const given = problem.targets;
  const targetLogQ = labelsNeedLogQ(spec) ? problem.candidates?.targetLogQ : undefined;
  const normalised = describeLoss(spec.name).kind === "normalised";
  if ("offsets" in given) {
    const labels = checkRagged("targets", given, B, n);
    const logQ = checkTargetLogQ(targetLogQ, labels.ids.length);
    const ignored = Array.from({ length: B }, (_, r) => normalised && labels.offsets[r] === labels.offsets[r + 1]);
    return { labels: { ...labels, mass: massesOf(given, labels.offsets, normalised), logQ }, ignored };
  }
  requireLength("targets", given.length, B, "(B)");
  const ignoreIndex = problem.ignoreIndex ?? -1;
  const rows = Array.from({ length: B }, (_, r) => r).filter((r) => given[r] !== ignoreIndex);
  if (targetLogQ) requireLength("targetLogQ", targetLogQ.length, B, "(B)");
  const offsets = new Int32Array(B + 1);
  for (let r = 0; r < B; r++) offsets[r + 1] = offsets[r] + (given[r] === ignoreIndex ? 0 : 1);
  const labels = {
    offsets,
    ids: Int32Array.from(rows, (r) => requireClassId("targets", r, given[r], n)),
    mass: new Float32Array(rows.length).fill(1),
    logQ: targetLogQ
      ? checkTargetLogQ(
          rows.map((r) => targetLogQ[r]),
          rows.length,
        )
      : null,
  };
  return { labels, ignored: Array.from({ length: B }, (_, r) => given[r] === ignoreIndex) };
}

function checkTargetLogQ(values: ArrayLike<number> | undefined, count: number): Float64Array | null {
  if (!values) return null;
  requireLength("targetLogQ", values.length, count, "like the target ids");
  requireAllFinite("targetLogQ", values);
  return Float64Array.from(values);
}

function massesOf({ mass, ids }: RaggedTargets, offsets: Int32Array, normalised: boolean): Float32Array {
  if (mass) {
    requireLength("targets.mass", mass.length, ids.length, "like the target ids");
    requireNonNegative("targets.mass", mass);
    return Float32Array.from(mass);
  }
  const out = new Float32Array(ids.length).fill(1);
  if (!normalised) return out;
  for (let r = 0; r + 1 < offsets.length; r++) {
    out.fill(1 / (offsets[r + 1] - offsets[r]), offsets[r], offsets[r + 1]);
  }
  return out;
}

function checkRagged(name: string, given: RaggedIds, B: number, n: number): { offsets: Int32Array; ids: Int32Array } {
  requireLength(`${name}.offsets`, given.offsets.length, B + 1, "(B + 1)");
  const offsets = Int32Array.from(given.offsets);
  for (let r = 0; r < B; r++) {
    if (offsets[r + 1] < offsets[r]) {
      throw new ShapeError(`${name}.offsets falls from ${offsets[r]} to ${offsets[r + 1]} at row ${r}`, {
        name,
        row: r,
      });
    }
  }
  if (offsets[0] !== 0) throw new ShapeError(`${name}.offsets starts at ${offsets[0]}, not 0`, { name });
  requireLength(`${name}.ids`, given.ids.length, offsets[B], "(last offset)");
  const ids = Int32Array.from({ length: given.ids.length }, (_, i) => requireClassId(name, i, given.ids[i], n));
  for (let r = 0; r < B; r++) {
    const row = ids.subarray(offsets[r], offsets[r + 1]);
    const twice = row.find((id, i) => row.indexOf(id) !== i);
    if (twice === undefined) continue;
    throw new ClassIdError(`${name}: row ${r} names class ${twice} twice`, { name, row: r, id: twice });
  }
  return { offsets, ids };
}

function requireClassId(name: string, index: number, id: number, n: number): number {
  if (!Number.isInteger(id) || id < 0 || id >= n) {
    throw new ClassIdError(`${name}[${index}] is ${id}; class ids are integers in [0, ${n})`, { name, index, id, n });
  }
  return id;
}

/** The weight of each row over the sum of weights, times `masses` where rows count by them. */
function sharesOf(
  weights: ArrayLike<number> | undefined,
  ignored: readonly boolean[],
  masses: Float64Array | null,
): Float32Array {
  if (weights) {
    requireLength("exampleWeights", weights.length, ignored.length, "(B)");
    requireNonNegative("exampleWeights", weights);
  }
  const counted = ignored.map((skip, r) => (skip ? 0 : (weights?.[r] ?? 1)));
  const sum = counted.reduce((total, weight, r) => total + weight * (masses?.[r] ?? 1), 0);
  return Float32Array.from(counted, (weight) => (sum === 0 ? 0 : weight / sum));
}

function checkCandidates(problem: LossProblem, spec: LossSpec, B: number, n: number): CheckedCandidates | null {
  const given = problem.candidates;
  if (!describeLoss(spec.name).candidates) {
    if (!given) return null;
    throw new OptionError(`${spec.name} sums over every class and takes no candidates`, { loss: spec.name });
  }
  if (!given || given.ids.length === 0) {
    throw new EmptyInputError(`${spec.name} needs candidates`, { loss: spec.name });
  }
  const perRow = given.perRow ?? false;
  if (perRow && given.ids.length % B !== 0) {
    throw new ShapeError(`candidates.ids has ${given.ids.length} elements, which is no (B, S) for B = ${B}`, {
      actual: given.ids.length,
      B,
    });
  }
  requireLogQ(spec, given.logQ, given.targetLogQ);
  if (given.logQ) {
    requireLength("candidates.logQ", given.logQ.length, given.ids.length, "like the candidate ids");
    if (needsLogQ(spec)) requireAllFinite("candidates.logQ", given.logQ);
  }
  const count = given.ids.length;
  return {
    S: perRow ? count / B : count,
    perRow,
    ids: Int32Array.from({ length: count }, (_, j) => requireClassId("candidates.ids", j, given.ids[j], n)),
    logQ: needsLogQ(spec) && given.logQ ? Float64Array.from(given.logQ) : null,
  };
}

function requireLogQ(spec: LossSpec, logQ: unknown, targetLogQ: unknown): void {
  const missing = needsLogQ(spec) && !logQ ? "logQ" : labelsNeedLogQ(spec) && !targetLogQ ? "targetLogQ" : null;
  if (missing === null) return;
  throw new MissingLogQError(`${spec.name} with correction ${spec.correction} needs candidates.${missing}`, {
    loss: spec.name,
    correction: spec.correction,
    missing,
  });
}

function checkSeen(problem: LossProblem, spec: LossSpec, B: number, n: number): CheckedProblem["seen"] {
  if ((spec.exclude === "seen") !== (problem.seen !== undefined)) {
    throw new OptionError(`exclude is ${spec.exclude}, but seen is ${problem.seen ? "" : "not "}given`, {
      exclude: spec.exclude,
      seen: problem.seen !== undefined,
    });
  }
  return problem.seen ? checkRagged("seen", problem.seen, B, n) : null;
}
