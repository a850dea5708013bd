const HEADER_BYTES = 8;
const DATA_SECTION = 11;

/** Unsigned LEB128 at `at`: [value, next position]. */
function readUnsigned(bytes, at) {
  let value = 0;
  let scale = 1;
  let position = at;
  for (;;) {
    const byte = bytes[position++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, position];
    scale *= 128;
  }
}

/** How many data segments a WebAssembly binary has: what it would write into its memory when it is instantiated. */
export function dataSegmentCount(bytes) {
  let position = HEADER_BYTES;
  while (position < bytes.length) {
    const section = bytes[position];
    const [size, start] = readUnsigned(bytes, position + 1);
    if (section === DATA_SECTION) return readUnsigned(bytes, start)[0];
    position = start + size;
  }
  return 0;
}
