import {
  ClassIdError,
  EmptyInputError,
  MissingLogQError,
  NotFiniteError,
  OptionError,
  requireAllFinite,
  requireInteger,
  requireLength,
  ShapeError,
} from "@logq/core";
import { type LossSpec, labelsNeedLogQ, needsLogQ } from "@logq/losses";

/** Labels: one class a row (−1: the row is ignored), or ragged; a row without labels is ignored. */
export type Targets = ArrayLike<number> | { readonly offsets: ArrayLike<number>; readonly ids: ArrayLike<number> };

/** The caller's own candidates. */
export interface GivenCandidates {
  /** (S) class ids; one that is drawn twice stands there twice. */
  readonly ids: ArrayLike<number>;
  /** (S), natural log of the expected count of each; needed by losses that correct. */
  readonly logQ?: ArrayLike<number>;
  /** log Q of the targets, shaped like them; values of ignored rows are not read. Needed by losses that correct labels. */
  readonly targetLogQ?: ArrayLike<number>;
}

/** Labels after the border. */
export interface Labels {
  /** (rows + 1) */
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
  /** Where each label stood in what was given: an index into `targets`, or into its ids. */
  readonly entries: Int32Array;
  /** How many targets were given: the length of what is shaped like them. */
  readonly given: number;
}

/** Candidates after the border. The arrays may be the caller's: they are read before the call returns. */
export interface Candidates {
  readonly ids: ArrayLike<number>;
  /** undefined for a loss that does not correct. */
  readonly logQ: ArrayLike<number> | undefined;
  /** One a label, finite as a float32. */
  readonly targetLogQ: ArrayLike<number> | undefined;
}

/** What the border knows of a layer. */
export interface LayerLimits {
  /** n */
  readonly classes: number;
  /** D */
  readonly dim: number;
  /** B */
  readonly batch: number;
  /** T */
  readonly maxTargets: number;
}

/** How many rows `hidden` (rows, D) has. Its values are for `requireFiniteRows`. @throws ShapeError, EmptyInputError */
export function requireHidden(hidden: Float32Array, { dim, batch }: LayerLimits, most = batch): number {
  if (!(hidden instanceof Float32Array)) {
    throw new ShapeError("hidden must be a Float32Array, (rows, D)", { dim });
  }
  const rows = hidden.length / dim;
  if (rows === 0) throw new EmptyInputError("hidden has no rows", { dim });
  if (!Number.isInteger(rows) || rows > most) {
    throw new ShapeError(`hidden must be (rows, ${dim}) with 1 to ${most} rows, but has ${hidden.length} elements`, {
      length: hidden.length,
      dim,
      most,
    });
  }
  return rows;
}

/** @throws ShapeError, ClassIdError, OptionError for a class that a row names twice */
export function requireLabels(targets: Targets, rows: number, { classes, maxTargets }: LayerLimits): Labels {
  return "offsets" in targets ? ragged(targets, rows, maxTargets, classes) : oneEach(targets, rows, classes);
}

/** 0, 1, 2, …: offsets and entries of batches in which every row has one label. */
let counting = new Int32Array(0);

function countingTo(length: number): Int32Array {
  if (counting.length < length) counting = Int32Array.from({ length: 2 * length }, (_, i) => i);
  return counting.subarray(0, length);
}

/** The arrays may be the caller's, or kept: they are read before the call returns, and not written. */
function oneEach(targets: ArrayLike<number>, rows: number, classes: number): Labels {
  requireLength("targets", targets.length, rows, "(rows)");
  let ignored = 0;
  for (let row = 0; row < rows; row++) {
    const id = targets[row]!;
    if (id >>> 0 === id && id < classes) continue;
    if (id !== -1) requireClass("target", row, id, classes);
    ignored++;
  }
  if (ignored > 0) return withoutIgnored(targets, rows, ignored);
  const ids = targets instanceof Int32Array ? targets : Int32Array.from(targets);
  return { offsets: countingTo(rows + 1), ids, entries: countingTo(rows), given: rows };
}

function withoutIgnored(targets: ArrayLike<number>, rows: number, ignored: number): Labels {
  const offsets = new Int32Array(rows + 1);
  const ids = new Int32Array(rows - ignored);
  const entries = new Int32Array(rows - ignored);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (targets[row] !== -1) {
      ids[count] = targets[row]!;
      entries[count++] = row;
    }
    offsets[row + 1] = count;
  }
  return { offsets, ids, entries, given: rows };
}

function ragged(
  targets: { readonly offsets: ArrayLike<number>; readonly ids: ArrayLike<number> },
  rows: number,
  most: number,
  classes: number,
): Labels {
  const { offsets, ids } = targets;
  requireLength("target offsets", offsets.length, rows + 1, "(rows + 1)");
  requireInteger("target offsets[0]", offsets[0], 0, 0);
  for (let row = 0; row < rows; row++) {
    const count = offsets[row + 1]! - offsets[row]!;
    if (!Number.isInteger(count) || count < 0 || count > most) {
      throw new ShapeError(`row ${row} has ${count} labels; rows have 0 to ${most} (maxTargets)`, { row, count, most });
    }
  }
  requireLength("target ids", ids.length, offsets[rows]!, "(last offset)");
  const labels = {
    offsets: new Int32Array(offsets),
    ids: new Int32Array(ids.length),
    entries: new Int32Array(ids.length),
    given: ids.length,
  };
  for (let j = 0; j < ids.length; j++) {
    requireClass("target", j, ids[j]!, classes);
    labels.ids[j] = ids[j]!;
    labels.entries[j] = j;
  }
  requireDistinct(labels);
  return labels;
}

function requireDistinct({ offsets, ids }: Labels): void {
  for (let row = 0; row + 1 < offsets.length; row++) {
    const own = ids.subarray(offsets[row]!, offsets[row + 1]!);
    if (own.length > 1 && new Set(own).size < own.length) {
      throw new OptionError(`row ${row} names a class twice among its labels ${own.join(", ")}`, {
        row,
        labels: Array.from(own),
      });
    }
  }
}

function requireClass(what: string, index: number, id: number, classes: number): void {
  if (Number.isInteger(id) && id >= 0 && id < classes) return;
  throw new ClassIdError(`${what} ${index} is ${id}; class ids lie in [0, ${classes})`, { index, id, n: classes });
}

/**
 * (rows): each row's share of the batch, its weight over the sum of weights; 0 for a row without labels, and for all if every weight is 0.
 * The array may be kept: it is read before the call returns, and not written.
 * @param masses (rows) by which rows count in the sum as well; absent: 1 each
 * @throws ShapeError, NotFiniteError, OptionError
 */
export function sharesOf(
  weights: ArrayLike<number> | undefined,
  rows: number,
  offsets: Int32Array,
  masses?: Float64Array,
): Float64Array {
  if (weights === undefined && masses === undefined) {
    let valid = 0;
    for (let row = 0; row < rows; row++) if (offsets[row + 1]! > offsets[row]!) valid++;
    if (valid === rows) return equalShares(rows);
    const shares = new Float64Array(rows);
    for (let row = 0; row < rows; row++) shares[row] = offsets[row + 1]! > offsets[row]! ? 1 / valid : 0;
    return shares;
  }
  if (weights !== undefined) requireWeights(weights, rows);
  const shares = new Float64Array(rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const weight = offsets[row + 1]! > offsets[row]! ? (weights?.[row] ?? 1) : 0;
    shares[row] = weight;
    sum += weight * (masses?.[row] ?? 1);
  }
  if (sum === Number.POSITIVE_INFINITY)
    throw new NotFiniteError("the sum of the exampleWeights is beyond float64", { sum });
  for (let row = 0; row < rows && sum > 0; row++) shares[row] /= sum;
  return shares;
}

/** Of the last batch in which every row had a label. */
let equal = new Float64Array(0);

function equalShares(rows: number): Float64Array {
  if (equal.length !== rows) equal = new Float64Array(rows).fill(1 / rows);
  return equal;
}

function requireWeights(weights: ArrayLike<number>, rows: number): void {
  requireLength("exampleWeights", weights.length, rows, "(rows)");
  requireAllFinite("exampleWeights", weights);
  for (let row = 0; row < rows; row++) {
    const weight = weights[row]!;
    if (weight >= 0) continue;
    throw new OptionError(`exampleWeights[${row}] is ${weight}; weights are >= 0`, { index: row, weight });
  }
}

/** (rows): Σ of the masses of each row's labels, which share 1 and count as often as `factors` (n) say. */
export function rowMasses({ offsets, ids }: Labels, factors: Float32Array): Float64Array {
  const sums = new Float64Array(offsets.length - 1);
  for (let row = 0; row < sums.length; row++) {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    for (let j = from; j < to; j++) sums[row]! += factors[ids[j]!]! / (to - from);
  }
  return sums;
}

/** @param most S. @throws ShapeError, ClassIdError, MissingLogQError, NotFiniteError, OptionError */
export function requireCandidates(
  candidates: GivenCandidates,
  loss: LossSpec,
  labels: Labels,
  limits: LayerLimits,
  most: number,
): Candidates {
  const { ids, logQ, targetLogQ } = candidates;
  requireInteger("the number of candidates", ids.length, 1, most);
  if (needsLogQ(loss) && logQ === undefined) {
    throw new MissingLogQError(`${loss.name} corrects by log Q, so candidates need it`, { loss: loss.name });
  }
  if (labelsNeedLogQ(loss) && targetLogQ === undefined) {
    throw new MissingLogQError(`${loss.name} corrects labels by log Q, so targetLogQ is needed`, { loss: loss.name });
  }
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id >>> 0 !== id || id >= limits.classes) requireClass("candidate", i, id, limits.classes);
  }
  if (logQ !== undefined) {
    requireLength("logQ", logQ.length, ids.length, "(S)");
    requireAllFinite("logQ", logQ);
  }
  return {
    ids,
    logQ,
    targetLogQ: targetLogQ === undefined ? undefined : logQOfLabels(targetLogQ, labels),
  };
}

function logQOfLabels(targetLogQ: ArrayLike<number>, { entries, given }: Labels): ArrayLike<number> {
  requireLength("targetLogQ", targetLogQ.length, given, "as the targets");
  for (let j = 0; j < entries.length; j++) {
    const index = entries[j]!;
    const value = targetLogQ[index]!;
    // As a float32, which it becomes.
    if (Number.isFinite(Math.fround(value))) continue;
    throw new NotFiniteError(`targetLogQ[${index}] is ${value}; every value must be finite`, {
      name: "targetLogQ",
      index,
      value,
    });
  }
  return entries.length === given ? targetLogQ : Float32Array.from(entries, (index) => targetLogQ[index]!);
}
