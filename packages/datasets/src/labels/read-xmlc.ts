import { FileFormatError } from "@logq/core";
import { readLines } from "../reading/lines.js";
import { integerAt, numberAt } from "../reading/number.js";
import type { ProgressMeter } from "../reading/progress.js";
import type { Source } from "../reading/source.js";
import { lineError, type Span, textOf } from "../reading/span.js";
import type { Rows } from "./rows.js";

const SPACE = 32;
const COMMA = 44;
const COLON = 58;
const LONGEST_HEAD = 100;
const MOST_IDS = 2 ** 31 - 1;

/** The head line of a file. */
export interface XmlcHead {
  readonly rows: number;
  readonly features: number;
  readonly labels: number;
}

/**
 * Reads one file of the Extreme Classification repository.
 * @param rowsFor the part of the next row, asked once a row
 * @throws FileFormatError if a line, an id, a value or the number of rows is not as the head says
 */
export async function readXmlc(source: Source, meter: ProgressMeter, rowsFor: () => Rows): Promise<XmlcHead> {
  let head: XmlcHead | undefined;
  let read = 0;
  await readLines(source, meter, (bytes, start, end, line) => {
    const span = { bytes, start, end };
    if (head === undefined) {
      head = parseHead(source.file, span);
    } else if (read < head.rows) {
      const problem = parseRow(span, head, rowsFor());
      if (problem !== undefined) throw lineError(source.file, line, span, problem);
      read++;
    } else if (start < end) {
      throw lineError(source.file, line, span, `more rows than the ${head.rows} of the head line`);
    }
  });
  if (head === undefined || read !== head.rows) {
    const promised = head?.rows ?? "none, for want of a head line";
    throw new FileFormatError(`${source.file} has ${read} rows; promised: ${promised}`, {
      file: source.file,
      rows: read,
      expected: head?.rows,
    });
  }
  return head;
}

function parseHead(file: string, span: Span): XmlcHead {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(textOf(span, LONGEST_HEAD));
  if (!match) throw lineError(file, 1, span, "not a head line of three counts (rows, features, labels)");
  const [rows, features, labels] = match.slice(1).map(Number);
  if (Math.max(features, labels) > MOST_IDS) throw lineError(file, 1, span, `more than ${MOST_IDS} features or labels`);
  return { rows, features, labels };
}

/** Adds `l1,l2 f:v f:v …` as a row; returns what is wrong with it, if anything. */
function parseRow({ bytes, start, end }: Span, head: XmlcHead, rows: Rows): string | undefined {
  let at = start;
  // Labels end at the first space, which is at the very beginning if there are none.
  while (at < end && bytes[at] !== SPACE) {
    let stop = at;
    while (stop < end && bytes[stop] !== COMMA && bytes[stop] !== SPACE) stop++;
    const label = integerAt(bytes, at, stop);
    if (label < 0) return "a label is not an id";
    if (label >= head.labels) return `label ${label} is not in [0, ${head.labels})`;
    rows.addLabel(label);
    at = bytes[stop] === COMMA && stop < end ? stop + 1 : stop;
  }
  while (at < end) {
    if (bytes[at] === SPACE) {
      at++;
      continue;
    }
    let colon = at;
    while (colon < end && bytes[colon] !== COLON && bytes[colon] !== SPACE) colon++;
    let stop = colon;
    while (stop < end && bytes[stop] !== SPACE) stop++;
    const feature = integerAt(bytes, at, colon);
    const value = numberAt(bytes, colon + 1, stop);
    if (feature < 0 || colon === stop) return "a feature is not id:value";
    if (feature >= head.features) return `feature ${feature} is not in [0, ${head.features})`;
    if (!Number.isFinite(Math.fround(value))) return `the value of feature ${feature} is not a finite number`;
    rows.addFeature(feature, value);
    at = stop;
  }
  rows.endRow();
  return undefined;
}
