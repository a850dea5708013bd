import { EmptyInputError } from "@logq/core";
import { NameTable } from "../names/name-table.js";
import { Counter, gatherCounts, gatherNames } from "../names/order.js";
import { filesOf, rememberedOptions } from "../options.js";
import { RatioSplit } from "../ratio-split.js";
import { ElementList, remap } from "../reading/element-list.js";
import { readLines } from "../reading/lines.js";
import { ProgressMeter } from "../reading/progress.js";
import { findSources, type Source } from "../reading/source.js";
import { columnOf, forEachWord, lineError, type Span, toLowerCase } from "../reading/span.js";
import type { DatasetSummary } from "../store/format.js";
import { type NamedArray, writeDataset } from "../store/write.js";
import { SPLIT_NAMES, type SplitName } from "../types.js";
import { type ParsedTextOptions, parseTextOptions, type TextOptions } from "./options.js";
import { chooseClasses, type TextVocabulary } from "./vocabulary.js";

/**
 * Reads text files into a dataset directory: words between white space become classes, numbered by descending count of the training
 * part (ties by first appearance); each line, also an empty one, ends with `<eos>`; words without a class are `<unk>`.
 * One pass over the files; memory holds 4 bytes a token and the distinct words.
 * @throws OptionError, MissingFileError, FileFormatError, EmptyInputError if the training part holds no word
 */
export async function prepareText(options: TextOptions): Promise<DatasetSummary> {
  const parsed = parseTextOptions(options);
  const sources = await findSources(filesOf(parsed));
  const meter = new ProgressMeter(
    sources.reduce((total, source) => total + source.bytes, 0),
    parsed.onProgress,
  );
  const reader = new TextReader(parsed);
  for (const source of sources) await reader.read(source, meter);
  if (reader.words === 0) {
    throw new EmptyInputError(`${parsed.train.join(", ")}: no word to train on`, { files: parsed.train });
  }
  meter.write();
  return store(parsed, sources, reader);
}

/** What was read of one part: tokens by their id in the table. */
interface Part {
  readonly tokens: ElementList<Int32Array>;
  lines: number;
}

function emptyPart(): Part {
  return { tokens: new ElementList(Int32Array), lines: 0 };
}

class TextReader {
  readonly table = new NameTable();
  readonly counter = new Counter();
  readonly parts: Partial<Record<SplitName, Part>> = {};
  /** Training tokens that are words. */
  words = 0;
  readonly #options: ParsedTextOptions;
  readonly #partOf: (line: number) => SplitName;
  /** Lines of the training files so far: the address of a line for the split. */
  #dealt = 0;

  constructor(options: ParsedTextOptions) {
    this.#options = options;
    this.#partOf = new RatioSplit(options).group();
    const { validation, test, validationRatio, testRatio } = options;
    this.parts.train = emptyPart();
    if (validation || validationRatio > 0) this.parts.validation = emptyPart();
    if (test || testRatio > 0) this.parts.test = emptyPart();
  }

  async read(source: Source, meter: ProgressMeter): Promise<void> {
    await readLines(source, meter, (bytes, start, end, line) => {
      const name = source.part === "train" ? this.#partOf(this.#dealt++) : source.part;
      const part = this.parts[name] as Part;
      part.lines++;
      this.#addLine(this.#textOf({ bytes, start, end }, source.file, line), part, name === "train");
    });
  }

  #textOf(line: Span, file: string, number: number): Span {
    const { textColumn, lowerCase } = this.#options;
    const text = textColumn === undefined ? line : columnOf(line, textColumn);
    if (text === undefined) throw lineError(file, number, line, `no column ${textColumn}`);
    return lowerCase ? toLowerCase(text) : text;
  }

  #addLine(text: Span, part: Part, training: boolean): void {
    forEachWord(text, (bytes, start, end) => {
      const id = this.table.add(bytes, start, end);
      part.tokens.push(id);
      if (training) {
        this.counter.add(id);
        this.words++;
      }
    });
    if (this.#options.endOfLine === false) return;
    const eos = this.table.addString(this.#options.endOfLine);
    part.tokens.push(eos);
    if (training) this.counter.add(eos);
  }
}

function store(options: ParsedTextOptions, sources: readonly Source[], reader: TextReader): Promise<DatasetSummary> {
  const vocabulary = chooseClasses(reader.table, reader.counter.upTo(reader.table.size), options);
  const splits: Partial<Record<SplitName, { lines: number; tokens: number }>> = {};
  for (const name of SPLIT_NAMES) {
    const part = reader.parts[name];
    if (part) splits[name] = { lines: part.lines, tokens: part.tokens.length };
  }
  const head = {
    kind: "text" as const,
    classes: vocabulary.kept.length,
    special: { eos: vocabulary.eos, unknown: vocabulary.unknown },
    splits,
    leftOut: {},
    options: rememberedOptions(options),
    sources: [...sources],
  };
  return writeDataset(options.output, head, arraysOf(reader, vocabulary));
}

function* arraysOf(reader: TextReader, { kept, counts, classOf }: TextVocabulary): Generator<NamedArray> {
  const names = gatherNames(reader.table, kept);
  yield { name: "classes.names", type: "uint8", data: names.bytes };
  yield { name: "classes.offsets", type: "uint32", data: names.offsets };
  yield { name: "classes.counts", type: "float64", data: gatherCounts(counts, kept) };
  for (const name of SPLIT_NAMES) {
    const part = reader.parts[name];
    if (part === undefined) continue;
    remap(part.tokens, classOf);
    yield { name: `${name}.tokens`, type: "int32", data: part.tokens.chunks() };
  }
}
