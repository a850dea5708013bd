import { readLines } from "../reading/lines.js";
import { numberAt } from "../reading/number.js";
import type { ProgressMeter } from "../reading/progress.js";
import type { Source } from "../reading/source.js";
import { columnOf, type Span, textOf } from "../reading/span.js";
import { nameOf, type Positions, positionsIn, type RecordPlace, timeOf } from "./fields.js";
import type { Interactions } from "./interactions.js";
import type { PairColumns } from "./options.js";

/**
 * Reads tab-separated lines; every other byte belongs to a field, quotes too. Columns by name need a head line; columns by
 * position take the first line as data. Empty lines are passed over.
 * @throws FileFormatError with file and line
 */
export async function readTsv(
  source: Source,
  meter: ProgressMeter,
  into: Interactions,
  columns: PairColumns,
): Promise<void> {
  let positions = typeof columns.user === "number" ? (columns as Positions) : undefined;
  await readLines(source, meter, (bytes, start, end, line) => {
    if (start === end) return;
    const span = { bytes, start, end };
    if (positions === undefined) {
      positions = positionsIn(source.file, textOf(span).split("\t"), columns);
      return;
    }
    const place = { file: source.file, unit: "line", number: line } as const;
    const user = nameAt(span, positions.user, columns.user, place);
    const item = nameAt(span, positions.item, columns.item, place);
    into.add(
      into.users.add(bytes, user.start, user.end),
      into.items.add(bytes, item.start, item.end),
      positions.time === undefined ? 0 : timeAt(columnOf(span, positions.time), columns.time!, place),
    );
  });
}

function nameAt(line: Span, position: number, column: string | number, place: RecordPlace): Span {
  const field = columnOf(line, position);
  // Says what is wrong with a field that is missing or empty.
  if (field === undefined || field.start === field.end) nameOf(field && textOf(field), column, place);
  return field!;
}

function timeAt(field: Span | undefined, column: string | number, place: RecordPlace): number {
  const number = field ? numberAt(field.bytes, field.start, field.end) : Number.NaN;
  return Number.isFinite(number) ? number : timeOf(field && textOf(field), column, place);
}
