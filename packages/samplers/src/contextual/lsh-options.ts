import { type Key, OptionError, requireInteger, requireNumber, requireOneOf } from "@logq/core";

export const LSH_HASHES = ["simhash", "winner-take-all"] as const;
export type LshHash = (typeof LSH_HASHES)[number];

export const LSH_CANDIDATES = ["honest", "slide"] as const;
export type LshCandidates = (typeof LSH_CANDIDATES)[number];

export const LSH_CLASS_FACTORS = ["none", "unigram"] as const;
export type LshClassFactor = (typeof LSH_CLASS_FACTORS)[number];

/** Coordinates that a winner is sought among, and the bits that name it. */
export const WINNER_BIN = 8;
export const WINNER_BITS = 3;

/** What a user chooses. Plain data; `validateLshOptions` checks it and fills in the defaults. */
export interface LshOptions {
  readonly name: "lsh";
  /**
   * `simhash` (the default): signs of random projections (Charikar 2002), near in angle. `winner-take-all`: which of 8 random coordinates is the greatest
   * (Yagnik et al. 2011; on dense rows the densified form that SLIDE uses has nothing to densify), 3 bits each, near in order; needs D ≥ 8.
   */
  readonly hash?: LshHash;
  /** Hash tables, in [1, 256], default 16. */
  readonly tables?: number;
  /**
   * Bits of a table's code, in [1, 16], of winner-take-all a multiple of 3. Default of honest draws: 4, or 3, since a law that follows the softmax needs
   * buckets that are often shared; of slide: such that a bucket holds about 32 classes.
   */
  readonly bits?: number;
  /**
   * `honest` (the default): draws that have a law, with its log Q. `slide`: the classes that most tables agree on (Chen, Medini, Farwell, Gobriel, Tai and
   * Shrivastava, "SLIDE", MLSys 2020), which have none: the sampler says that it is biased.
   */
  readonly candidates?: LshCandidates;
  /** Share of draws from the law of class weights alone, which gives every class mass, in (0, 1], default 0.3. */
  readonly mixture?: number;
  /**
   * What a class weighs within a bucket and in the law mixed in: 1 (`none`, the default), or its unigram mass, for 8 bytes a class and table more. On
   * words a proposal without it is worse than a plain unigram. Masses are rounded, once, to whole numbers k of a sum below 2^32, at least 1 where there is
   * mass; k/Σk is what draws and what log Q tells, so nothing is biased. Of ten million classes one of mean mass has k = 427, right to 0.12%.
   */
  readonly classFactor?: LshClassFactor;
  /** Steps of a pass over all classes that renews the tables, in [1, 2^20], default 64. */
  readonly refreshSteps?: number;
}

/** What does not come from the user of the sampler but from the model. */
export interface LshInputs {
  /** Of the hash functions. */
  readonly key: Key;
  /**
   * (n), finite and ≥ 0, their sum finite too, one at least above 0: counts or probabilities, read by `build`. Needed for `classFactor: "unigram"`, where
   * a class of 0 is never drawn unless by slide.
   */
  readonly unigram?: ArrayLike<number>;
}

/** Options that were checked, every field present. */
export type ValidLshOptions = Required<LshOptions>;

const FIELDS = ["name", "hash", "tables", "bits", "candidates", "mixture", "classFactor", "refreshSteps"];

/** With 16 tables the lowest KL divergence from the softmax of trained word and place models, of 3 to 10 bits. */
const HONEST_BITS = 4;

/** Classes of a bucket that slide's default number of bits aims at. */
const BUCKET_CLASSES = 32;

/** Checks options that may come from anywhere and fills in the defaults. @throws OptionError that names the field and its value */
export function validateLshOptions(options: LshOptions, n: number, D: number): ValidLshOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionError(`options of a sampler must be an object, not ${options}`, { value: options });
  }
  requireOneOf("sampler", options.name, ["lsh"]);
  for (const field of Object.keys(options)) requireOneOf("a field of the options of lsh", field, FIELDS);
  const hash = requireOneOf("hash", options.hash ?? "simhash", LSH_HASHES);
  requireInteger("n", n, 1, 2 ** 31 - 1);
  requireInteger("D", D, hash === "winner-take-all" ? WINNER_BIN : 1, 2 ** 20);
  const mixture = requireNumber("mixture", options.mixture ?? 0.3, 0, 1);
  if (mixture === 0) {
    throw new OptionError("mixture must be above 0: else classes in no bucket have no mass", {
      name: "mixture",
      mixture,
    });
  }
  const candidates = requireOneOf("candidates", options.candidates ?? "honest", LSH_CANDIDATES);
  return {
    name: "lsh",
    hash,
    tables: requireInteger("tables", options.tables ?? 16, 1, 256),
    bits: checkedBits(hash, options.bits ?? defaultBits(hash, candidates, n)),
    candidates,
    mixture,
    classFactor: requireOneOf("classFactor", options.classFactor ?? "none", LSH_CLASS_FACTORS),
    refreshSteps: requireInteger("refreshSteps", options.refreshSteps ?? 64, 1, 2 ** 20),
  };
}

function defaultBits(hash: LshHash, candidates: LshCandidates, n: number): number {
  const step = hash === "winner-take-all" ? WINNER_BITS : 1;
  if (candidates === "honest") return step === 1 ? HONEST_BITS : step;
  const wanted = Math.round(Math.log2(n / BUCKET_CLASSES) / step) * step;
  return Math.max(step, Math.min(wanted, hash === "winner-take-all" ? 15 : 16));
}

function checkedBits(hash: LshHash, bits: number): number {
  requireInteger("bits", bits, 1, 16);
  if (hash === "winner-take-all" && bits % WINNER_BITS !== 0) {
    throw new OptionError(`bits must be a multiple of ${WINNER_BITS} for ${hash}, not ${bits}`, {
      name: "bits",
      bits,
      hash,
    });
  }
  return bits;
}
