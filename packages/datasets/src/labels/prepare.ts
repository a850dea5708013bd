import { EmptyInputError, FileFormatError } from "@logq/core";
import { NameTable } from "../names/name-table.js";
import { gatherCounts, gatherNames, orderByCount } from "../names/order.js";
import { filesOf, rememberedOptions } from "../options.js";
import { RatioSplit } from "../ratio-split.js";
import { ProgressMeter } from "../reading/progress.js";
import { findSources, type Source } from "../reading/source.js";
import type { DatasetSummary } from "../store/format.js";
import { type NamedArray, writeDataset } from "../store/write.js";
import { type LabelsSplit, SPLIT_NAMES, type SplitName } from "../types.js";
import { type LabelsOptions, type ParsedLabelsOptions, parseLabelsOptions, tsvOptionsOf } from "./options.js";
import { readTsv } from "./read-tsv.js";
import { readXmlc, type XmlcHead } from "./read-xmlc.js";
import { Rows, renumberRows } from "./rows.js";

/**
 * Reads rows of sparse features and labels into a dataset directory. Labels become classes by descending count of training rows;
 * ties by first appearance (tsv) or by the id of the file (xmlc). Words become features the same way; the feature ids of an xmlc file
 * stay what they are. One pass over the files; memory holds 8 bytes a feature and 4 a label.
 * @throws OptionError, MissingFileError, FileFormatError, EmptyInputError if no training row has a label
 */
export async function prepareLabels(options: LabelsOptions): Promise<DatasetSummary> {
  const parsed = parseLabelsOptions(options);
  const sources = await findSources(filesOf(parsed));
  const meter = new ProgressMeter(
    sources.reduce((total, source) => total + source.bytes, 0),
    parsed.onProgress,
  );
  const parts = emptyParts(parsed);
  const read = parsed.format === "xmlc" ? readXmlcFiles : readTsvFiles;
  const tables = await read(sources, meter, parts, parsed);
  meter.write();
  return store(parsed, sources, { ...tables, parts });
}

type Parts = Partial<Record<SplitName, Rows>>;

/** What all parts share: the names by the ids the rows use. */
interface Tables {
  readonly labels: NameTable;
  readonly features: NameTable;
  /** Rows passed over while reading. */
  readonly unlabelled: number;
}

type ReadFiles = (
  sources: readonly Source[],
  meter: ProgressMeter,
  parts: Parts,
  options: ParsedLabelsOptions,
) => Promise<Tables>;

function emptyParts({ validation, test, validationRatio, testRatio }: ParsedLabelsOptions): Parts {
  return {
    train: new Rows(),
    ...((validation || validationRatio > 0) && { validation: new Rows() }),
    ...((test || testRatio > 0) && { test: new Rows() }),
  };
}

/** Answers, row by row, where a row of this source belongs; training rows are dealt by their number over all training files. */
function dealer(parts: Parts, options: ParsedLabelsOptions): (source: Source) => () => Rows {
  const partOf = new RatioSplit(options).group();
  let dealt = 0;
  return (source) => () => parts[source.part === "train" ? partOf(dealt++) : source.part]!;
}

const readXmlcFiles: ReadFiles = async (sources, meter, parts, options) => {
  const deal = dealer(parts, options);
  let first: XmlcHead | undefined;
  for (const source of sources) {
    const head = await readXmlc(source, meter, deal(source));
    first ??= head;
    if (head.features !== first.features || head.labels !== first.labels) {
      throw new FileFormatError(
        `${source.file} has ${head.features} features and ${head.labels} labels, ` +
          `but ${sources[0].file} has ${first.features} and ${first.labels}`,
        { file: source.file, ...head, expectedFeatures: first.features, expectedLabels: first.labels },
      );
    }
  }
  return { labels: numbers(first!.labels), features: numbers(first!.features), unlabelled: 0 };
};

const readTsvFiles: ReadFiles = async (sources, meter, parts, options) => {
  const deal = dealer(parts, options);
  const tables = { labels: new NameTable(), features: new NameTable() };
  const tsv = tsvOptionsOf(options);
  let unlabelled = 0;
  for (const source of sources) {
    unlabelled += await readTsv(source, meter, { rowsFor: deal(source), tables, options: tsv });
  }
  return { ...tables, unlabelled };
};

/** The ids of a file as names. */
function numbers(size: number): NameTable {
  const table = new NameTable();
  for (let id = 0; id < size; id++) table.addString(String(id));
  return table;
}

function store(
  options: ParsedLabelsOptions,
  sources: readonly Source[],
  read: Tables & { parts: Parts },
): Promise<DatasetSummary> {
  const train = read.parts.train!.toSplit();
  const counts = new Float64Array(read.labels.size);
  for (const label of train.labels) counts[label]++;
  const classes = orderByCount(counts, (label) => counts[label] >= options.minCount);
  const features = orderFeatures(train, read.features.size, options);

  const leftOut = { rows: read.unlabelled, labels: 0, features: 0 };
  const numbered: [SplitName, LabelsSplit][] = [];
  const splits: Partial<Record<SplitName, { rows: number; labels: number; features: number }>> = {};
  for (const name of SPLIT_NAMES) {
    const part = name === "train" ? train : read.parts[name]?.toSplit();
    if (part === undefined) continue;
    const rows = renumberRows(part, { labels: classes.newId, features: features.newId }, leftOut);
    numbered.push([name, rows]);
    splits[name] = { rows: rows.labelOffsets.length - 1, labels: rows.labels.length, features: rows.features.length };
  }
  if (!splits.train?.labels) {
    throw new EmptyInputError(`${options.train.join(", ")}: no label to train on`, { files: options.train });
  }
  const head = {
    kind: "labels" as const,
    classes: classes.kept.length,
    features: features.kept.length,
    special: {},
    splits,
    leftOut,
    options: rememberedOptions(options),
    sources: [...sources],
  };
  return writeDataset(options.output, head, arraysOf());

  function* arraysOf(): Generator<NamedArray> {
    const classNames = gatherNames(read.labels, classes.kept);
    yield { name: "classes.names", type: "uint8", data: classNames.bytes };
    yield { name: "classes.offsets", type: "uint32", data: classNames.offsets };
    yield { name: "classes.counts", type: "float64", data: gatherCounts(counts, classes.kept) };
    const featureNames = gatherNames(read.features, features.kept);
    yield { name: "features.names", type: "uint8", data: featureNames.bytes };
    yield { name: "features.offsets", type: "uint32", data: featureNames.offsets };
    for (const [name, rows] of numbered) {
      yield { name: `${name}.labelOffsets`, type: "int32", data: rows.labelOffsets };
      yield { name: `${name}.labels`, type: "int32", data: rows.labels };
      yield { name: `${name}.featureOffsets`, type: "int32", data: rows.featureOffsets };
      yield { name: `${name}.features`, type: "int32", data: rows.features };
      yield { name: `${name}.values`, type: "float32", data: rows.values };
    }
  }
}

/** Words by descending count of the training part; the ids of an xmlc file as they are. */
function orderFeatures(train: LabelsSplit, size: number, options: ParsedLabelsOptions) {
  const counts = new Float64Array(size);
  if (options.format === "xmlc") return orderByCount(counts, () => true);
  for (let i = 0; i < train.features.length; i++) counts[train.features[i]] += train.values[i];
  return orderByCount(counts, (feature) => counts[feature] >= (options.minFeatureCount ?? 1));
}
