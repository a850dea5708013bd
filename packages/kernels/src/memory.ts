import { MemoryLimitError, requireInteger } from "@logq/core";

/** A byte offset into a KernelMemory, in [0, 2^32). 0 stands for "none" where a kernel allows it: nothing is ever placed there. */
export type Address = number;

const PAGE_BYTES = 65536;

/** One WebAssembly memory holds at most 65,536 pages of 64 KiB: 4 GiB. */
export const MAX_MEMORY_BYTES = 65536 * PAGE_BYTES;

/**
 * One WebAssembly memory and the typed-array views over all of it. Its size never changes, so the views stay valid.
 * Shared memories can be posted to worker threads, where `KernelMemory.over` makes the views anew; nothing is copied.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly bytes: number;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;

  private constructor(memory: WebAssembly.Memory) {
    const buffer = memory.buffer;
    this.memory = memory;
    this.shared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
    this.bytes = buffer.byteLength;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Allocates a zeroed memory of at least `bytes` bytes. Throws MemoryLimitError if one memory cannot hold them. */
  static create(bytes: number, shared: boolean): KernelMemory {
    requireInteger("bytes", bytes, 0);
    if (bytes > MAX_MEMORY_BYTES) {
      throw new MemoryLimitError(`${bytes} bytes are needed, but one memory holds at most ${MAX_MEMORY_BYTES}`, {
        bytes,
        limit: MAX_MEMORY_BYTES,
      });
    }
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    try {
      return new KernelMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared }));
    } catch (cause) {
      throw new MemoryLimitError(
        `${bytes} bytes could not be allocated`,
        { bytes, limit: MAX_MEMORY_BYTES },
        { cause },
      );
    }
  }

  /** The views over a memory that was made elsewhere, in a worker for example. */
  static over(memory: WebAssembly.Memory): KernelMemory {
    return new KernelMemory(memory);
  }

  /** A float32 view of `count` elements at `address` (a multiple of 4). Shares the memory; makes garbage, so not for hot loops. */
  floats(address: Address, count: number): Float32Array {
    return this.f32.subarray(address >>> 2, (address >>> 2) + count);
  }

  /** An int32 view of `count` elements at `address` (a multiple of 4). */
  ints(address: Address, count: number): Int32Array {
    return this.i32.subarray(address >>> 2, (address >>> 2) + count);
  }

  /** A float64 view of `count` elements at `address` (a multiple of 8). */
  doubles(address: Address, count: number): Float64Array {
    return this.f64.subarray(address >>> 3, (address >>> 3) + count);
  }
}
