import { MemoryLimitError } from "@logq/core";

/** A buffer that worker threads see without a copy, or a plain one where there is no shared memory (browsers without isolation). */
function allocate(bytes: number): ArrayBufferLike {
  try {
    return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new MemoryLimitError(`${bytes} bytes for a sampler's table could not be allocated`, { bytes }, { cause });
  }
}

/** A (length) float64 table in shared memory, zeros or a copy of `values`. @throws MemoryLimitError */
export function shareFloats(length: number, values?: ArrayLike<number>): Float64Array {
  const table = new Float64Array(allocate(8 * length));
  if (values !== undefined) table.set(values);
  return table;
}

/** A (length) int32 table in shared memory, zeros or a copy of `values`. @throws MemoryLimitError */
export function shareInts(length: number, values?: ArrayLike<number>): Int32Array {
  const table = new Int32Array(allocate(4 * length));
  if (values !== undefined) table.set(values);
  return table;
}
