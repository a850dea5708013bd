import { copyRun, type ListSourceSpec, longestRun, type PairSourceSpec, type Source } from "./source.js";

/** One input id, one class. */
export class PairSource implements Source {
  readonly examples: number;
  readonly maxInputs = 1;
  readonly maxTargets = 1;
  readonly maxExcluded = 0;
  readonly weighted = false;
  readonly #spec: PairSourceSpec;

  constructor(spec: PairSourceSpec) {
    this.#spec = spec;
    this.examples = spec.inputs.length;
  }

  inputs(example: number, ids: Int32Array, _: Float32Array, at: number): number {
    ids[at] = this.#spec.inputs[example]!;
    return 1;
  }

  targets(example: number, ids: Int32Array, at: number): number {
    ids[at] = this.#spec.targets[example]!;
    return 1;
  }

  excluded(): number {
    return 0;
  }
}

/** Rows as they were given. */
export class ListSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded: number;
  readonly weighted = true;
  readonly #spec: ListSourceSpec;

  constructor(spec: ListSourceSpec) {
    this.#spec = spec;
    this.examples = spec.inputOffsets.length - 1;
    this.maxInputs = longestRun(spec.inputOffsets);
    this.maxTargets = longestRun(spec.targetOffsets);
    this.maxExcluded = longestRun(spec.excludedOffsets);
  }

  inputs(example: number, ids: Int32Array, weights: Float32Array, at: number): number {
    const { inputOffsets, inputs } = this.#spec;
    const first = inputOffsets[example]!;
    const end = inputOffsets[example + 1]!;
    for (let i = first; i < end; i++) weights[at + i - first] = this.#spec.weights[i]!;
    return copyRun(inputs, first, end, ids, at);
  }

  targets(example: number, ids: Int32Array, at: number): number {
    const { targetOffsets, targets } = this.#spec;
    return copyRun(targets, targetOffsets[example]!, targetOffsets[example + 1]!, ids, at);
  }

  excluded(example: number, ids: Int32Array, at: number): number {
    const { excludedOffsets, excluded } = this.#spec;
    return copyRun(excluded, excludedOffsets[example]!, excludedOffsets[example + 1]!, ids, at);
  }
}
