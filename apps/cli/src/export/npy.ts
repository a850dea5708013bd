import { bytesOf, slices } from "./chunks.js";
import type { ExportTable } from "./tables.js";

/** The array must begin at a multiple of this, so that readers can map the file into memory. */
const ALIGNMENT = 64;
/** Magic, version 1.0, and the length of the header in two bytes. */
const PREFIX = 10;

/** NumPy's format .npy, version 1.0: little-endian float32 in C order. NEP 1, "A Simple File Format for NumPy Arrays". */
export function* npyChunks({ shape, values }: ExportTable): Generator<Uint8Array> {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padding = (ALIGNMENT - ((PREFIX + dictionary.length + 1) % ALIGNMENT)) % ALIGNMENT;
  const header = `${dictionary}${" ".repeat(padding)}\n`;
  const head = Buffer.alloc(PREFIX + header.length);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(header.length, 8);
  head.write(header, PREFIX, "latin1");
  yield head;
  yield* slices(bytesOf(values));
}
