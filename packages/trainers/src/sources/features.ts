import { copyRun, type FeatureSourceSpec, longestRun, type Source } from "./source.js";

/** Rows of weighted features, each with its labels. */
export class FeatureSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded = 0;
  readonly weighted = true;
  readonly #spec: FeatureSourceSpec;

  constructor(spec: FeatureSourceSpec) {
    this.#spec = spec;
    this.examples = spec.rows.length;
    this.maxInputs = longestRun(spec.featureOffsets, spec.rows);
    this.maxTargets = longestRun(spec.labelOffsets, spec.rows);
  }

  inputs(example: number, ids: Int32Array, weights: Float32Array, at: number): number {
    const { rows, featureOffsets, features, values } = this.#spec;
    const row = rows[example]!;
    const first = featureOffsets[row]!;
    const end = featureOffsets[row + 1]!;
    for (let i = first; i < end; i++) weights[at + i - first] = values[i]!;
    return copyRun(features, first, end, ids, at);
  }

  targets(example: number, ids: Int32Array, at: number): number {
    const { rows, labelOffsets, labels } = this.#spec;
    const row = rows[example]!;
    return copyRun(labels, labelOffsets[row]!, labelOffsets[row + 1]!, ids, at);
  }

  excluded(): number {
    return 0;
  }
}
