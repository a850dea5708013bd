import { MemoryLimitError } from "@logq/core";
import { ElementList } from "../reading/element-list.js";
import type { LabelsSplit } from "../types.js";

const MOST_ELEMENTS = 2 ** 31 - 1;

/** The rows of one part as they are read, labels and features by the ids of the source. */
export class Rows {
  readonly #labelOffsets = new ElementList(Int32Array);
  readonly #labels = new ElementList(Int32Array);
  readonly #featureOffsets = new ElementList(Int32Array);
  readonly #features = new ElementList(Int32Array);
  readonly #values = new ElementList(Float32Array);
  #labelCount = 0;
  #featureCount = 0;

  constructor() {
    this.#labelOffsets.push(0);
    this.#featureOffsets.push(0);
  }

  addLabel(label: number): void {
    this.#labels.push(label);
    this.#labelCount++;
  }

  addFeature(feature: number, value: number): void {
    this.#features.push(feature);
    this.#values.push(value);
    this.#featureCount++;
  }

  /** What was added since the last call is a row. */
  endRow(): void {
    if (this.#labelCount > MOST_ELEMENTS || this.#featureCount > MOST_ELEMENTS) {
      throw new MemoryLimitError(`a part holds at most ${MOST_ELEMENTS} labels and as many features`, {
        labels: this.#labelCount,
        features: this.#featureCount,
        maximum: MOST_ELEMENTS,
      });
    }
    this.#labelOffsets.push(this.#labelCount);
    this.#featureOffsets.push(this.#featureCount);
  }

  toSplit(): LabelsSplit {
    return {
      labelOffsets: this.#labelOffsets.toArray(),
      labels: this.#labels.toArray(),
      featureOffsets: this.#featureOffsets.toArray(),
      features: this.#features.toArray(),
      values: this.#values.toArray(),
    };
  }
}

/** How much `renumberRows` took away. */
export interface LeftOut {
  rows: number;
  labels: number;
  features: number;
}

/**
 * Gives labels and features their new ids, in place, and leaves out those of −1, with the rows that had labels and keep none.
 * @param leftOut added to
 * @returns views of the same arrays
 */
export function renumberRows(
  rows: LabelsSplit,
  { labels: newLabel, features: newFeature }: { labels: Int32Array; features: Int32Array },
  leftOut: LeftOut,
): LabelsSplit {
  const { labelOffsets, labels, featureOffsets, features, values } = rows;
  let row = 0;
  let labelEnd = 0;
  let featureEnd = 0;
  // The offsets are overwritten behind the reader, so the begin of the next row is kept apart.
  let labelAt = 0;
  let featureAt = 0;
  for (let i = 0; i + 1 < labelOffsets.length; i++) {
    const labelsUntil = labelOffsets[i + 1];
    const featuresUntil = featureOffsets[i + 1];
    const had = labelsUntil - labelAt;
    const labelStart = labelEnd;
    for (; labelAt < labelsUntil; labelAt++) {
      const id = newLabel[labels[labelAt]];
      if (id >= 0) labels[labelEnd++] = id;
    }
    const kept = labelEnd - labelStart;
    leftOut.labels += had - kept;
    if (had > 0 && kept === 0) {
      leftOut.rows++;
      featureAt = featuresUntil;
      continue;
    }
    for (; featureAt < featuresUntil; featureAt++) {
      const id = newFeature[features[featureAt]];
      if (id < 0) leftOut.features++;
      else {
        features[featureEnd] = id;
        values[featureEnd++] = values[featureAt];
      }
    }
    row++;
    labelOffsets[row] = labelEnd;
    featureOffsets[row] = featureEnd;
  }
  return {
    labelOffsets: labelOffsets.subarray(0, row + 1),
    labels: labels.subarray(0, labelEnd),
    featureOffsets: featureOffsets.subarray(0, row + 1),
    features: features.subarray(0, featureEnd),
    values: values.subarray(0, featureEnd),
  };
}
