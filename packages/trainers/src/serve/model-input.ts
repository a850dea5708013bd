import { ClassIdError, NotFiniteError, OptionError, ShapeError } from "@logq/core";
import type { Names } from "@logq/datasets";
import type { RunHead } from "../checkpoint/format.js";
import type { RunOptions } from "../model/options.js";

/** One input, by names or ids; which form fits is a matter of the model's encoder. */
export type ModelInput =
  | { readonly user: string | number }
  | { readonly items: readonly (string | number)[] }
  | { readonly words: readonly (string | number)[] }
  | { readonly features: readonly (readonly [string | number, number])[] }
  | { readonly context: number };

/** The most entries of one input. */
export const MAX_INPUTS = 65536;

const FORMS = { user: "user", history: "items", window: "words", features: "features", context: "context" } as const;

/** Ids of an input and the weight of each. */
export interface InputEntries {
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

/** The id of a name or an id. @throws OptionError for an unknown name; ClassIdError for an id out of range */
export function idOf(what: string, names: Names, idOrName: string | number): number {
  const id = typeof idOrName === "string" ? names.id(idOrName) : idOrName;
  if (id === undefined) {
    throw new OptionError(`"${idOrName}" is not among the ${names.size} ${what}`, { name: idOrName });
  }
  if (!Number.isInteger(id) || id < 0 || id >= names.size) {
    throw new ClassIdError(`${id} is no id of the ${what}; they lie in [0, ${names.size})`, { id, n: names.size });
  }
  return id;
}

/**
 * What the encoder of a model reads of an input: as in training, the last items of a history, the last words of a context.
 * @param inputs users, items, words or features
 * @throws OptionError, ClassIdError, NotFiniteError, ShapeError
 */
export function readInput(head: RunHead, inputs: Names, input: ModelInput): InputEntries {
  const { encoder, window } = head.options;
  const wanted = FORMS[encoder];
  if (!(wanted in input)) {
    const form = Object.keys(input).join(", ");
    throw new OptionError(`a model with the encoder ${encoder} takes ${wanted}, not ${form}`, {
      encoder,
      wanted,
      form,
    });
  }
  if ("features" in input) return weighted(inputs, input.features);
  if ("user" in input) return equal([idOf("inputs", inputs, input.user)]);
  if ("context" in input) return equal([idOf("inputs", inputs, input.context)]);
  if ("items" in input) return equal(input.items.slice(-window).map((item) => idOf("inputs", inputs, item)));
  return equal(readWords(head, inputs, input.words));
}

/** Words that are read at a time. */
function mostWords({ contextMode, window }: RunOptions): number {
  return { previous: window, around: 2 * window, pair: 1, neighbours: 1 }[contextMode];
}

/** Unknown words are the unknown class, if there is one. A concatenated window is filled up on the left, as in training. */
function readWords(head: RunHead, inputs: Names, words: readonly (string | number)[]): number[] {
  const { unknown, eos, shape, options } = head;
  const known = words.slice(-mostWords(options)).map((word) => {
    const id = typeof word === "string" ? inputs.id(word) : word;
    return id === undefined && unknown >= 0 ? unknown : idOf("words", inputs, word);
  });
  if (shape.encoder.input === "bag") return known;
  return [...new Array<number>(options.window - known.length).fill(Math.max(eos, 0)), ...known];
}

function equal(ids: readonly number[]): InputEntries {
  return { ids: Int32Array.from(ids), weights: new Float32Array(ids.length).fill(1) };
}

function weighted(inputs: Names, features: readonly (readonly [string | number, number])[]): InputEntries {
  if (features.length > MAX_INPUTS) {
    throw new ShapeError(`an input has at most ${MAX_INPUTS} entries, not ${features.length}`, {
      length: features.length,
      limit: MAX_INPUTS,
    });
  }
  const ids = Int32Array.from(features, ([feature]) => idOf("inputs", inputs, feature));
  const weights = Float32Array.from(features, ([, weight]) => weight);
  const bad = weights.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) {
    const weight = features[bad]![1];
    throw new NotFiniteError(`the weight of feature ${features[bad]![0]} is ${weight}; it must be finite`, {
      index: bad,
      weight,
    });
  }
  return { ids, weights };
}
