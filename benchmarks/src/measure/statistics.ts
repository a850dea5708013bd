/** Milliseconds for one execution, over the samples of all rounds. */
export interface Timing {
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly minMs: number;
  readonly samples: number;
  /** One median a round: how steady the machine was. */
  readonly roundMediansMs: readonly number[];
}

/** The q-quantile, q in [0, 1], of ascending values, interpolated between neighbours. NaN without values. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (place - below) * (high - low);
}

/** Sums up rounds of samples, each ascending. */
export function summarise(rounds: readonly (readonly number[])[]): Timing {
  const all = Float64Array.from(rounds.flat()).sort();
  return {
    medianMs: quantile(all, 0.5),
    p10Ms: quantile(all, 0.1),
    p90Ms: quantile(all, 0.9),
    minMs: quantile(all, 0),
    samples: all.length,
    roundMediansMs: rounds.map((samples) => quantile(samples, 0.5)),
  };
}
