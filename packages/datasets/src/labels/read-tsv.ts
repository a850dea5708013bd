import type { NameTable } from "../names/name-table.js";
import { readLines } from "../reading/lines.js";
import type { ProgressMeter } from "../reading/progress.js";
import type { Source } from "../reading/source.js";
import { columnOf, forEachWord, lineError, type Span, toLowerCase } from "../reading/span.js";
import type { TsvOptions } from "./options.js";
import type { Rows } from "./rows.js";

/** The names that all parts share. */
export interface TsvTables {
  readonly labels: NameTable;
  readonly features: NameTable;
}

/**
 * Reads rows of a tab-separated file: distinct words with how often each stands in the row, in order of first appearance, and a label.
 * @param rowsFor the part of the next row, asked once a line
 * @returns how many lines had an empty label and were passed over
 * @throws FileFormatError for a line without one of the columns
 */
export async function readTsv(
  source: Source,
  meter: ProgressMeter,
  { rowsFor, tables, options }: { rowsFor: () => Rows; tables: TsvTables; options: TsvOptions },
): Promise<number> {
  const bag = new Map<number, number>();
  let unlabelled = 0;
  await readLines(source, meter, (bytes, start, end, line) => {
    const span = { bytes, start, end };
    const label = requireColumn(options.labelColumn, span, source.file, line);
    const text = requireColumn(options.textColumn, span, source.file, line);
    const rows = rowsFor();
    if (label.start === label.end) {
      unlabelled++;
      return;
    }
    // The label first: folding the text may change the bytes of the line.
    rows.addLabel(tables.labels.add(bytes, label.start, label.end));
    bag.clear();
    forEachWord(options.lowerCase ? toLowerCase(text) : text, (word, from, to) => {
      const feature = tables.features.add(word, from, to);
      bag.set(feature, (bag.get(feature) ?? 0) + 1);
    });
    for (const [feature, count] of bag) rows.addFeature(feature, count);
    rows.endRow();
  });
  return unlabelled;
}

function requireColumn(column: number, line: Span, file: string, number: number): Span {
  const span = columnOf(line, column);
  if (span === undefined) throw lineError(file, number, line, `no column ${column}`);
  return span;
}
