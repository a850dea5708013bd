import type { MarginKind } from "./loss-spec.js";

/** What becomes of the cosine of a label. */
export interface LabelMargin {
  /** The cosine that takes its place. */
  readonly cosine: (cosine: number) => number;
  /** Its derivative. */
  readonly slope: (cosine: number) => number;
}

/** The label as it is. */
export const NO_MARGIN: LabelMargin = { cosine: (cosine) => cosine, slope: () => 1 };

/** Sines below this are taken to be it where they divide: slopes of angular margins stay below 1 + m/LEAST_SINE. */
const LEAST_SINE = 1e-3;

/**
 * The margin of a label, on cosines clamped to [−1, 1]:
 *
 *     cosine     cosθ − m                                  (Wang et al. 2018, CosFace, equation 4)
 *     angular    cos(θ + m)          where θ + m <= π      (Deng et al. 2019, ArcFace, equation 3)
 *                cosθ − m·sin m      beyond, where cos(θ + m) would rise again: the rule of its authors' code, which is no continuation of
 *                                    the value, but falls with θ as the other does
 *
 * The slope of cos(θ + m) with respect to cosθ is cos m + sin m·cosθ/sinθ = sin(θ + m)/sinθ, which no bound holds as θ goes to 0: sinθ is
 * taken to be 1e-3 at least.
 */
export function labelMargin(kind: MarginKind, m: number): LabelMargin {
  if (kind === "cosine") return { cosine: (cosine) => clamped(cosine) - m, slope: () => 1 };
  const [cosM, sinM] = [Math.cos(m), Math.sin(m)];
  return {
    cosine(cosine) {
      const c = clamped(cosine);
      return c < -cosM ? c - m * sinM : c * cosM - Math.sqrt(1 - c * c) * sinM;
    },
    slope(cosine) {
      const c = clamped(cosine);
      return c < -cosM ? 1 : cosM + (sinM * c) / Math.max(Math.sqrt(1 - c * c), LEAST_SINE);
    },
  };
}

function clamped(cosine: number): number {
  return Math.max(-1, Math.min(1, cosine));
}
