/**
 * The counts that a binomial (trials, p) stays within, except in a share `falseAlarmRate` of honest runs of `comparisons` such counts.
 * From Chernoff's bound P(X >= k) <= exp(−trials·KL(k/trials ‖ p)) on either side, which holds for every p and number of trials:
 * no normal approximation, at the price of a slightly wider interval than the exact one.
 */
export function binomialBounds(
  trials: number,
  p: number,
  falseAlarmRate: number,
  comparisons = 1,
): { low: number; high: number } {
  const budget = -Math.log(falseAlarmRate / (2 * comparisons)) / trials;
  return {
    low: Math.ceil(trials * edge(p, 0, budget)),
    high: Math.floor(trials * edge(p, 1, budget)),
  };
}

/** Throws unless `count` successes in `trials` agree with probability p; see `binomialBounds`. */
export function expectBinomial(
  count: number,
  trials: number,
  p: number,
  falseAlarmRate: number,
  comparisons = 1,
  name = "count",
): void {
  const { low, high } = binomialBounds(trials, p, falseAlarmRate, comparisons);
  if (count >= low && count <= high) return;
  throw new Error(
    `${name}: ${count} of ${trials}, but probability ${p} gives [${low}, ${high}] (false-alarm rate ${falseAlarmRate})`,
  );
}

/** The share between p and `end` whose divergence from p is `budget`, or `end` if none is that far. */
function edge(p: number, end: 0 | 1, budget: number): number {
  if (divergence(end, p) <= budget) return end;
  let near = p;
  let far: number = end;
  for (let i = 0; i < 100; i++) {
    const middle = (near + far) / 2;
    if (divergence(middle, p) > budget) far = middle;
    else near = middle;
  }
  return near;
}

/** KL(q ‖ p) of two coins, in nats. */
function divergence(q: number, p: number): number {
  return part(q, p) + part(1 - q, 1 - p);
}

function part(q: number, p: number): number {
  return q === 0 ? 0 : q * Math.log(q / p);
}
