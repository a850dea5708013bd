import { FileFormatError } from "@logq/core";

const MAGIC = "\x93NUMPY";

/** How one element is read. */
type Reader = (view: DataView, at: number) => number;

const READERS: Readonly<Record<string, readonly [bytes: number, read: Reader]>> = {
  "<f4": [4, (view, at) => view.getFloat32(at, true)],
  "<f8": [8, (view, at) => view.getFloat64(at, true)],
  "<i4": [4, (view, at) => view.getInt32(at, true)],
  "<i8": [8, (view, at) => Number(view.getBigInt64(at, true))],
};

/**
 * A vector of numbers in NumPy's format .npy, versions 1 to 3: little-endian float32, float64, int32 or int64. NEP 1, "A Simple File Format for
 * NumPy Arrays".
 * @param file its name, for messages
 * @throws FileFormatError
 */
export function readNpyVector(file: string, bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 6)).toString("latin1") !== MAGIC) {
    throw new FileFormatError(`${file} is no .npy file`, { file });
  }
  const long = bytes[6]! > 1;
  const from = long ? 12 : 10;
  const start = from + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = Buffer.from(bytes.subarray(from, start)).toString("latin1");
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const length = /'shape':\s*\(\s*(\d+)\s*,?\s*\)/.exec(header)?.[1];
  const reader = READERS[type ?? ""];
  if (reader === undefined || length === undefined) {
    const known = Object.keys(READERS).join(", ");
    throw new FileFormatError(`${file} is no vector of numbers of type ${known}: its head is ${header.trim()}`, {
      file,
      header,
    });
  }
  const [size, read] = reader;
  if (bytes.length !== start + size * Number(length)) {
    throw new FileFormatError(`${file} should have ${start + size * Number(length)} bytes, but has ${bytes.length}`, {
      file,
      bytes: bytes.length,
    });
  }
  return Float64Array.from({ length: Number(length) }, (_, i) => read(view, start + size * i));
}
