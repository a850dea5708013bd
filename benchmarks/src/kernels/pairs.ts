import type { Address } from "@logq/kernels";
import { fillUniform } from "../data.js";
import { type Form, type KernelSpec, readRows } from "./kernel-group.js";

/** Rows with T labels each, and C candidates that all of them meet: logits (C, R). */
export interface PairShape {
  readonly T: number;
  readonly C: number;
  readonly R: number;
}

interface PairAddresses {
  readonly z: Address;
  /** What z is before each run. */
  readonly source: Address;
  readonly labels: Address;
  readonly pull: Address;
}

const COEFFICIENT = 0.25;

/** Machine code has none of its own. */
const FORMS: readonly Form[] = [
  { name: "wasm", backend: "wasm" },
  { name: "reference", backend: "reference" },
];

const logitsOf = ({ C, R }: PairShape, out: Float32Array = new Float32Array(C * R)) => fillUniform(out, 8, -4, 4);
const labelsOf = ({ T, R }: PairShape, out: Float32Array = new Float32Array(T * R)) => fillUniform(out, 9, -4, 4);

/** The logistic loss of all pairs of a label and a candidate, value and gradients. */
export function pairSpec(shape: PairShape): KernelSpec<PairAddresses> {
  const { T, C, R } = shape;
  return {
    name: `pairs by the logistic loss, ${R} rows of ${T} labels x ${C} candidates`,
    work: { bytes: 8 * C * R + 20 * T * R, items: { name: "pair", count: T * C * R } },
    forms: FORMS,
    tolerance: { relative: 3e-6 },
    layout: (plan) => ({
      z: plan.reserve("z", 4 * C * R),
      source: plan.reserve("source", 4 * C * R),
      labels: plan.reserve("labels", 4 * T * R),
      pull: plan.reserve("pull", 8 * T * R),
    }),
    bind(kernels, at) {
      const { memory, tile } = kernels;
      logitsOf(shape, memory.floats(at.source, C * R));
      labelsOf(shape, memory.floats(at.labels, T * R));
      const losses = new Float64Array(R);
      return {
        before() {
          memory.f32.copyWithin(at.z >>> 2, at.source >>> 2, (at.source >>> 2) + C * R);
          memory.doubles(at.pull, T * R).fill(0);
        },
        run() {
          for (let r = 0; r < R; r++) {
            const [labels, pull] = [at.labels + 4 * T * r, at.pull + 8 * T * r];
            losses[r] = tile.logisticPairs(at.z + 4 * r, R, C, 1, 0, 0, labels, 0, T, COEFFICIENT, pull);
          }
        },
        result: () => [...readRows(kernels, at.z, C, R, R), ...memory.doubles(at.pull, T * R), ...losses],
      };
    },
    expected: () => expectedOf(shape),
  };
}

function expectedOf(shape: PairShape): number[] {
  const { T, C, R } = shape;
  const [z, labels] = [logitsOf(shape), labelsOf(shape)];
  const [gradient, pull, losses] = [new Float64Array(C * R), new Float64Array(T * R), new Float64Array(R)];
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < C; c++) {
      for (let l = 0; l < T; l++) {
        const d = z[c * R + r]! - labels[r * T + l]!;
        const slope = 1 / (1 + Math.exp(-d));
        gradient[c * R + r]! += COEFFICIENT * slope;
        pull[r * T + l]! += slope;
        losses[r]! += Math.max(d, 0) + Math.log1p(Math.exp(-Math.abs(d)));
      }
    }
  }
  return [...gradient, ...pull, ...losses];
}
