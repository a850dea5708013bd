import { OptionError, requireInteger, requireNumber, requireOneOf, requirePositive } from "@logq/core";
import { ACTIVATION, type ActivationCode } from "@logq/kernels";

/**
 * What an encoder is: plain data, the same in a run's options, in a checkpoint and in every worker.
 *
 *     bag, concat:  x = input vector → (dropout) → [x·A + b → activation → dropout] per hidden layer → [x·A + b] → H (B, D)
 */
export interface EncoderSpec {
  /**
   * Where the input vector comes from. bag: a weighted mean or sum of embedding rows, any number of them;
   * concat: exactly `window` embedding rows side by side; external: the caller writes H, nothing is learned.
   */
  readonly input: "bag" | "concat" | "external";
  /** Rows of the embedding table; 0 for external. */
  readonly vocabulary: number;
  /** Bags only. mean: Σ w_j·e_j / Σ w_j (see `scaleBagWeights`); sum: Σ w_j·e_j. */
  readonly reduce: "mean" | "sum";
  /** Concat only: embedding rows per example. */
  readonly window: number;
  /** E, the width of an embedding row. */
  readonly embedding: number;
  /** Widths of the dense layers with activation. A linear layer to D follows if the last width (or the input's, if there is none) is not D. */
  readonly hidden: readonly number[];
  /** The activation of every hidden layer; the appended last layer has none. */
  readonly activation: "tanh" | "relu";
  /** Rate of inverted dropout in [0, 1): on the input vector and after each hidden activation. In training only. */
  readonly dropout: number;
  /** The width of H. */
  readonly D: number;
  /** The embedding table starts uniform in [−initialScale, initialScale]. Default 0.1. */
  readonly initialScale?: number;
}

/** One dense layer, y = activation(x·A + b), A (inputs, outputs). */
export interface LayerShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: ActivationCode;
}

const INPUTS = ["bag", "concat", "external"] as const;
const REDUCTIONS = ["mean", "sum"] as const;
const ACTIVATIONS = ["tanh", "relu"] as const;
const KEYS = "input vocabulary reduce window embedding hidden activation dropout D initialScale".split(" ");

const MAX_INT32 = 2 ** 31 - 1;
/** The mask of dropout addresses blocks of four columns in 24 bits. */
const MAX_WIDTH = 2 ** 26;
/** The mask of dropout addresses layers in 8 bits; the input vector is one of them. */
const MAX_HIDDEN_LAYERS = 254;
/** Keeps round(rate · 2^32) a 32-bit word. */
const MAX_DROPOUT = 1 - 2 ** -24;
const DEFAULT_INITIAL_SCALE = 0.1;

/** Returns a complete copy of `spec`, or throws OptionError that names the field and carries its value and range. */
export function validateEncoderSpec(spec: EncoderSpec): Required<EncoderSpec> {
  for (const key of Object.keys(spec)) {
    if (!KEYS.includes(key)) {
      throw new OptionError(`an encoder has no option "${key}"; it has ${KEYS.join(", ")}`, { key, allowed: KEYS });
    }
  }
  const input = requireOneOf("encoder.input", spec.input, INPUTS);
  const external = input === "external";
  const complete: Required<EncoderSpec> = {
    input,
    vocabulary: requireInteger("encoder.vocabulary", spec.vocabulary, external ? 0 : 1, external ? 0 : MAX_INT32),
    reduce: requireOneOf("encoder.reduce", spec.reduce, REDUCTIONS),
    window: requireInteger("encoder.window", spec.window, input === "concat" ? 1 : 0, MAX_WIDTH),
    embedding: requireInteger("encoder.embedding", spec.embedding, external ? 0 : 1, MAX_WIDTH),
    hidden: requireWidths(spec.hidden, external),
    activation: requireOneOf("encoder.activation", spec.activation, ACTIVATIONS),
    dropout: requireNumber("encoder.dropout", spec.dropout, 0, external ? 0 : MAX_DROPOUT),
    D: requireInteger("encoder.D", spec.D, 1, MAX_WIDTH),
    initialScale: requirePositive("encoder.initialScale", spec.initialScale ?? DEFAULT_INITIAL_SCALE),
  };
  requireInteger("the width of the encoder's input vector", inputWidth(complete), 1, MAX_WIDTH);
  return complete;
}

function requireWidths(hidden: unknown, external: boolean): readonly number[] {
  const most = external ? 0 : MAX_HIDDEN_LAYERS;
  if (!Array.isArray(hidden) || hidden.length > most) {
    throw new OptionError(`encoder.hidden must be a list of at most ${most} widths, not ${JSON.stringify(hidden)}`, {
      name: "encoder.hidden",
      value: hidden,
      maximum: most,
    });
  }
  return hidden.map((width, index) => requireInteger(`encoder.hidden[${index}]`, width, 1, MAX_WIDTH));
}

/** The width of the input vector: E for a bag, window·E for concat, D for external. */
export function inputWidth(spec: EncoderSpec): number {
  if (spec.input === "external") return spec.D;
  return spec.input === "bag" ? spec.embedding : spec.window * spec.embedding;
}

/** The dense layers of a valid spec, first to last; none if the input vector is H itself. */
export function layerShapes(spec: EncoderSpec): LayerShape[] {
  const activation = ACTIVATION[spec.activation];
  const layers: LayerShape[] = [];
  let inputs = inputWidth(spec);
  for (const outputs of spec.hidden) {
    layers.push({ inputs, outputs, activation });
    inputs = outputs;
  }
  if (inputs !== spec.D) layers.push({ inputs, outputs: spec.D, activation: ACTIVATION.linear });
  return layers;
}
