import {
  type Key,
  OptionError,
  requireInteger,
  requireLength,
  requireOneOf,
  requirePositive,
  SamplerError,
} from "@logq/core";
import { TABLE_TYPES, type TableType } from "@logq/kernels";

/** What multiplies the kernel of a class: nothing, e^bias (of the bias divided by τ), or its share of the unigram counts. */
export const CLASS_FACTORS = ["none", "bias", "unigram"] as const;
export type ClassFactor = (typeof CLASS_FACTORS)[number];

/** What a class weighs within its block: the kernel itself, or the exponential of its logit, both of the stored rows. */
export const BLOCK_LAWS = ["kernel", "softmax"] as const;
export type BlockLaw = (typeof BLOCK_LAWS)[number];

/** What is stored of class rows, to score blocks by: all of them, or their projection. */
export const STORED_ROWS = ["whole", "projected"] as const;
export type RowsStored = (typeof STORED_ROWS)[number];

export const FEATURE_KINDS = ["positive", "trigonometric"] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** What both samplers on a kernel tree let a user choose. */
interface KernelTreeOptions {
  /** Default: `bias` where classes have biases, else `none`. */
  readonly classFactor?: ClassFactor;
  /** Classes of a block, a power of two in [8, 256]. Default 32. */
  readonly block?: number;
  /** Children of a node, a power of two in [2, 64]. Default 4. */
  readonly arity?: number;
  /** Steps in which every class is refreshed once, in [1, 2^20]. Default 64. */
  readonly refreshSteps?: number;
  /**
   * How the stored rows are held. Default `float32`; `bfloat16` takes half the bytes, and classes of a block are then drawn by the rounded rows. Nodes are
   * float32 sums over the rows as they were read.
   */
  readonly tableType?: TableType;
}

/**
 * Draws blocks of classes by Σ K, K(h, w) = (alpha·(⟨Ph, Pw⟩/τ)² + 1)·g(class) (Blanc and Rendle, "Adaptive Sampled Softmax with Kernel Based Sampling",
 * ICML 2018), and within a block by the exponential e^{⟨h, w⟩/τ}·g itself. With `blockLaw: "kernel"` classes are drawn by K alone, as in the paper.
 */
export interface QuadraticKernelOptions extends KernelTreeOptions {
  readonly name: "quadratic-kernel";
  /** Above 0, default 100. */
  readonly alpha?: number;
  /** Width r of projected rows, in [1, min(D, 128)]; D: no projection. Default min(D, 16). A node stores r(r + 1)/2 numbers. */
  readonly projection?: number;
  /** Default `softmax`. */
  readonly blockLaw?: BlockLaw;
  /** Default: `whole`, n·D numbers, for the law `softmax`; `projected`, n·r numbers, for the law `kernel`. */
  readonly rows?: RowsStored;
}

/**
 * Draws blocks of classes by an estimate of Σ e^{⟨h, w⟩/τ}·g(class) from random features, and within a block by the exponential itself (Rawat, Chen,
 * Yu, Suresh and Kumar, "Sampled Softmax with Random Fourier Features", NeurIPS 2019).
 */
export interface RandomFeaturesOptions extends KernelTreeOptions {
  readonly name: "random-features";
  /** Features of a node, in [2, 1024], even if they are trigonometric. Default 64. */
  readonly features?: number;
  /** Default `positive`: e^{⟨ω, u⟩ − ‖u‖²/2}, never negative; `trigonometric`: cos ⟨ω, u⟩ and sin ⟨ω, u⟩, clamped. */
  readonly kind?: FeatureKind;
  /** The least an estimate may be, as a share of the node's mean feature (positive) or bound (trigonometric), in (0, 1]. Default 0.01. */
  readonly floor?: number;
  /** The kernel that features estimate is e^{sharpness·⟨h, w⟩/τ}: below 1 flatter, with less noise. In (0, 1], default 0.5. */
  readonly sharpness?: number;
  /** Width r of the stored rows, n·r numbers, in [1, D]. Default D: no projection. */
  readonly projection?: number;
}

/** What does not come from the user of the sampler but from the model. */
export interface KernelTreeInputs {
  /** Of the projection and the features. */
  readonly key: Key;
  /** 1/τ: logits are multiplied by it. Above 0. */
  readonly scale: number;
  /** Whether classes have biases: decides the default of `classFactor`. */
  readonly hasBiases: boolean;
  /** (n), finite and ≥ 0, one at least above 0: counts or probabilities, read by `build`. Needed for `classFactor: "unigram"`. A class of 0 is never drawn. */
  readonly unigram?: ArrayLike<number>;
}

/** Checked, every field present. */
export interface ValidKernelTreeOptions {
  readonly name: "quadratic-kernel" | "random-features";
  /** undefined: decided by whether classes have biases. */
  readonly classFactor: ClassFactor | undefined;
  readonly block: number;
  readonly arity: number;
  readonly refreshSteps: number;
  readonly tableType: TableType;
  readonly projection: number;
  readonly rows: RowsStored;
  readonly blockLaw: BlockLaw;
  readonly alpha: number;
  readonly features: number;
  readonly kind: FeatureKind;
  readonly floor: number;
  readonly sharpness: number;
}

const COMMON = ["name", "classFactor", "block", "arity", "refreshSteps", "tableType", "projection"];
const FIELDS = {
  "quadratic-kernel": [...COMMON, "alpha", "blockLaw", "rows"],
  "random-features": [...COMMON, "features", "kind", "floor", "sharpness"],
} as const;
const NAMES = ["quadratic-kernel", "random-features"] as const;

/** The widest projected row of a quadratic kernel: a node of 128 has 8,256 numbers. */
const MAX_QUADRATIC_WIDTH = 128;

/**
 * Checks options that may come from anywhere and fills in the defaults.
 * @throws OptionError that names the field and its value
 */
export function validateKernelTreeOptions(
  options: QuadraticKernelOptions | RandomFeaturesOptions,
  n: number,
  D: number,
): ValidKernelTreeOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(`options of a sampler must be an object, not ${options}`, { value: options });
  }
  requireInteger("n", n, 1, 2 ** 31 - 1);
  requireInteger("D", D, 1);
  const name = requireOneOf("sampler", options.name, NAMES);
  const fields: readonly string[] = FIELDS[name];
  for (const field of Object.keys(options)) requireOneOf(`a field of the options of ${name}`, field, fields);
  const { classFactor } = options;
  const common = {
    name,
    classFactor: classFactor === undefined ? undefined : requireOneOf("classFactor", classFactor, CLASS_FACTORS),
    block: requirePowerOfTwo("block", options.block ?? 32, 8, 256),
    arity: requirePowerOfTwo("arity", options.arity ?? 4, 2, 64),
    refreshSteps: requireInteger("refreshSteps", options.refreshSteps ?? 64, 1, 2 ** 20),
    tableType: requireOneOf("tableType", options.tableType ?? "float32", TABLE_TYPES),
  };
  return options.name === "quadratic-kernel"
    ? { ...common, ...quadratic(options, D), features: 0, kind: "positive", floor: 0, sharpness: 1 }
    : { ...common, ...randomFeatures(options, D), alpha: 0, blockLaw: "softmax", rows: "projected" };
}

function quadratic({ alpha, projection, blockLaw, rows }: QuadraticKernelOptions, D: number) {
  const law = requireOneOf("blockLaw", blockLaw ?? "softmax", BLOCK_LAWS);
  return {
    alpha: requirePositive("alpha", alpha ?? 100),
    projection: requireInteger("projection", projection ?? Math.min(D, 16), 1, Math.min(D, MAX_QUADRATIC_WIDTH)),
    blockLaw: law,
    rows: requireOneOf("rows", rows ?? (law === "softmax" ? "whole" : "projected"), STORED_ROWS),
  };
}

function randomFeatures({ features, kind, floor, sharpness, projection }: RandomFeaturesOptions, D: number) {
  const count = requireInteger("features", features ?? 64, 2, 1024);
  const chosen = requireOneOf("kind", kind ?? "positive", FEATURE_KINDS);
  if (chosen === "trigonometric" && count % 2 !== 0) {
    throw new OptionError(`trigonometric features come in pairs: features must be even, not ${count}`, {
      name: "features",
      value: count,
    });
  }
  return {
    features: count,
    kind: chosen,
    floor: requireShare("floor", floor ?? 0.01),
    sharpness: requireShare("sharpness", sharpness ?? 0.5),
    projection: requireInteger("projection", projection ?? D, 1, D),
  };
}

function requireShare(name: string, value: number): number {
  if (requirePositive(name, value) <= 1) return value;
  throw new OptionError(`${name} must be a number in (0, 1], not ${value}`, { name, value });
}

function requirePowerOfTwo(name: string, value: number, minimum: number, maximum: number): number {
  requireInteger(name, value, minimum, maximum);
  if (Number.isInteger(Math.log2(value))) return value;
  throw new OptionError(`${name} must be a power of two, not ${value}`, { name, value });
}

/**
 * Checks what comes from the model, and answers the class factor that is meant.
 * @throws OptionError, ShapeError, SamplerError (a weight that is no weight, or none above 0)
 */
export function validateKernelTreeInputs(
  { classFactor }: ValidKernelTreeOptions,
  { scale, hasBiases, unigram }: KernelTreeInputs,
  n: number,
): ClassFactor {
  requirePositive("scale", scale);
  const factor = classFactor ?? (hasBiases ? "bias" : "none");
  if (factor !== "unigram") return factor;
  if (unigram === undefined) {
    throw new OptionError("classFactor unigram needs the counts of the classes", {
      name: "classFactor",
      value: factor,
    });
  }
  requireLength("unigram", unigram.length, n, "(n)");
  let greatest = 0;
  for (let id = 0; id < n; id++) {
    const value = unigram[id];
    if (!(value >= 0 && value < Infinity)) {
      throw new SamplerError(`unigram[${id}] is ${value}; every weight must be finite and at least 0`, {
        index: id,
        value,
      });
    }
    greatest = Math.max(greatest, value);
  }
  if (greatest === 0) throw new SamplerError(`all ${n} unigram weights are 0: no class can be drawn`, { n });
  return factor;
}
