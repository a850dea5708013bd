export interface KolmogorovResult {
  /** The largest distance D between the distribution functions. */
  readonly statistic: number;
  /** P(D or more) under the hypothesis, asymptotic with Stephens' correction; good from about 5 numbers up. */
  readonly pValue: number;
}

/** One-sample test of Kolmogorov and Smirnov: does `sample` come from the continuous distribution function `cdf`? */
export function kolmogorovTest(sample: ArrayLike<number>, cdf: (x: number) => number): KolmogorovResult {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let statistic = 0;
  for (let i = 0; i < n; i++) {
    const F = cdf(sorted[i]!);
    statistic = Math.max(statistic, (i + 1) / n - F, F - i / n);
  }
  return { statistic, pValue: pValueOf(statistic, n) };
}

/** Two-sample test: do `a` and `b` come from the same distribution? Ties are stepped over together. */
export function kolmogorovTwoSampleTest(a: ArrayLike<number>, b: ArrayLike<number>): KolmogorovResult {
  const x = Float64Array.from(a).sort();
  const y = Float64Array.from(b).sort();
  let i = 0;
  let j = 0;
  let statistic = 0;
  while (i < x.length && j < y.length) {
    const next = Math.min(x[i]!, y[j]!);
    while (i < x.length && x[i]! === next) i++;
    while (j < y.length && y[j]! === next) j++;
    statistic = Math.max(statistic, Math.abs(i / x.length - j / y.length));
  }
  return { statistic, pValue: pValueOf(statistic, (x.length * y.length) / (x.length + y.length)) };
}

/** Stephens (1970): D behaves as the limit law at (√n + 0.12 + 0.11/√n)·D. */
function pValueOf(statistic: number, n: number): number {
  const root = Math.sqrt(n);
  return kolmogorovUpperTail((root + 0.12 + 0.11 / root) * statistic);
}

/** P(K > x) of Kolmogorov's limit law, by whichever of its two series converges fast. */
export function kolmogorovUpperTail(x: number): number {
  if (x <= 0) return 1;
  let sum = 0;
  if (x < 1) {
    for (let k = 1; k <= 20; k++) sum += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  for (let k = 1; k <= 20; k++) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * x * x);
  return 2 * sum;
}
