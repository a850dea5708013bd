import type { Vectors } from "../vectors.js";

/** Floats that rules are made of, after the other arguments. `gain1` is 1 − β₁, `unbias` 1 / correction2, `width` D. */
export const CONSTANTS = [
  "gradientScale",
  "weightDecay",
  "rate",
  "momentum",
  "epsilon",
  "unbias",
  "beta1",
  "gain1",
  "beta2",
  "gain2",
  "width",
] as const;

export type Constant = (typeof CONSTANTS)[number];

/** Registers that a step works on: weights, gradient g, the states' vectors, and one to spare. */
export const [W, G, STATE, SECOND, SPARE] = [0, 1, 2, 3, 4] as const;

/** One rule whose elements are independent. */
export interface Rule {
  /** State tables it has. */
  readonly states: 0 | 1 | 2;
  /** Constants it needs in registers, besides those of g. */
  readonly constants: readonly Constant[];
  /** New states and weights from the old ones and g, all in their registers; `constant` names the registers of the constants. */
  readonly step: (v: Vectors, constant: (name: Constant) => number) => void;
}

export const SGD: Rule = {
  states: 0,
  constants: ["rate"],
  step: (v, constant) => v.op("vfnmadd231ps", W, G, constant("rate")),
};

export const MOMENTUM: Rule = {
  states: 1,
  constants: ["rate", "momentum"],
  step(v, constant) {
    v.op("vfmadd213ps", STATE, constant("momentum"), G);
    v.op("vfnmadd231ps", W, STATE, constant("rate"));
  },
};

export const ADAGRAD: Rule = {
  states: 1,
  constants: ["rate", "epsilon"],
  step(v, constant) {
    v.op("vfmadd231ps", STATE, G, G);
    v.op("vmulps", G, G, constant("rate"));
    v.op("vsqrtps", SPARE, -1, STATE);
    v.op("vaddps", SPARE, SPARE, constant("epsilon"));
    v.op("vdivps", G, G, SPARE);
    v.op("vsubps", W, W, G);
  },
};

export const ADAM: Rule = {
  states: 2,
  constants: ["rate", "epsilon", "unbias", "beta1", "gain1", "beta2", "gain2"],
  step(v, constant) {
    v.op("vmulps", SPARE, G, constant("gain1"));
    v.op("vfmadd213ps", STATE, constant("beta1"), SPARE);
    v.op("vmulps", SPARE, G, constant("gain2"));
    v.op("vmulps", SECOND, SECOND, constant("beta2"));
    v.op("vfmadd231ps", SECOND, SPARE, G);
    v.op("vmulps", SPARE, SECOND, constant("unbias"));
    v.op("vsqrtps", SPARE, -1, SPARE);
    v.op("vaddps", SPARE, SPARE, constant("epsilon"));
    v.op("vmulps", G, STATE, constant("rate"));
    v.op("vdivps", G, G, SPARE);
    v.op("vsubps", W, W, G);
  },
};
