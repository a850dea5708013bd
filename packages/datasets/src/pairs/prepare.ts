import { EmptyInputError } from "@logq/core";
import { NameTable } from "../names/name-table.js";
import { gatherCounts, gatherNames, orderByCount } from "../names/order.js";
import { filesOf, rememberedOptions } from "../options.js";
import { ProgressMeter } from "../reading/progress.js";
import { findSources, type Source } from "../reading/source.js";
import type { DatasetSummary } from "../store/format.js";
import { type NamedArray, writeDataset } from "../store/write.js";
import { SPLIT_NAMES, type SplitName } from "../types.js";
import { Interactions, type Sequences } from "./interactions.js";
import { columnsOf, type PairsOptions, type ParsedPairsOptions, parsePairsOptions } from "./options.js";
import { readCsv } from "./read-csv.js";
import { readAdjacency, readPairs } from "./read-lines.js";
import { readParquet } from "./read-parquet.js";
import { readTsv } from "./read-tsv.js";
import { renumber, splitSequences } from "./split.js";

/**
 * Reads who chose what into a dataset directory. Items become classes by descending count of the training part (ties by first
 * appearance), users dense ids by first appearance. An interaction that is repeated stays repeated.
 * One pass over the files; memory holds 8 bytes an interaction (16 with times), twice while they are grouped by user.
 * @throws OptionError, MissingFileError, FileFormatError, EmptyInputError if the training part holds no interaction
 */
export async function preparePairs(options: PairsOptions): Promise<DatasetSummary> {
  const parsed = parsePairsOptions(options);
  const sources = await findSources(filesOf(parsed));
  const meter = new ProgressMeter(
    sources.reduce((total, source) => total + source.bytes, 0),
    parsed.onProgress,
  );
  const users = new NameTable();
  const items = new NameTable();
  const read: Partial<Record<SplitName, Interactions>> = {};
  for (const source of sources) {
    read[source.part] ??= new Interactions(users, items, parsed.timeColumn !== undefined);
    await readSource(source, meter, read[source.part]!, parsed);
  }
  meter.write();
  const parts: Partial<Record<SplitName, Sequences>> = {};
  for (const name of SPLIT_NAMES) {
    const sequences = read[name]?.byUser(users.size);
    if (sequences) Object.assign(parts, name === "train" ? splitSequences(sequences, parsed) : { [name]: sequences });
  }
  return store(parsed, sources, { users, items, parts });
}

function readSource(
  source: Source,
  meter: ProgressMeter,
  into: Interactions,
  options: ParsedPairsOptions,
): Promise<void> {
  switch (options.format) {
    case "adjacency":
      return readAdjacency(source, meter, into);
    case "pairs":
      return readPairs(source, meter, into);
    case "csv":
      return readCsv(source, meter, into, columnsOf(options));
    case "tsv":
      return readTsv(source, meter, into, columnsOf(options));
    case "parquet":
      return readParquet(source, meter, into, columnsOf(options));
  }
}

interface ReadPairs {
  readonly users: NameTable;
  readonly items: NameTable;
  readonly parts: Partial<Record<SplitName, Sequences>>;
}

function store(options: ParsedPairsOptions, sources: readonly Source[], read: ReadPairs): Promise<DatasetSummary> {
  const { users, items, parts } = read;
  const counts = new Float64Array(items.size);
  for (const item of parts.train?.items ?? []) counts[item]++;
  const { kept, newId } = orderByCount(counts, (item) => counts[item] >= options.minCount);
  const numbered: [SplitName, Sequences][] = [];
  const splits: Partial<Record<SplitName, { interactions: number; users: number }>> = {};
  const leftOut = { items: items.size - kept.length, interactions: 0 };
  for (const name of SPLIT_NAMES) {
    const part = parts[name];
    if (part === undefined) continue;
    const sequences = renumber(part, newId);
    numbered.push([name, sequences]);
    splits[name] = { interactions: sequences.items.length, users: activeUsers(sequences) };
    leftOut.interactions += part.items.length - sequences.items.length;
  }
  if (!splits.train?.interactions) {
    throw new EmptyInputError(`${options.train.join(", ")}: no interaction to train on`, { files: options.train });
  }
  const head = {
    kind: "pairs" as const,
    classes: kept.length,
    users: users.size,
    special: {},
    splits,
    leftOut,
    options: rememberedOptions(options),
    sources: [...sources],
  };
  return writeDataset(options.output, head, arraysOf());

  function* arraysOf(): Generator<NamedArray> {
    const names = gatherNames(items, kept);
    yield { name: "classes.names", type: "uint8", data: names.bytes };
    yield { name: "classes.offsets", type: "uint32", data: names.offsets };
    yield { name: "classes.counts", type: "float64", data: gatherCounts(counts, kept) };
    yield { name: "users.names", type: "uint8", data: users.bytes };
    yield { name: "users.offsets", type: "uint32", data: users.offsets };
    for (const [name, sequences] of numbered) {
      yield { name: `${name}.offsets`, type: "int32", data: sequences.offsets };
      yield { name: `${name}.items`, type: "int32", data: sequences.items };
    }
  }
}

function activeUsers({ offsets }: Sequences): number {
  let active = 0;
  for (let user = 0; user + 1 < offsets.length; user++) if (offsets[user + 1] > offsets[user]) active++;
  return active;
}
