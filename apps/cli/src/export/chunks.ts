/** How much is written at a time: enough for speed, little enough to be interrupted. */
const CHUNK_BYTES = 1 << 22;

/** The bytes of an array, little-endian as the array itself (array files are read on no other machine). */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Views of `bytes`, one after another. */
export function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** Joins small pieces into chunks worth a write. */
export function* gathered(pieces: Iterable<string | Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    const chunk = typeof piece === "string" ? Buffer.from(piece, "utf8") : piece;
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < CHUNK_BYTES / 4) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
