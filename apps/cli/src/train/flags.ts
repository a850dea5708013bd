import type { BackendChoice } from "@logq/blas";
import type { Correction, MarginKind } from "@logq/losses";
import type {
  ClassBias,
  ClassWeights,
  EncoderName,
  ExampleKind,
  OptimizerName,
  ProductType,
  RecipeName,
  Reduction,
  ScheduleName,
  TableType,
  TrainLossName,
  TrainOptions,
  TrainSamplerName,
  TreeName,
} from "@logq/trainers";
import { readSamplerOptions } from "./sampler-options.js";

/** Flags of `train`, as they come from the command line. */
export interface TrainFlags {
  readonly out: string;
  readonly json?: boolean;
  readonly recipe?: RecipeName;
  readonly encoder?: EncoderName;
  readonly examples?: ExampleKind;
  readonly window?: number;
  readonly context?: NonNullable<TrainOptions["contextMode"]>;
  readonly withinLine?: boolean;
  readonly dynamicWindow?: boolean;
  readonly subsample?: number;
  readonly hidden?: readonly number[];
  readonly activation?: "tanh" | "relu";
  readonly embedding?: number;
  readonly tied?: boolean;
  readonly reduce?: "mean" | "sum";
  readonly dropout?: number;
  readonly loss?: TrainLossName;
  readonly cutoffs?: readonly number[];
  readonly divValue?: number;
  readonly tree?: TreeName;
  readonly treeVectors?: string;
  readonly like?: "tensorflow";
  readonly correction?: Correction;
  readonly accidentalHits?: "keep" | "remove";
  readonly exclude?: "none" | "target" | "seen";
  readonly temperature?: number;
  readonly labelSmoothing?: number;
  readonly normalize?: boolean;
  readonly zLoss?: number;
  readonly softCap?: number;
  readonly classWeights?: string;
  readonly propensity?: { readonly A: number; readonly B: number };
  readonly learnTemperature?: boolean;
  readonly calibration?: number;
  readonly negativeWeight?: number;
  readonly negativeMargin?: number;
  readonly marginKind?: MarginKind;
  readonly margin?: number;
  readonly sampler?: TrainSamplerName;
  readonly samplerOption?: readonly string[];
  readonly negatives?: number;
  readonly negativesPerLabel?: number;
  readonly distortion?: number;
  readonly replacement?: boolean;
  readonly candidates?: "shared" | "row";
  readonly dim?: number;
  readonly batch?: number;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly maxMinutes?: number;
  readonly validationEvery?: number;
  readonly validationMetrics?: string;
  readonly patience?: number;
  readonly reduction?: Reduction;
  readonly optimizer?: OptimizerName;
  readonly lr?: number;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly initialAccumulator?: number;
  readonly denseFactor?: number;
  readonly clipNorm?: number;
  readonly schedule?: ScheduleName;
  readonly warmupSteps?: number;
  readonly finalFactor?: number;
  readonly classBias?: ClassBias;
  readonly classScale?: number;
  readonly embeddingScale?: number;
  readonly workers?: number;
  readonly backend?: BackendChoice;
  readonly lanes?: number;
  readonly tableType?: TableType;
  readonly products?: ProductType;
  readonly logitMb?: number;
  readonly gradientFilter?: number;
  readonly profile?: boolean;
  readonly seed?: number | string;
}

/** Flags that are training options under the same name. */
const SAME = [
  ..."recipe encoder examples window withinLine dynamicWindow subsample hidden activation embedding tied reduce dropout".split(
    " ",
  ),
  ..."loss tree like correction accidentalHits exclude temperature labelSmoothing normalize".split(" "),
  ..."zLoss softCap learnTemperature calibration negativeWeight negativeMargin marginKind margin cutoffs divValue".split(
    " ",
  ),
  ..."sampler negatives negativesPerLabel distortion replacement candidates".split(" "),
  ..."dim batch epochs maxSteps maxMinutes validationEvery patience".split(" "),
  ..."reduction gradientFilter classBias classScale embeddingScale backend profile lanes tableType products seed".split(
    " ",
  ),
] as (Exclude<keyof TrainFlags, "treeVectors" | "classWeights"> & keyof TrainOptions)[];

const OPTIMIZER = [
  ..."weightDecay momentum beta1 beta2 epsilon initialAccumulator denseFactor clipNorm".split(" "),
] as (keyof TrainFlags & keyof NonNullable<TrainOptions["optimizer"]>)[];

/**
 * The engine's options; whatever was not said is left to its defaults. `--tree-vectors` is for `readTreeVectors`.
 * @param classWeights what the flag of that name stands for
 */
export function trainOptions(flags: TrainFlags, workers: number, classWeights?: ClassWeights): TrainOptions {
  const { context, optimizer, lr, schedule, logitMb, samplerOption, propensity } = flags;
  return {
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(propensity === undefined ? {} : { propensities: propensity }),
    ...pick(flags, SAME),
    ...(context === undefined ? {} : { contextMode: context }),
    ...(samplerOption === undefined ? {} : { samplerOptions: readSamplerOptions(samplerOption) }),
    ...(logitMb === undefined ? {} : { logitBytes: Math.round(logitMb * 2 ** 20) }),
    optimizer: {
      ...(optimizer === undefined ? {} : { name: optimizer }),
      ...(lr === undefined ? {} : { learningRate: lr }),
      ...pick(flags, OPTIMIZER),
    },
    schedule: { ...(schedule === undefined ? {} : { name: schedule }), ...pick(flags, ["warmupSteps", "finalFactor"]) },
    workers,
  };
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) if (from[key] !== undefined) picked[key] = from[key];
  return picked;
}
