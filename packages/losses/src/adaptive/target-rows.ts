import {
  ClassIdError,
  EmptyInputError,
  NotFiniteError,
  OptionError,
  requireAllFinite,
  requireLength,
  ShapeError,
} from "@logq/core";

/** One target a row, after the border. */
export interface TargetRows {
  /** (B): a class, or −1 in rows that are ignored or weigh nothing */
  readonly targets: Int32Array;
  /** (B): weight / sum of weights; 0 where the target is −1 */
  readonly share: Float32Array;
}

/** The number of rows of D elements. Throws EmptyInputError or ShapeError. */
export function countRows(name: string, values: Float32Array, D: number): number {
  if (values.length === 0) throw new EmptyInputError(`${name} has no rows`, { name });
  if (values.length % D === 0) return values.length / D;
  throw new ShapeError(`${name} has ${values.length} elements, which is no whole number of rows of D = ${D}`, {
    name,
    actual: values.length,
    D,
  });
}

/** @throws ShapeError, ClassIdError, NotFiniteError (weights), OptionError (a negative weight) */
export function checkTargetRows(
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  ignoreIndex: number,
  B: number,
  n: number,
): TargetRows {
  requireLength("targets", targets.length, B, "(B)");
  if (weights) {
    requireLength("exampleWeights", weights.length, B, "(B)");
    requireAllFinite("exampleWeights", weights);
  }
  const counted = new Float64Array(B);
  const ids = new Int32Array(B).fill(-1);
  let sum = 0;
  for (let r = 0; r < B; r++) {
    const weight = weights?.[r] ?? 1;
    if (weight < 0) {
      const values = { name: "exampleWeights", index: r, value: weight };
      throw new OptionError(`exampleWeights[${r}] is ${weight}, but must be 0 or more`, values);
    }
    const id = targets[r];
    if (id === ignoreIndex) continue;
    if (!Number.isInteger(id) || id < 0 || id >= n) {
      const values = { name: "targets", index: r, id, n };
      throw new ClassIdError(`targets[${r}] is ${id}; class ids are integers in [0, ${n})`, values);
    }
    if (weight === 0) continue;
    ids[r] = id;
    counted[r] = weight;
    sum += weight;
  }
  return { targets: ids, share: Float32Array.from(counted, (weight) => (sum === 0 ? 0 : weight / sum)) };
}

/** Throws ClassIdError unless every target is −1 or a class. */
export function requireTargets(targets: Int32Array, n: number): void {
  for (let r = 0; r < targets.length; r++) {
    const id = targets[r];
    if (id >= -1 && id < n) continue;
    const values = { name: "targets", index: r, id, n };
    throw new ClassIdError(`targets[${r}] is ${id}; it must be −1 or a class in [0, ${n})`, values);
  }
}

/** Throws NotFiniteError, with the row, unless `logP` is a number. */
export function requireLogProbability(row: number, logP: number): void {
  if (Number.isFinite(logP)) return;
  throw new NotFiniteError(`the loss of row ${row} is ${-logP}: its logits are too large for float32`, {
    row,
    value: -logP,
  });
}
