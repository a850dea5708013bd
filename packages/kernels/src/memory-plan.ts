import { MemoryLimitError, requireInteger } from "@logq/core";
import { type Address, KernelMemory, MAX_MEMORY_BYTES } from "./memory.js";

/** A cache line: regions start on one, so that two regions never share a line between writers. */
const ALIGNMENT = 64;

/** The first line stays unused, so that address 0 can mean "none". */
const FIRST_ADDRESS = ALIGNMENT;

/** A named piece of a planned memory. */
export interface Region {
  readonly name: string;
  readonly address: Address;
  readonly bytes: number;
}

/**
 * Lays out one memory before it exists: reserve every region, look at the sum, then allocate once.
 * Addresses are known as soon as a region is reserved and are the same in every thread.
 */
export class MemoryPlan {
  readonly regions: Region[] = [];
  #end = FIRST_ADDRESS;

  /** The bytes that `allocate` will ask for. */
  get bytes(): number {
    return this.#end;
  }

  /** Reserves `bytes` bytes on a cache line and answers their address. Contents start as zeros. */
  reserve(name: string, bytes: number): Address {
    requireInteger(`bytes of ${name}`, bytes, 0);
    const address = this.#end;
    this.regions.push({ name, address, bytes });
    this.#end = address + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return address;
  }

  /** Throws MemoryLimitError, with every region's size, if the plan does not fit `limit` bytes. */
  requireFits(limit = MAX_MEMORY_BYTES): void {
    if (this.#end <= limit) return;
    const largest = [...this.regions].sort((a, b) => b.bytes - a.bytes).slice(0, 4);
    const list = largest.map((region) => `${region.name} ${region.bytes}`).join(", ");
    throw new MemoryLimitError(`${this.#end} bytes are needed, but at most ${limit} fit; the largest parts: ${list}`, {
      bytes: this.#end,
      limit,
      regions: this.regions,
    });
  }

  allocate(shared: boolean): KernelMemory {
    this.requireFits();
    return KernelMemory.create(this.#end, shared);
  }
}
