import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { BackendError, FileFormatError, MemoryLimitError, MissingFileError } from "@logq/core";

const CONSTRUCTORS = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** The element types of array files. */
export type ArrayType = keyof typeof CONSTRUCTORS;
export type ArrayOf<T extends ArrayType> = {
  uint8: Uint8Array;
  int32: Int32Array;
  uint32: Uint32Array;
  float32: Float32Array;
  float64: Float64Array;
}[T];
export type AnyArray = ArrayOf<ArrayType>;

export const ARRAY_TYPES = Object.keys(CONSTRUCTORS) as [ArrayType, ...ArrayType[]];

// One read or write of the system moves less than 2 GiB.
const TRANSFER_BYTES = 1 << 30;

/** The type of an array, for tables of contents. */
export function arrayTypeOf(array: AnyArray): ArrayType {
  const type = ARRAY_TYPES.find((name) => array instanceof CONSTRUCTORS[name]);
  if (type === undefined) throw new FileFormatError(`no array file holds ${array?.constructor.name}`, {});
  return type;
}

/**
 * Zeroed elements that every worker sees.
 * @throws MemoryLimitError with the bytes asked for
 */
export function allocateShared<T extends ArrayType>(type: T, length: number): ArrayOf<T> {
  const bytes = length * CONSTRUCTORS[type].BYTES_PER_ELEMENT;
  try {
    const construct = CONSTRUCTORS[type] as new (buffer: SharedArrayBuffer) => AnyArray;
    return new construct(new SharedArrayBuffer(bytes)) as ArrayOf<T>;
  } catch (cause) {
    throw new MemoryLimitError(
      `${bytes} bytes of shared memory for ${length} ${type} cannot be had`,
      { bytes },
      { cause },
    );
  }
}

/**
 * Writes arrays one after another as raw little-endian elements, without a head, and flushes them to the disk.
 * An existing file is replaced.
 * @param arrays all of one type; views over any memory, read only
 * @returns the number of elements written
 */
export async function writeArrayFile(file: string, arrays: AnyArray | Iterable<AnyArray>): Promise<number> {
  requireLittleEndian();
  const handle = await open(file, "w");
  let elements = 0;
  try {
    for (const array of ArrayBuffer.isView(arrays) ? [arrays] : arrays) {
      await writeAll(handle, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      elements += array.length;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return elements;
}

/**
 * Reads a whole array file into an array over a SharedArrayBuffer of its own.
 * @param length the elements it must have; by default what the size of the file says
 * @throws MissingFileError; FileFormatError if the size does not fit; MemoryLimitError
 */
export async function readArrayFile<T extends ArrayType>(file: string, type: T, length?: number): Promise<ArrayOf<T>> {
  requireLittleEndian();
  const handle = await openArrayFile(file);
  try {
    const array = allocateShared(type, await lengthOf(handle, file, type, length));
    await readAll(handle, new Uint8Array(array.buffer), file, 0);
    return array;
  } finally {
    await handle.close();
  }
}

/**
 * Reads an array file from its beginning to its end, `piece` elements at a time (the last may be shorter): for files larger than the memory
 * that is there for them. Each piece is good until the next is asked for.
 * @param length the elements the file must have
 * @throws MissingFileError; FileFormatError if the size does not fit
 */
export async function* readArrayInPieces<T extends ArrayType>(
  file: string,
  type: T,
  length: number,
  piece: number,
): AsyncGenerator<ArrayOf<T>> {
  requireLittleEndian();
  const handle = await openArrayFile(file);
  try {
    await lengthOf(handle, file, type, length);
    const construct = CONSTRUCTORS[type] as new (length: number) => AnyArray;
    const buffer = new construct(Math.min(piece, length));
    for (let first = 0; first < length; first += piece) {
      const some = buffer.subarray(0, Math.min(piece, length - first));
      const bytes = new Uint8Array(some.buffer, some.byteOffset, some.byteLength);
      await readAll(handle, bytes, file, first * buffer.BYTES_PER_ELEMENT);
      yield some as ArrayOf<T>;
    }
  } finally {
    await handle.close();
  }
}

/** The elements of a file: by its size, or those it must have. @throws FileFormatError if the size does not fit */
async function lengthOf(handle: FileHandle, file: string, type: ArrayType, length?: number): Promise<number> {
  const { size } = await handle.stat();
  const elementBytes = CONSTRUCTORS[type].BYTES_PER_ELEMENT;
  const expected = length ?? Math.floor(size / elementBytes);
  if (size === expected * elementBytes) return expected;
  throw new FileFormatError(`${file} has ${size} bytes, not the ${expected * elementBytes} of ${expected} ${type}`, {
    file,
    bytes: size,
    expected: expected * elementBytes,
    type,
  });
}

async function openArrayFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (cause) {
    throw new MissingFileError(`${file} cannot be read`, { file }, { cause });
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(TRANSFER_BYTES, bytes.length - at));
    at += bytesWritten;
  }
}

/** Fills `bytes` from position `start` of the file on. */
async function readAll(handle: FileHandle, bytes: Uint8Array, file: string, start: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(TRANSFER_BYTES, bytes.length - at), start + at);
    if (bytesRead === 0) {
      throw new FileFormatError(`${file} became shorter while it was read`, { file, bytes: start + at });
    }
    at += bytesRead;
  }
}

/** WebAssembly memory is little-endian everywhere and typed arrays are views over it: no other machine could train. */
function requireLittleEndian(): void {
  if (endianness() !== "LE") throw new BackendError("array files need a little-endian machine", { endianness: "BE" });
}
