import { OptionError, requireAllFinite, requireInteger, requireLength, requireOneOf, SamplerError } from "@logq/core";
import { CLASS_FACTORS, type ClassFactor } from "./kernel-tree-options.js";

export const MIDX_CODES = ["residual", "product"] as const;
export type MidxCodes = (typeof MIDX_CODES)[number];

/** What a user chooses. Plain data; `validateMidxOptions` checks it and fills in the defaults. */
export interface MidxOptions {
  readonly name: "midx";
  /**
   * How a class row becomes two codes. `residual` (the default): the nearest sum of a code of each codebook, both of width D. `product`: each half of
   * the row by its own codebook; needs D ≥ 2.
   */
  readonly codes?: MidxCodes;
  /** Codes of each codebook, a power of two in [1, 256], default 64. There are K² cells. */
  readonly K?: number;
  /**
   * What a class weighs besides its codes, in the choice of a cell and within it. Default: `bias` where classes have biases, else `none`. On words a
   * proposal without it is worse than a plain unigram.
   */
  readonly classFactor?: ClassFactor;
  /** Steps of a pass over all classes that renews codes, factors and codebooks, in [1, 2^20], default 64. */
  readonly refreshSteps?: number;
}

/** What does not come from the user of the sampler but from the model. */
export interface MidxInputs {
  /** 1/τ: logits, biases included, are multiplied by it. Above 0. */
  readonly scale: number;
  /** Whether classes have biases: decides the default of `classFactor`. */
  readonly hasBiases: boolean;
  /**
   * (n), finite and ≥ 0, one at least above 0: counts or probabilities, read by `build`. Needed for `classFactor: "unigram"`, where a class of 0 is never
   * drawn; of use to all, since codebooks are fitted to frequent classes first if it is known.
   */
  readonly unigram?: ArrayLike<number>;
}

/** Options that were checked, every field present. */
export interface ValidMidxOptions {
  readonly name: "midx";
  readonly codes: MidxCodes;
  readonly K: number;
  /** undefined: decided by whether classes have biases. */
  readonly classFactor: ClassFactor | undefined;
  readonly refreshSteps: number;
}

const FIELDS = ["name", "codes", "K", "classFactor", "refreshSteps"];

/** Checks options that may come from anywhere and fills in the defaults. @throws OptionError that names the field and its value */
export function validateMidxOptions(options: MidxOptions, n: number, D: number): ValidMidxOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(`options of a sampler must be an object, not ${options}`, { value: options });
  }
  requireOneOf("sampler", options.name, ["midx"]);
  for (const field of Object.keys(options)) requireOneOf("a field of the options of midx", field, FIELDS);
  const codes = requireOneOf("codes", options.codes ?? "residual", MIDX_CODES);
  const K = requireInteger("K", options.K ?? 64, 1, 256);
  if ((K & (K - 1)) !== 0) throw new OptionError(`K must be a power of two, not ${K}`, { name: "K", value: K });
  requireInteger("n", n, 1, 2 ** 31 - 1);
  requireInteger("D", D, codes === "product" ? 2 : 1, 2 ** 20);
  const { classFactor } = options;
  return {
    name: "midx",
    codes,
    K,
    classFactor: classFactor === undefined ? undefined : requireOneOf("classFactor", classFactor, CLASS_FACTORS),
    refreshSteps: requireInteger("refreshSteps", options.refreshSteps ?? 64, 1, 2 ** 20),
  };
}

/** @throws OptionError, SamplerError unless unigram weights can be what classes weigh */
export function requireUnigram(unigram: ArrayLike<number> | undefined, n: number): ArrayLike<number> {
  if (unigram === undefined) {
    throw new OptionError("the class factor unigram needs the unigram law", { classFactor: "unigram" });
  }
  requireLength("unigram", unigram.length, n, "(n)");
  requireAllFinite("unigram", unigram);
  let greatest = 0;
  for (let id = 0; id < n; id++) {
    if (unigram[id] < 0) {
      throw new SamplerError(`unigram[${id}] is ${unigram[id]}; it must be at least 0`, {
        index: id,
        value: unigram[id],
      });
    }
    greatest = Math.max(greatest, unigram[id]);
  }
  if (greatest === 0) throw new SamplerError(`all ${n} unigram weights are 0: no class can be drawn`, { n });
  return unigram;
}
