import { FileFormatError } from "@logq/core";
import type { ProgressMeter } from "./progress.js";
import { readChunks, type Source } from "./source.js";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const LONGEST_LINE = 2 ** 30;

/**
 * Receives one line as bytes[start … end), without its line end ("\n" or "\r\n"). The bytes belong to the reader: they may be
 * changed during the call and are gone after it. `line` counts from 1.
 */
export type OnLine = (bytes: Uint8Array, start: number, end: number, line: number) => void;

/**
 * Calls `onLine` for every line of a file, an unfinished last one included. Memory: one chunk and the longest line.
 * A UTF-8 byte order mark at the very beginning is dropped.
 * @throws FileFormatError for a line of more than 1 GiB, and what `readChunks` throws
 */
export async function readLines(source: Source, meter: ProgressMeter, onLine: OnLine): Promise<void> {
  const carry = new Carry();
  let line = 0;
  let first = true;
  for await (const chunk of readChunks(source, meter)) {
    let start = first && startsWithMark(chunk) ? BYTE_ORDER_MARK.length : 0;
    first = false;
    for (let end = chunk.indexOf(LINE_FEED, start); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      line++;
      if (carry.length > 0) {
        carry.append(chunk, start, end);
        onLine(carry.bytes, 0, withoutReturn(carry.bytes, 0, carry.length), line);
        carry.length = 0;
      } else {
        onLine(chunk, start, withoutReturn(chunk, start, end), line);
      }
      start = end + 1;
    }
    carry.append(chunk, start, chunk.length);
    if (carry.length > LONGEST_LINE) {
      throw new FileFormatError(`${source.file}, line ${line + 1}: longer than ${LONGEST_LINE} bytes`, {
        file: source.file,
        line: line + 1,
        bytes: carry.length,
      });
    }
  }
  if (carry.length > 0) onLine(carry.bytes, 0, withoutReturn(carry.bytes, 0, carry.length), line + 1);
}

/** The beginning of a line whose end is in a later chunk. */
class Carry {
  bytes = new Uint8Array(1 << 16);
  length = 0;

  append(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(chunk.subarray(start, end), this.length);
    this.length = needed;
  }
}

function withoutReturn(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
}

function startsWithMark(chunk: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, i) => chunk[i] === byte);
}
