/**
 * Oracles by enumeration: S distinct classes drawn one after the other, each from what is left, the law of "try until S distinct have come".
 */
export interface Order {
  readonly ids: readonly number[];
  readonly probability: number;
  /** The expected number of tries, given this order. */
  readonly tries: number;
}

/** Every order of S distinct classes of the law p with its probability. n!/(n−S)! of them: for small n. */
export function orders(p: readonly number[], S: number): Order[] {
  let found: Order[] = [{ ids: [], probability: 1, tries: 0 }];
  for (let k = 0; k < S; k++) {
    found = found.flatMap(({ ids, probability, tries }) => {
      const left = p.reduce((sum, value, id) => (ids.includes(id) ? sum : sum + value), 0);
      return p.flatMap((value, id) =>
        ids.includes(id) || value === 0
          ? []
          : [{ ids: [...ids, id], probability: (probability * value) / left, tries: tries + 1 / left }],
      );
    });
  }
  return found;
}

/** P(class is among the S), for every class. */
export function inclusions(p: readonly number[], S: number): number[] {
  const found = orders(p, S);
  return p.map((_, id) => found.reduce((sum, one) => (one.ids.includes(id) ? sum + one.probability : sum), 0));
}
