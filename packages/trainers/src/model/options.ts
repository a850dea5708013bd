import type { BackendChoice } from "@logq/blas";
import { OptionError, requireInteger, requireNumber, requireOneOf, requirePositive } from "@logq/core";
import { TABLE_TYPES, type TableType } from "@logq/kernels";
import {
  type Correction,
  describeLoss,
  type LossSpec,
  lossDefaults,
  type MarginKind,
  validateLossSpec,
} from "@logq/losses";
import type { SamplerName } from "@logq/samplers";
import { PRODUCT_TYPES, type ProductType } from "../engine/products.js";
import { type OptimizerSpec, optimizerSpec } from "../optimize/optimizer.js";
import { type ScheduleSpec, scheduleSpec } from "../optimize/schedule.js";
import { CONTEXT_MODES, type ContextMode } from "../sources/source.js";
import { DEFAULT_LANES } from "../table/lanes.js";
import { type AdaptiveRun, adaptiveRun, TRAIN_LOSSES, type TrainLossName } from "./adaptive.js";
import {
  type ClassWeightRule,
  type ClassWeights,
  type Propensities,
  type PropensityRule,
  requirePropensityLoss,
  weighingOf,
} from "./label-weights.js";
import { learnsTemperature } from "./learned-temperature.js";
import { type RecipeName, withRecipe } from "./recipes.js";
import {
  bringsTargets,
  isContextual,
  isPool,
  type RunSampler,
  runSampler,
  type SamplerOptions,
  type TrainSamplerName,
} from "./samplers.js";
import { type TreeName, treeName } from "./tree.js";

export const ENCODERS = ["user", "history", "window", "features", "context"] as const;

/** Where H comes from: a user's row, the mean of a user's items, the words around, sparse features, or a synthetic context's row. */
export type EncoderName = (typeof ENCODERS)[number];

export const EXAMPLES = ["interactions", "users"] as const;

/** What an example of pairs is: one interaction, or a user with all their items as labels. */
export type ExampleKind = (typeof EXAMPLES)[number];

export const CLASS_BIASES = ["log-frequency", "zero", "none"] as const;

/** Whether classes have a bias, and what it starts from. */
export type ClassBias = (typeof CLASS_BIASES)[number];

export const REDUCTIONS = ["mean", "sum"] as const;

/** Whether the rows of a batch are averaged or summed: a sum steps as far for each row as word2vec does, however many rows a batch has. */
export type Reduction = (typeof REDUCTIONS)[number];

/** What a user may say about a run. Everything has a default that fits the dataset; unknown names are refused. */
export interface TrainOptions {
  /** Other defaults, all of which can be overridden. */
  readonly recipe?: RecipeName;
  readonly encoder?: EncoderName;
  /** Of pairs, by the encoder `user`. For full losses `users` is faster: a user's items share a row of logits. */
  readonly examples?: ExampleKind;
  /** Words of a window (on each side, if around), or the most items of a history. */
  readonly window?: number;
  readonly contextMode?: ContextMode;
  /** Whether windows stop at line ends. */
  readonly withinLine?: boolean;
  /** Text, contextMode around and neighbours: the width of each window is uniform in 1 … window. */
  readonly dynamicWindow?: boolean;
  /** Text, contextMode around and neighbours: t > 0 leaves words out of an epoch, a word of share f staying with probability √(t/f) + t/f. */
  readonly subsample?: number;
  /** Widths of dense layers. A window encoder with any concatenates its words; without, it averages them. */
  readonly hidden?: readonly number[];
  readonly activation?: "tanh" | "relu";
  /** Width of an embedding row; default D. */
  readonly embedding?: number;
  /**
   * One table for inputs and classes, of which a row is updated once a step by the sum of both gradients: for encoders whose inputs are classes (`window`,
   * `history`), with embeddings as wide as D. It starts in [−embeddingScale, embeddingScale]. Default false.
   */
  readonly tied?: boolean;
  readonly reduce?: "mean" | "sum";
  readonly dropout?: number;
  readonly loss?: TrainLossName;
  /** adaptive-softmax: (K), ascending, in [1, n): where its tails begin. Default: of those whose head has three quarters of the labels of the data, the ones of least cost. */
  readonly cutoffs?: readonly number[];
  /** adaptive-softmax: tail i (from 0) has width ⌊D / divValue^(i + 1)⌋. Default 4. */
  readonly divValue?: number;
  /** hierarchical-softmax: which tree. Default huffman. */
  readonly tree?: TreeName;
  /** hierarchical-softmax, tree two-means: (n, any width) a vector of each class, such as one of a class table trained before. */
  readonly treeVectors?: Float32Array;
  /** Defaults as another library has them. */
  readonly like?: "tensorflow";
  readonly correction?: Correction;
  readonly accidentalHits?: "keep" | "remove";
  /** `target` is `accidentalHits: remove` under another name. */
  readonly exclude?: "none" | "target" | "seen";
  readonly temperature?: number;
  readonly labelSmoothing?: number;
  readonly normalize?: boolean;
  /** Softmax family: λ of λ·(log of the partition)². */
  readonly zLoss?: number;
  /** full-softmax, sampled-softmax: c > 0 makes logits c·tanh(z/c). A part of the model: evaluations, rankings and the saved run cap as well. */
  readonly softCap?: number;
  /**
   * Softmax and margins: how often a label of each class counts in training, (n) numbers >= 0, or a rule over the counts of the training part. Evaluations
   * count all labels alike.
   */
  readonly classWeights?: ClassWeights;
  /** one-vs-all, sampled-one-vs-all: how probable it is that a label is among those given, so that in training each counts 1/p. Evaluations count all alike. */
  readonly propensities?: Propensities;
  /** Cosine logits (`normalize`): log(1/τ) is a parameter that the optimizer updates once a step; `temperature` is where it starts. */
  readonly learnTemperature?: boolean;
  /** gbce: t in [0, 1]. */
  readonly calibration?: number;
  /** ccl: what the mean over the negatives is multiplied by. */
  readonly negativeWeight?: number;
  /** ccl: in [−1, 1], the cosine above which negatives cost. */
  readonly negativeMargin?: number;
  /** margin, sampled-margin. */
  readonly marginKind?: MarginKind;
  /** margin, sampled-margin: cosines, or radians. */
  readonly margin?: number;
  readonly sampler?: TrainSamplerName;
  /** The sampler's own options, beside those that stand here: of `mixed` say { frequency: { kind: "streaming" } }. */
  readonly samplerOptions?: SamplerOptions;
  readonly distortion?: number;
  readonly replacement?: boolean;
  /** S */
  readonly negatives?: number;
  /** negative-sampling: k > 0 weighs the draws so that each label has k negatives in expectation, whatever S is; 0: each draw counts once. */
  readonly negativesPerLabel?: number;
  /** One draw for the batch, or one for each row. */
  readonly candidates?: "shared" | "row";
  readonly dim?: number;
  readonly batch?: number;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly maxMinutes?: number;
  readonly reduction?: Reduction;
  readonly optimizer?: Partial<OptimizerSpec>;
  readonly schedule?: Partial<ScheduleSpec>;
  readonly classBias?: ClassBias;
  /** Class rows start uniform in [−scale, scale]. */
  readonly classScale?: number;
  /** Embedding rows start uniform in [−scale, scale]. */
  readonly embeddingScale?: number;
  /** Steps between validations; 0: at the end of each epoch if there is a validation part. */
  readonly validationEvery?: number;
  /** Validations without improvement after which training stops; 0: never. */
  readonly patience?: number;
  readonly lanes?: number;
  /**
   * How class and embedding rows are stored: bfloat16 takes half the bytes and rounds each update stochastically, so that small steps count on
   * the average. Arithmetic and the optimizer's state stay float32. Default float32.
   */
  readonly tableType?: TableType;
  readonly logitBytes?: number;
  /**
   * How a step multiplies with the class table: bfloat16 rounds both operands of the three products, and sums in float32. Several times as fast on
   * processors with a unit for it, refused on others; evaluations stay exact. Default float32.
   */
  readonly products?: ProductType;
  /** Full softmax: probability mass of a row, in [0, 1), that gradients may leave out, block by block, rare classes first. Default 0: exact. */
  readonly gradientFilter?: number;
  readonly workers?: number;
  /** The most bytes of one memory of class or embedding rows; set, such rows lie in memories of their own. Default: only if 4 GiB are not enough for all. No bit depends on it. */
  readonly bankBytes?: number;
  readonly backend?: BackendChoice;
  /** Whether each kernel's time is taken: `Trainer.profile`. Default false. */
  readonly profile?: boolean;
  readonly seed?: number | string;
}

/** Options with every default filled in: plain data, stored with a run. */
export interface RunOptions {
  readonly recipe: RecipeName | null;
  readonly encoder: EncoderName;
  readonly examples: ExampleKind;
  readonly window: number;
  readonly contextMode: ContextMode;
  readonly withinLine: boolean;
  readonly dynamicWindow: boolean;
  readonly subsample: number;
  readonly hidden: readonly number[];
  readonly activation: "tanh" | "relu";
  readonly embedding: number;
  readonly tied: boolean;
  readonly reduce: "mean" | "sum";
  readonly dropout: number;
  readonly loss: LossSpec;
  /** The loss is an adaptive softmax; `loss` is then the full softmax that it factors. */
  readonly adaptive?: AdaptiveRun;
  /** null, or absent in runs saved before there were trees: the loss has none. */
  readonly tree?: TreeName | null;
  readonly learnTemperature: boolean;
  readonly classWeights: ClassWeightRule | null;
  readonly propensities: PropensityRule | null;
  readonly sampler: RunSampler | undefined;
  readonly negatives: number;
  readonly candidates: "batch" | "row";
  readonly dim: number;
  readonly batch: number;
  readonly epochs: number;
  readonly maxSteps: number | undefined;
  readonly maxMinutes: number | undefined;
  readonly reduction: Reduction;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly classBias: ClassBias;
  readonly classScale: number;
  readonly embeddingScale: number;
  readonly validationEvery: number;
  readonly patience: number;
  readonly lanes: number;
  readonly tableType: TableType;
  readonly logitBytes: number;
  readonly products: ProductType;
  readonly gradientFilter: number;
  readonly seed: number | string;
}

/** What depends on the kind of data. */
interface KindDefaults {
  readonly encoder: EncoderName;
  readonly allowed: readonly EncoderName[];
  readonly window: number;
  readonly sampler: SamplerName;
  readonly distortion: number;
  readonly classBias: ClassBias;
}

const KIND_DEFAULTS: Record<"text" | "pairs" | "labels" | "synthetic", KindDefaults> = {
  text: {
    encoder: "window",
    allowed: ["window"],
    window: 5,
    sampler: "unigram",
    distortion: 1,
    classBias: "log-frequency",
  },
  pairs: {
    encoder: "user",
    allowed: ["user", "history"],
    window: 50,
    sampler: "uniform",
    distortion: 1,
    classBias: "none",
  },
  labels: {
    encoder: "features",
    allowed: ["features"],
    window: 0,
    sampler: "unigram",
    distortion: 1,
    classBias: "log-frequency",
  },
  synthetic: {
    encoder: "context",
    allowed: ["context"],
    window: 0,
    sampler: "unigram",
    distortion: 1,
    classBias: "log-frequency",
  },
};

const KEYS = (
  "recipe encoder examples window contextMode withinLine dynamicWindow subsample hidden activation embedding tied reduce dropout loss cutoffs divValue tree treeVectors like correction accidentalHits exclude temperature " +
  "labelSmoothing normalize zLoss softCap classWeights propensities learnTemperature calibration negativeWeight negativeMargin marginKind margin sampler samplerOptions distortion replacement negatives negativesPerLabel candidates dim batch epochs maxSteps maxMinutes " +
  "reduction optimizer schedule " +
  "classBias classScale embeddingScale validationEvery patience lanes tableType products logitBytes gradientFilter workers " +
  "bankBytes backend profile seed"
).split(" ");

/** Encoders whose inputs are a window of words or items. */
const WINDOWED: readonly EncoderName[] = ["window", "history"];

/** Logits that are kept of a step. Where products cost next to nothing, a tile that leaves the cache is made again sooner than it is read. */
const LOGIT_BYTES: Readonly<Record<ProductType, number>> = { float32: 512 * 2 ** 20, bfloat16: 16 * 2 ** 20 };

/** Fills in defaults for a kind of data and checks everything that can be checked without it. @throws OptionError */
export function runOptions(kind: keyof typeof KIND_DEFAULTS, trainOptions: TrainOptions): RunOptions {
  for (const key of Object.keys(trainOptions)) {
    if (!KEYS.includes(key)) throw new OptionError(`there is no training option "${key}"`, { key, allowed: KEYS });
  }
  const options = withRecipe(trainOptions);
  const defaults = KIND_DEFAULTS[kind];
  const encoder = requireOneOf("encoder", options.encoder ?? defaults.encoder, ENCODERS);
  if (!defaults.allowed.includes(encoder)) {
    const list = defaults.allowed.join(", ");
    throw new OptionError(`${kind} data take the encoder ${list}, not ${encoder}`, {
      kind,
      encoder,
      allowed: defaults.allowed,
    });
  }
  const dim = requireInteger("dim", options.dim ?? 64, 1, 65536);
  const loss = lossOf(options);
  const adaptive = adaptiveRun(options, loss);
  const facts = describeLoss(loss.name);
  const sampler = facts.candidates ? samplerOf(options, loss, defaults) : undefined;
  if (!facts.candidates && (options.sampler ?? options.negatives) !== undefined) {
    const looks = facts.kind === "tree" ? "decides its way to a label" : "looks at every class";
    throw new OptionError(`${options.loss} ${looks}: it takes neither a sampler nor negatives`, {
      loss: options.loss,
    });
  }
  const examples = requireOneOf("examples", options.examples ?? "interactions", EXAMPLES);
  if (examples === "users" && encoder !== "user") {
    throw new OptionError(`examples are users with the encoder user, not with ${encoder}`, { examples, encoder });
  }
  const walk = walkOf(options);
  requireSelectable(sampler, loss);
  const candidates = candidatesOf(options, sampler);
  const products = productsOf(options, loss, candidates);
  return {
    recipe: options.recipe ?? null,
    encoder,
    examples,
    window: requireInteger("window", options.window ?? defaults.window, WINDOWED.includes(encoder) ? 1 : 0, 10_000),
    withinLine: options.withinLine ?? false,
    ...walk,
    hidden: options.hidden ?? [],
    activation: requireOneOf("activation", options.activation ?? "tanh", ["tanh", "relu"]),
    embedding: requireInteger("embedding", options.embedding ?? dim, 1, 65536),
    tied: options.tied ?? false,
    reduce: requireOneOf("reduce", options.reduce ?? "mean", ["mean", "sum"]),
    dropout: requireNumber("dropout", options.dropout ?? 0, 0, 0.99),
    loss,
    ...(adaptive === undefined ? {} : { adaptive }),
    tree: treeName(options, loss),
    ...weighingOf(options, loss),
    learnTemperature: learnsTemperature(options, loss, sampler),
    sampler,
    negatives: facts.candidates ? requireInteger("negatives", options.negatives ?? 256, 1, 2 ** 24) : 0,
    candidates,
    dim,
    batch: requireInteger("batch", options.batch ?? 256, 1, 2 ** 20),
    epochs: requireNumber("epochs", options.epochs ?? 1, 0),
    maxSteps: options.maxSteps === undefined ? undefined : requireInteger("max steps", options.maxSteps, 1),
    maxMinutes: options.maxMinutes === undefined ? undefined : requirePositive("max minutes", options.maxMinutes),
    reduction: requireOneOf("reduction", options.reduction ?? "mean", REDUCTIONS),
    optimizer: optimizerSpec(options.optimizer),
    schedule: scheduleSpec(options.schedule),
    classBias: classBiasOf(options, loss, defaults),
    ...scalesOf(options),
    validationEvery: requireInteger("validation every", options.validationEvery ?? 0, 0),
    patience: requireInteger("patience", options.patience ?? 0, 0),
    lanes: options.lanes ?? DEFAULT_LANES,
    tableType: requireOneOf("table type", options.tableType ?? "float32", TABLE_TYPES),
    logitBytes: requireInteger("logit bytes", options.logitBytes ?? LOGIT_BYTES[products], 0),
    products,
    gradientFilter: filterOf(options, loss),
    seed: options.seed ?? 1,
  };
}

function classBiasOf({ classBias }: TrainOptions, { name }: LossSpec, defaults: KindDefaults): ClassBias {
  const { cosines } = describeLoss(name);
  const bias = requireOneOf("class bias", classBias ?? (cosines ? "none" : defaults.classBias), CLASS_BIASES);
  if (!cosines || bias === "none") return bias;
  throw new OptionError(`${name} is defined on cosines: class bias must be none, not ${bias}`, {
    loss: name,
    classBias,
  });
}

/** Tied tables start as embeddings do: with class rows of 0 their hidden vectors would be 0 too, and nothing would ever move. */
function scalesOf({
  tied,
  classScale,
  embeddingScale,
}: TrainOptions): Pick<RunOptions, "classScale" | "embeddingScale"> {
  if (tied === true && classScale !== undefined) {
    throw new OptionError("tied tables start as embeddings do: they take an embedding scale and no class scale", {
      tied,
      classScale,
      embeddingScale,
    });
  }
  const ofInputs = requirePositive("embedding scale", embeddingScale ?? 0.1);
  const ofClasses = tied === true ? ofInputs : requireNumber("class scale", classScale ?? 0.05, 0);
  return { classScale: ofClasses, embeddingScale: ofInputs };
}

/** Samplers that look at hidden vectors draw for each row. */
function candidatesOf({ candidates }: TrainOptions, sampler: RunSampler | undefined): "batch" | "row" {
  const usual = sampler !== undefined && isContextual(sampler) ? "row" : "shared";
  return requireOneOf("candidates", candidates ?? usual, ["shared", "row"]) === "row" ? "row" : "batch";
}

function productsOf({ products }: TrainOptions, loss: LossSpec, candidates: "batch" | "row"): ProductType {
  const type = requireOneOf("products", products ?? "float32", PRODUCT_TYPES);
  const facts = describeLoss(loss.name);
  const own = facts.candidates && candidates === "row";
  if (type === "bfloat16" && (own || facts.kind === "tree")) {
    const what = own ? "rows' own candidates" : "the decisions on a path";
    throw new OptionError(`${what} are met in dot products, of which there are no bfloat16 ones`, {
      products: type,
      candidates,
    });
  }
  return type;
}

function filterOf({ gradientFilter = 0, loss: name }: TrainOptions, loss: LossSpec): number {
  requireNumber("gradient filter", gradientFilter, 0, 0.99);
  if (gradientFilter > 0 && (name !== "full-softmax" || loss.labelSmoothing > 0)) {
    throw new OptionError("gradients are filtered in a full softmax without label smoothing", {
      gradientFilter,
      loss: name,
      labelSmoothing: loss.labelSmoothing,
    });
  }
  return gradientFilter;
}

/** How training walks through a text. */
function walkOf(options: TrainOptions): Pick<RunOptions, "contextMode" | "dynamicWindow" | "subsample"> {
  const contextMode = requireOneOf("context mode", options.contextMode ?? "previous", CONTEXT_MODES);
  const dynamicWindow = options.dynamicWindow ?? false;
  const subsample = requireNumber("subsample", options.subsample ?? 0, 0);
  if ((dynamicWindow || subsample > 0) && contextMode !== "around" && contextMode !== "neighbours") {
    throw new OptionError(`subsample and dynamicWindow need contextMode around or neighbours, not ${contextMode}`, {
      contextMode,
      dynamicWindow,
      subsample,
    });
  }
  return { contextMode, dynamicWindow, subsample };
}

function lossOf(options: TrainOptions): LossSpec {
  const asked = requireOneOf("loss", options.loss ?? "sampled-softmax", TRAIN_LOSSES);
  const name = asked === "adaptive-softmax" ? "full-softmax" : asked;
  requirePropensityLoss(options, asked);
  const { spec } = lossDefaults(name, options.like === undefined ? {} : { like: options.like });
  const exclude = requireOneOf("exclude", options.exclude ?? "none", ["none", "target", "seen"]);
  const { corrections, accidentalHits } = describeLoss(name);
  // The hardest candidates are no sample: there is nothing to correct, and a label that is among them is no negative.
  const hard = options.sampler === "hard";
  const usual = hard && corrections.includes("none") ? "none" : spec.correction;
  const correction = options.correction ?? usual;
  // `partition` counts the label apart from the draws, so its hits can only be removed.
  // Where candidates are the batch's own labels, each row would meet its label as a negative.
  const own = (hard || bringsTargets(options.sampler)) && accidentalHits.includes("remove");
  const removes = exclude === "target" || ((correction === "partition" || own) && options.accidentalHits === undefined);
  return validateLossSpec({
    name,
    correction,
    temperature: options.temperature ?? spec.temperature,
    labelSmoothing: options.labelSmoothing ?? spec.labelSmoothing,
    accidentalHits: removes ? "remove" : (options.accidentalHits ?? spec.accidentalHits),
    exclude: exclude === "seen" ? "seen" : "none",
    normalize: options.normalize ?? spec.normalize,
    negativesPerLabel: options.negativesPerLabel ?? spec.negativesPerLabel,
    zLoss: options.zLoss ?? spec.zLoss,
    softCap: options.softCap === undefined ? spec.softCap : requirePositive("softCap", options.softCap),
    labelMass: options.propensities === undefined ? spec.labelMass : "weight",
    calibration: options.calibration ?? spec.calibration,
    negativeWeight: options.negativeWeight ?? spec.negativeWeight,
    negativeMargin: options.negativeMargin ?? spec.negativeMargin,
    marginKind: options.marginKind ?? spec.marginKind,
    margin: options.margin ?? spec.margin,
  });
}

/** A pool's exponentials are what two-pass draws from; smoothing is over the pool, of which most rows would see little. */
function requireSelectable(sampler: RunSampler | undefined, { name, labelSmoothing }: LossSpec): void {
  if (sampler === undefined || !isPool(sampler)) return;
  const { kind } = describeLoss(name);
  if (sampler.name === "two-pass" && kind !== "normalised") {
    throw new OptionError(`two-pass draws by the softmax of its pool: it goes with softmax losses, not with ${name}`, {
      sampler: sampler.name,
      loss: name,
    });
  }
  if (labelSmoothing > 0) {
    throw new OptionError(
      `${sampler.name} takes no labelSmoothing: candidates that a row leaves out are not a sample`,
      {
        sampler: sampler.name,
        labelSmoothing,
      },
    );
  }
}

function samplerOf(options: TrainOptions, loss: LossSpec, defaults: KindDefaults): RunSampler {
  const { uniform, replacement: replaces } = describeLoss(loss.name);
  const name = options.sampler ?? (uniform ? "uniform" : defaults.sampler);
  const replacement = options.replacement ?? (replaces && options.like !== "tensorflow");
  const distortion = options.distortion ?? defaults.distortion;
  const fixed = {
    replacement,
    ...(name === "unigram" ? { distortion } : {}),
    ...(options.like === "tensorflow" ? { expectedCount: "tensorflow" as const } : {}),
  };
  return runSampler(name, fixed, options.samplerOptions);
}
