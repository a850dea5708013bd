import { join } from "node:path";
import { FileFormatError } from "@logq/core";
import { type ArrayOf, type ArrayType, readArrayFile } from "../files/array-file.js";
import { CountedVocabulary, StoredNames } from "../names/stored-names.js";
import type { Dataset, Names, SplitName, Vocabulary } from "../types.js";
import { requireCounts, requireFinite, requireIds, requireOffsets } from "./checks.js";
import { type DatasetHead, readDatasetHead } from "./format.js";

/**
 * Opens a prepared dataset. Its arrays are read into shared memory and checked: lengths against the sizes of the files, offsets
 * against what they point into, ids against their ranges.
 * @throws MissingFileError if there is none, FileFormatError with the values that do not fit
 */
export async function openDataset(directory: string): Promise<Dataset> {
  const head = await readDatasetHead(directory);
  const reader = new DatasetReader(directory, head);
  const classes = await reader.vocabulary();
  const base = { classes, directory, options: head.options };
  switch (head.kind) {
    case "text": {
      const splits = await reader.splits((part) => openText(reader, part));
      return { kind: "text", ...base, splits, eos: reader.special("eos"), unknown: reader.special("unknown") };
    }
    case "pairs": {
      const users = await reader.names("users", reader.count("users"));
      return { kind: "pairs", ...base, users, splits: await reader.splits((part) => openPairs(reader, part)) };
    }
    case "labels": {
      const features = await reader.names("features", reader.count("features"));
      return { kind: "labels", ...base, features, splits: await reader.splits((part) => openLabels(reader, part)) };
    }
  }
}

async function openText(reader: DatasetReader, part: SplitName) {
  const tokens = await reader.array(`${part}.tokens`, "int32");
  requireIds(reader.place(`${part}.tokens`), tokens, reader.head.classes);
  return { tokens };
}

async function openPairs(reader: DatasetReader, part: SplitName) {
  const items = await reader.array(`${part}.items`, "int32");
  requireIds(reader.place(`${part}.items`), items, reader.head.classes);
  const offsets = await reader.array(`${part}.offsets`, "int32", reader.count("users") + 1);
  requireOffsets(reader.place(`${part}.offsets`), offsets, items.length);
  return { offsets, items };
}

async function openLabels(reader: DatasetReader, part: SplitName) {
  const labels = await reader.array(`${part}.labels`, "int32");
  requireIds(reader.place(`${part}.labels`), labels, reader.head.classes);
  const labelOffsets = await reader.array(`${part}.labelOffsets`, "int32");
  requireOffsets(reader.place(`${part}.labelOffsets`), labelOffsets, labels.length);
  const features = await reader.array(`${part}.features`, "int32");
  requireIds(reader.place(`${part}.features`), features, reader.count("features"));
  const featureOffsets = await reader.array(`${part}.featureOffsets`, "int32", labelOffsets.length);
  requireOffsets(reader.place(`${part}.featureOffsets`), featureOffsets, features.length);
  const values = await reader.array(`${part}.values`, "float32", features.length);
  requireFinite(reader.place(`${part}.values`), values);
  return { labelOffsets, labels, featureOffsets, features, values };
}

/** Reads named arrays of one directory. */
class DatasetReader {
  readonly head: DatasetHead;
  readonly #directory: string;

  constructor(directory: string, head: DatasetHead) {
    this.#directory = directory;
    this.head = head;
  }

  /** Where an array stands, for errors. */
  place(name: string): string {
    return `${this.#directory}: ${name}`;
  }

  /** @param length what it must be; by default what the table of contents says */
  async array<T extends ArrayType>(name: string, type: T, length?: number): Promise<ArrayOf<T>> {
    const entry = this.head.arrays.find((candidate) => candidate.name === name);
    if (entry === undefined) {
      throw new FileFormatError(`${this.place(name)} is missing`, { directory: this.#directory, array: name });
    }
    if (entry.type !== type || (length !== undefined && entry.length !== length)) {
      throw new FileFormatError(
        `${this.place(name)} must be ${length ?? entry.length} ${type}, but is ${entry.length} ${entry.type}`,
        { directory: this.#directory, array: name, ...entry, expectedType: type, expectedLength: length },
      );
    }
    return readArrayFile(join(this.#directory, entry.file), type, entry.length);
  }

  count(name: "users" | "features"): number {
    return this.#require(name, this.head[name]);
  }

  special(name: string): number {
    const id = this.#require(name, this.head.special[name]);
    if (id >= this.head.classes) {
      throw new FileFormatError(`${this.place(name)} is ${id}, but there are ${this.head.classes} classes`, {
        directory: this.#directory,
        name,
        id,
        classes: this.head.classes,
      });
    }
    return id;
  }

  async vocabulary(): Promise<Vocabulary> {
    const names = await this.names("classes", this.head.classes);
    const counts = await this.array("classes.counts", "float64", names.size);
    requireCounts(this.place("classes.counts"), counts);
    return new CountedVocabulary(names, counts);
  }

  async names(name: string, size: number): Promise<Names> {
    const bytes = await this.array(`${name}.names`, "uint8");
    const offsets = await this.array(`${name}.offsets`, "uint32", size + 1);
    requireOffsets(this.place(`${name}.offsets`), offsets, bytes.length);
    return new StoredNames(bytes, offsets);
  }

  async splits<T>(open: (part: SplitName) => Promise<T>): Promise<Partial<Record<SplitName, T>>> {
    const splits: Partial<Record<SplitName, T>> = {};
    for (const part of Object.keys(this.head.splits) as SplitName[]) splits[part] = await open(part);
    return splits;
  }

  #require(name: string, value: number | undefined): number {
    if (value !== undefined) return value;
    throw new FileFormatError(`${this.place(name)} is missing in the head`, { directory: this.#directory, name });
  }
}
