import { TestRandom } from "./random.js";

/** Sizes around the places where code changes its mind: one, vector widths, cache lines and blocks, each with its neighbours. */
export const AWKWARD_SIZES: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 100, 129];

/** The small half, for what is crossed with many other things. */
export const SMALL_AWKWARD_SIZES: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17];

type Axes = Readonly<Record<string, readonly unknown[]>>;

/** One value of each axis. */
export type Case<A extends Axes> = { -readonly [K in keyof A]: A[K][number] };

/**
 * Crosses axes without the full product: `rounds` times the longest axis cases, in which every value of every axis appears at least
 * `rounds` times, each round in another company. The choice depends on `seed` only. Every axis has at least one value.
 */
export function crossSparsely<const A extends Axes>(axes: A, rounds = 2, seed = 1): Case<A>[] {
  const names = Object.keys(axes);
  const longest = Math.max(...names.map((name) => axes[name]!.length));
  const random = new TestRandom(seed);
  const cases: Case<A>[] = [];
  for (let round = 0; round < rounds; round++) {
    const columns = names.map((name) => shuffledRepeats(axes[name]!, longest, random));
    for (let i = 0; i < longest; i++) {
      cases.push(Object.fromEntries(names.map((name, axis) => [name, columns[axis]![i]])) as Case<A>);
    }
  }
  return cases;
}

/** `length` values, a fresh shuffle of all of them after the other. */
function shuffledRepeats(values: readonly unknown[], length: number, random: TestRandom): unknown[] {
  const out: unknown[] = [];
  while (out.length < length) out.push(...random.shuffle([...values]));
  return out.slice(0, length);
}
