import path from "node:path";
import { OptionError } from "@logq/core";
import {
  type AnyDataset,
  openDataset,
  readSummary,
  type SyntheticDataset,
  type SyntheticSplit,
  syntheticDataset,
} from "@logq/datasets";
import { count } from "../format.js";
import type { Settings } from "../sweep/settings.js";
import type { DataDescription } from "./types.js";

/** Data for one class count, and what is known about it. */
export interface CellData {
  readonly dataset: AnyDataset;
  /** Held-out examples that an evaluation looks at, from the first on. */
  readonly evaluated: number;
  /** The mean −log p of those examples under the law that made them, nats; null of real data. */
  readonly bestCrossEntropy: number | null;
}

/** Distinct inputs of synthetic data: few enough that each is met often, so that gaps tell of the loss and not of rare inputs. */
const CONTEXTS = 1024;

const MOST_EVALUATED = 8192;
const FEWEST_EVALUATED = 512;
/** Floating-point operations that the logits of an evaluation may take. */
const EVALUATION_FLOPS = 2e10;

/** Held-out examples of an evaluation: fewer where there are more classes, so that it stays cheap. A power of two. */
export function evaluatedExamples(classes: number, dim: number): number {
  const affordable = 2 ** Math.round(Math.log2(EVALUATION_FLOPS / (2 * classes * dim)));
  return Math.max(FEWEST_EVALUATED, Math.min(MOST_EVALUATED, affordable));
}

/** What two cores get through in a second, as is sure even of busy ones: examples of a sampled loss, and operations of a full softmax. */
const SAMPLED_EXAMPLES_PER_SECOND = 80_000;
const FULL_FLOPS_PER_SECOND = 5e10;
/** With fewer examples than this for each class, a model learns the data by heart before it learns the law. */
const FEWEST_PER_CLASS = 16;
/** More than this for each class teach little that is new. */
const MOST_PER_CLASS = 300;
const FEWEST_EXAMPLES = 4096;

/**
 * Training examples of synthetic data: as many as a sampled loss gets through in the cell's time at least once, so that it repeats them
 * few times; but where the full softmax could pass over enough of them too, no more than it can. So both have accuracies at small sizes, and
 * at large ones the sampled losses alone.
 */
export function trainingExamples(classes: number, dim: number, seconds: number): number {
  const sampled = Math.min(seconds * SAMPLED_EXAMPLES_PER_SECOND, MOST_PER_CLASS * classes);
  const full = (seconds * FULL_FLOPS_PER_SECOND) / (6 * classes * dim);
  const examples = full >= FEWEST_PER_CLASS * classes ? Math.min(sampled, full) : sampled;
  return Math.max(FEWEST_EXAMPLES, Math.round(examples));
}

/** Looks at the data without loading it. */
export async function describeData({ data }: Settings): Promise<DataDescription> {
  if (data === null) return { name: "synthetic, a planted softmax", classes: null, examples: null };
  const { kind, classes, splits } = await readSummary(data);
  const { train = {} } = splits;
  const examples = train[{ text: "tokens", pairs: "interactions", labels: "rows" }[kind]] ?? null;
  return { name: path.basename(data), classes, examples };
}

/** Makes or opens data, and keeps that of the last size: cells of one size come one after the other. */
export class DataSource {
  readonly #settings: Settings;
  #classes = 0;
  #data: CellData | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @throws MissingFileError, FileFormatError, OptionError */
  async of(classes: number): Promise<CellData> {
    if (this.#data !== undefined && this.#classes === classes) return this.#data;
    // The old data may be large: let it go before the new is made.
    this.#data = undefined;
    const { data } = this.#settings;
    this.#data = data === null ? this.#synthetic(classes) : await this.#prepared(data, classes);
    this.#classes = classes;
    return this.#data;
  }

  #synthetic(classes: number): CellData {
    const { dim, seconds, seed } = this.#settings;
    const evaluated = evaluatedExamples(classes, dim);
    const dataset = syntheticDataset({
      classes,
      examples: trainingExamples(classes, dim, seconds),
      validationExamples: evaluated,
      testExamples: 1,
      contexts: CONTEXTS,
      seed,
    });
    return { dataset, evaluated, bestCrossEntropy: bestOf(dataset, dataset.splits.validation) };
  }

  async #prepared(folder: string, classes: number): Promise<CellData> {
    const dataset = await openDataset(folder);
    const own = dataset.classes.size;
    if (own !== classes) {
      throw new OptionError(`${folder} has ${count(own)} classes, not ${count(classes)}`, { folder, own, classes });
    }
    return { dataset, evaluated: evaluatedExamples(classes, this.#settings.dim), bestCrossEntropy: null };
  }
}

function bestOf({ truth }: SyntheticDataset, split: SyntheticSplit): number {
  return truth.crossEntropyOf(split);
}
