import type { Address, KernelMemory } from "@logq/kernels";
import type { TermVectors } from "@logq/losses";

/** Where the vectors of one role lie; 0: absent. */
export interface TermAddresses {
  readonly bias: Address;
  readonly logQ: Address;
  readonly multiplicity: Address;
  readonly add: Address;
  /** 0 or not given: no soft cap */
  readonly inner?: Address;
  readonly weight: Address;
  readonly count: number;
}

/** Views for `candidateTerms`, made once: a step only moves `from` and `to`. */
export function termVectors(memory: KernelMemory, at: TermAddresses): TermVectors {
  const { bias, logQ, multiplicity, add, inner = 0, weight, count } = at;
  return {
    from: 0,
    to: 0,
    bias: bias === 0 ? null : memory.floats(bias, count),
    logQ: memory.floats(logQ, count),
    multiplicity: multiplicity === 0 ? null : memory.ints(multiplicity, count),
    add: memory.floats(add, count),
    ...(inner === 0 ? {} : { inner: memory.floats(inner, count) }),
    weight: weight === 0 ? null : memory.floats(weight, count),
  };
}
