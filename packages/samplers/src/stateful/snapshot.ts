import { ClassIdError, OptionError, requireInteger, requireLength, SamplerError } from "@logq/core";
import type { StateArray, StateSnapshot } from "./types.js";

type Arrays = Readonly<Record<string, StateArray>>;
type Head = StateSnapshot["head"];

/** A snapshot of arrays, copied out of shared memory. */
export function snapshotOf(kind: string, head: Head, arrays: Arrays): StateSnapshot {
  const copies = Object.entries(arrays).map(([name, array]) => [
    name,
    array instanceof Int32Array ? Int32Array.from(array) : Float64Array.from(array),
  ]);
  return { kind, head, arrays: Object.fromEntries(copies) };
}

/**
 * Checks that a snapshot belongs to a structure of this kind, head and lengths, before anything is written.
 * @throws OptionError (kind or head), ShapeError (an array that is missing or has another length or type)
 */
export function requireFitting(snapshot: StateSnapshot, kind: string, head: Head, arrays: Arrays): void {
  if (snapshot.kind !== kind) {
    throw new OptionError(`a state of ${snapshot.kind} cannot be imported into ${kind}`, {
      name: "kind",
      saved: snapshot.kind,
      present: kind,
    });
  }
  for (const [name, present] of Object.entries(head)) {
    const saved = snapshot.head[name];
    if (saved === present) continue;
    throw new OptionError(`the state of ${kind} was saved with ${name} ${saved}, but here it is ${present}`, {
      name,
      saved,
      present,
    });
  }
  for (const [name, array] of Object.entries(arrays)) {
    const saved = snapshot.arrays[name];
    requireLength(`array ${name} of a saved state`, saved?.length ?? 0, array.length, "(as the options say)");
    const [found, wanted] = [saved?.[Symbol.toStringTag], array[Symbol.toStringTag]];
    if (saved === undefined || found === wanted) continue;
    throw new OptionError(`array ${name} of a saved state is a ${found}, not a ${wanted}`, { name, found, wanted });
  }
}

/** Copies a snapshot that `requireFitting` passed into the shared arrays. */
export function restore(snapshot: StateSnapshot, arrays: Arrays): void {
  for (const [name, array] of Object.entries(arrays)) array.set(snapshot.arrays[name]);
}

/** Refuses a saved array with an element that is no number in [minimum, maximum]. @throws SamplerError */
export function requireValues(name: string, values: ArrayLike<number>, minimum: number, maximum: number): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value >= minimum && value <= maximum) continue;
    throw new SamplerError(`${name}[${index}] of a saved state is ${value}; it lies in [${minimum}, ${maximum}]`, {
      name,
      index,
      value,
    });
  }
}

export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index];
  return sum;
}

/** The parts of a snapshot, each under its own prefix. */
export function joinSnapshots(kind: string, head: Head, parts: Readonly<Record<string, StateSnapshot>>): StateSnapshot {
  const heads: Record<string, Head[string]> = { ...head };
  const arrays: Record<string, StateArray> = {};
  for (const [prefix, part] of Object.entries(parts)) {
    heads[`${prefix}.kind`] = part.kind;
    for (const [name, value] of Object.entries(part.head)) heads[`${prefix}.${name}`] = value;
    for (const [name, array] of Object.entries(part.arrays)) arrays[`${prefix}.${name}`] = array;
  }
  return { kind, head: heads, arrays };
}

/** The part that `joinSnapshots` put under a prefix. */
export function partOf(snapshot: StateSnapshot, prefix: string): StateSnapshot {
  const under = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => name.startsWith(`${prefix}.`))
        .map(([name, value]) => [name.slice(prefix.length + 1), value]),
    );
  const { kind, ...head } = under(snapshot.head);
  return { kind: String(kind), head, arrays: under(snapshot.arrays) };
}

/** Checks an observation before it changes anything. @param n classes, null: any id ≥ 0. @throws OptionError, ClassIdError */
export function requireObservation(
  nextStep: number,
  n: number | null,
  step: number,
  ids: Int32Array,
  from: number,
  to: number,
): void {
  requireInteger("an observed step", step, nextStep);
  requireIds(n, ids, from, to);
}

/** Checks that from and to are a range of ids and that its ids are classes. @throws OptionError, ClassIdError */
export function requireIds(n: number | null, ids: Int32Array, from: number, to: number): void {
  requireInteger("to", to, 0, ids.length);
  requireInteger("from", from, 0, to);
  for (let index = from; index < to; index++) {
    const id = ids[index];
    if (id >= 0 && (n === null || id < n)) continue;
    throw new ClassIdError(`target ${index} is ${id}; ids lie in [0, ${n ?? "2^31"})`, { index, id, n });
  }
}
