import { open, readFile } from "node:fs/promises";
import { FileFormatError, MissingFileError } from "@logq/core";
import { Packr } from "msgpackr";

/** What a head file begins with: 8 ASCII characters and the version of what follows. */
export interface HeadFormat {
  /** Exactly 8 ASCII characters. */
  readonly magic: string;
  /** Unsigned 32 bits. A reader accepts exactly this version. */
  readonly version: number;
}

const MAGIC_BYTES = 8;
const PREFIX_BYTES = MAGIC_BYTES + 4 + 4;
// Plain maps and typed arrays only: any MessagePack reader can open the body.
const packr = new Packr({ moreTypes: true, useRecords: false });

/**
 * magic (8) | version u32 | bytes of the body u32 | body in MessagePack; numbers little-endian.
 * @param value plain objects, arrays, strings, numbers, booleans, typed arrays
 */
export function encodeHead(format: HeadFormat, value: unknown): Uint8Array {
  const body = packr.pack(value);
  const bytes = new Uint8Array(PREFIX_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < MAGIC_BYTES; i++) bytes[i] = format.magic.charCodeAt(i);
  view.setUint32(MAGIC_BYTES, format.version, true);
  view.setUint32(MAGIC_BYTES + 4, body.length, true);
  bytes.set(body, PREFIX_BYTES);
  return bytes;
}

/**
 * The value that `encodeHead` wrote. Its shape is for the caller to check.
 * @param file named in errors
 * @throws FileFormatError if magic, version or length are others, or the body is not MessagePack
 */
export function decodeHead(format: HeadFormat, bytes: Uint8Array, file: string): unknown {
  const magic = magicOf(bytes);
  if (magic !== format.magic) {
    throw new FileFormatError(`${file} begins with ${JSON.stringify(magic)}, not with "${format.magic}"`, {
      file,
      magic,
      expected: format.magic,
    });
  }
  if (bytes.length < PREFIX_BYTES) {
    throw new FileFormatError(`${file} ends after ${bytes.length} bytes, within its prefix of ${PREFIX_BYTES}`, {
      file,
      bytes: bytes.length,
      expected: PREFIX_BYTES,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(MAGIC_BYTES, true);
  if (version !== format.version) {
    throw new FileFormatError(`${file} has version ${version}; this program reads version ${format.version}`, {
      file,
      version,
      expected: format.version,
    });
  }
  const expected = PREFIX_BYTES + view.getUint32(MAGIC_BYTES + 4, true);
  if (bytes.length !== expected) {
    throw new FileFormatError(`${file} has ${bytes.length} bytes, but its prefix promises ${expected}`, {
      file,
      bytes: bytes.length,
      expected,
    });
  }
  try {
    return packr.unpack(bytes.subarray(PREFIX_BYTES));
  } catch (cause) {
    throw new FileFormatError(`${file}: the body is not MessagePack`, { file }, { cause });
  }
}

/**
 * Reads and decodes a head file.
 * @throws MissingFileError, FileFormatError
 */
export async function readHead(format: HeadFormat, file: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new MissingFileError(`${file} cannot be read`, { file }, { cause });
  }
  return decodeHead(format, bytes, file);
}

/** Whether `file` exists and begins with this magic, whatever its version. */
export async function hasMagic(format: HeadFormat, file: string): Promise<boolean> {
  const handle = await open(file, "r").catch(() => undefined);
  try {
    const first = new Uint8Array(MAGIC_BYTES);
    await handle?.read(first, 0, MAGIC_BYTES, 0);
    return magicOf(first) === format.magic;
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

function magicOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, MAGIC_BYTES));
}
