import { FileFormatError } from "@logq/core";

const TAB = 9;
const SPACE = 32;
const UPPER_A = 65;
const UPPER_Z = 90;
const SHOWN_CHARACTERS = 60;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A run of bytes. */
export interface Span {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Calls `onWord` for every run of bytes between white space, which is what Unicode calls so (`White_Space`), in UTF-8. */
export function forEachWord(span: Span, onWord: (bytes: Uint8Array, start: number, end: number) => void): void {
  const { bytes, end } = span;
  let word = -1;
  for (let i = span.start; i < end; ) {
    const space = spaceAt(bytes, i, end);
    if (space === 0) {
      if (word < 0) word = i;
      i++;
    } else {
      if (word >= 0) onWord(bytes, word, i);
      word = -1;
      i += space;
    }
  }
  if (word >= 0) onWord(bytes, word, end);
}

/** How many bytes the white space at `i` takes; 0 if there is none. */
function spaceAt(bytes: Uint8Array, i: number, end: number): number {
  const byte = bytes[i];
  if (byte <= SPACE) return byte === SPACE || (byte >= TAB && byte <= 13) ? 1 : 0;
  if (byte < 0xc2 || byte > 0xe3) return 0;
  const second = i + 1 < end ? bytes[i + 1] : 0;
  if (byte === 0xc2) return second === 0x85 || second === 0xa0 ? 2 : 0; // U+0085, U+00A0
  const third = i + 2 < end ? bytes[i + 2] : 0;
  if (byte === 0xe1) return second === 0x9a && third === 0x80 ? 3 : 0; // U+1680
  if (byte === 0xe3) return second === 0x80 && third === 0x80 ? 3 : 0; // U+3000
  if (byte !== 0xe2) return 0;
  if (second === 0x81) return third === 0x9f ? 3 : 0; // U+205F
  if (second !== 0x80) return 0;
  return (third >= 0x80 && third <= 0x8a) || third === 0xa8 || third === 0xa9 || third === 0xaf ? 3 : 0; // U+2000…200A, 2028, 2029, 202F
}

/** The `column`-th field (from 0) of a tab-separated line; undefined if the line has fewer. */
export function columnOf({ bytes, start, end }: Span, column: number): Span | undefined {
  let from = start;
  for (let i = 0; i < column; i++) {
    from = bytes.indexOf(TAB, from) + 1;
    if (from === 0 || from > end) return undefined;
  }
  const tab = bytes.indexOf(TAB, from);
  return { bytes, start: from, end: tab < 0 || tab > end ? end : tab };
}

/** The span in lower case: in place while it is ASCII, else in new bytes. */
export function toLowerCase(span: Span): Span {
  const { bytes, start, end } = span;
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 128) {
      const lower = encoder.encode(decoder.decode(bytes.subarray(start, end)).toLowerCase());
      return { bytes: lower, start: 0, end: lower.length };
    }
  }
  for (let i = start; i < end; i++) if (bytes[i] >= UPPER_A && bytes[i] <= UPPER_Z) bytes[i] += 32;
  return span;
}

/** The text of a span, of its first `most` bytes if it is longer. */
export function textOf({ bytes, start, end }: Span, most = end - start): string {
  return decoder.decode(bytes.subarray(start, Math.min(end, start + most)));
}

/** A FileFormatError that names file and line and quotes the beginning of the line. */
export function lineError(file: string, line: number, span: Span, reason: string): FileFormatError {
  const text = textOf(span, 4 * SHOWN_CHARACTERS + 4);
  const content = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return new FileFormatError(`${file}, line ${line}: ${reason}: ${JSON.stringify(content)}`, { file, line, content });
}
