import { buildAliasTable, drawAlias, type Key, keyFromSeed, RandomStream, STREAM } from "@logq/core";
import { allocateShared } from "../files/array-file.js";
import { CountedVocabulary, NumberedNames } from "../names/stored-names.js";
import type { LabelsDataset, LabelsSplit } from "../types.js";
import { ClassLaw } from "./class-law.js";
import {
  type ParsedSyntheticLabelsOptions,
  parseSyntheticLabelsOptions,
  type SyntheticLabelsOptions,
} from "./labels-options.js";

/** Tries for each label of a row to be another one than those before; a row whose topic has no more to offer has fewer labels. */
const TRIES = 64;

/** Where the rows of each part lie in their stream. */
const PART = { train: 0, test: 2 } as const;

/** The signatures' address among the hidden tables of a seed: topics of classes and contexts come before. */
const SIGNATURES = 2;

/**
 * Rows of sparse features with several labels each, whose features tell the labels. A row has a topic, drawn uniformly; its labels are distinct draws
 * from the Zipf law of all labels tilted towards those the topic is home to; every label has a fixed signature of features, each of which a row of that
 * label shows with probability `shown`; and features drawn by Zipf's law, which tell nothing, are added. A feature's value is how often it came, over
 * the length of the row's vector, which is 1. Every draw is addressed by (seed, part, row): more rows extend a dataset, they do not change it.
 *
 * Labels' ids descend in their true marginal probability, not in the noisy counts.
 * @throws OptionError
 */
export function syntheticLabels(options: SyntheticLabelsOptions): LabelsDataset {
  const parsed = parseSyntheticLabelsOptions(options);
  const key = keyFromSeed(parsed.seed);
  const writer = new RowWriter(key, parsed);
  const train = writer.part(PART.train, parsed.rows);
  const test = writer.part(PART.test, parsed.testRows);
  const counts = allocateShared("float64", parsed.labels);
  for (const label of train.labels) counts[label]++;
  return {
    kind: "labels",
    classes: new CountedVocabulary(new NumberedNames(parsed.labels, "label "), counts),
    features: new NumberedNames(parsed.features, "feature "),
    splits: { train, test },
    options: { ...parsed },
  };
}

/** Draws rows one after another into growing lists. */
class RowWriter {
  readonly #key: Key;
  readonly #options: ParsedSyntheticLabelsOptions;
  readonly #law: ClassLaw;
  /** (labels, signature), feature ids. */
  readonly #signatures: Int32Array;
  readonly #noise: ReturnType<typeof buildAliasTable>;

  constructor(key: Key, options: ParsedSyntheticLabelsOptions) {
    this.#key = key;
    this.#options = options;
    const { topics, features, featureExponent } = options;
    this.#law = new ClassLaw(key, { ...options, classes: options.labels }, new Float64Array(topics).fill(1 / topics));
    this.#noise = buildAliasTable(Float64Array.from({ length: features }, (_, rank) => (rank + 1) ** -featureExponent));
    this.#signatures = drawSignatures(key, options);
  }

  part(part: number, rows: number): LabelsSplit {
    const { labelsPerRow, signature, noise } = this.#options;
    const most = labelsPerRow * signature + noise;
    const labelOffsets = allocateShared("int32", rows + 1);
    const featureOffsets = allocateShared("int32", rows + 1);
    const labels = new Int32Array(rows * labelsPerRow);
    const features = new Int32Array(rows * most);
    const values = new Float32Array(rows * most);
    for (let row = 0; row < rows; row++) {
      const draws = new Draws(new RandomStream(this.#key, STREAM.syntheticExamples, part, row));
      const own = this.#labels(draws);
      const bag = this.#features(own, draws);
      const length = Math.hypot(...bag.values());
      labels.set(own, labelOffsets[row]);
      labelOffsets[row + 1] = labelOffsets[row] + own.length;
      let at = featureOffsets[row];
      for (const [feature, times] of bag) {
        features[at] = feature;
        values[at++] = times / length;
      }
      featureOffsets[row + 1] = at;
    }
    return {
      labelOffsets,
      labels: shared("int32", labels, labelOffsets[rows]),
      featureOffsets,
      features: shared("int32", features, featureOffsets[rows]),
      values: shared("float32", values, featureOffsets[rows]),
    };
  }

  /** Distinct, in the order in which they were drawn. */
  #labels(draws: Draws): number[] {
    const { labelsPerRow, topics } = this.#options;
    const topic = Math.floor(draws.next() * topics);
    const found = new Set<number>();
    const uniforms = new Float64Array(4);
    for (let tries = 0; found.size < labelsPerRow && tries < TRIES * labelsPerRow; tries++) {
      for (let i = 0; i < 4; i++) uniforms[i] = draws.next();
      found.add(this.#law.draw(topic, uniforms, 0));
    }
    return [...found];
  }

  /** How often each feature came. */
  #features(labels: readonly number[], draws: Draws): Map<number, number> {
    const { signature, shown, noise } = this.#options;
    const bag = new Map<number, number>();
    const add = (feature: number) => bag.set(feature, (bag.get(feature) ?? 0) + 1);
    for (const label of labels) {
      for (let i = 0; i < signature; i++) {
        // The first one always: a row without noise has something to tell.
        const isShown = draws.next() < shown;
        if (isShown || i === 0) add(this.#signatures[label * signature + i]);
      }
    }
    for (let i = 0; i < noise; i++) add(drawAlias(this.#noise, draws.next(), draws.next()));
    return bag;
  }
}

/** The uniforms of one row, one after another. */
class Draws {
  readonly #stream: RandomStream;
  #next = 0;

  constructor(stream: RandomStream) {
    this.#stream = stream;
  }

  next(): number {
    return this.#stream.uniform(this.#next++);
  }
}

/** (labels, signature), uniform over the features. */
function drawSignatures(key: Key, { labels, features, signature }: ParsedSyntheticLabelsOptions): Int32Array {
  const drawn = new Int32Array(labels * signature);
  const uniforms = new Float64Array(signature);
  for (let label = 0; label < labels; label++) {
    new RandomStream(key, STREAM.syntheticTruth, SIGNATURES, label).fillUniform(uniforms);
    for (let i = 0; i < signature; i++) drawn[label * signature + i] = Math.floor(uniforms[i] * features);
  }
  return drawn;
}

function shared<T extends "int32" | "float32">(type: T, from: Int32Array | Float32Array, length: number) {
  const array = allocateShared(type, length);
  array.set(from.subarray(0, length));
  return array;
}
