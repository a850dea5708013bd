/** A stretch of addresses with bytes behind it. */
export interface Region {
  readonly name: string;
  /** Address of the first byte, a multiple of 4096. */
  readonly base: number;
  readonly end: number;
  readonly writable: boolean;
  /** A word that nobody has a reason to read: 0 for none. */
  readonly poison: number;
  readonly words: Int32Array;
  readonly view: DataView;
  /** If there is one: what stood in words, by their index, before something was stored there. */
  readonly journal: Map<number, number> | undefined;
}

export class MemoryFault extends Error {}

/** A region over bytes that belong to somebody else. Their number is a multiple of 4. */
export function regionOver(
  name: string,
  base: number,
  bytes: Uint8Array,
  options: Partial<Pick<Region, "writable" | "poison" | "journal">> = {},
): Region {
  const { writable = true, poison = 0, journal } = options;
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    name,
    base,
    end: base + byteLength,
    writable,
    poison,
    words: new Int32Array(buffer, byteOffset, byteLength / 4),
    view: new DataView(buffer, byteOffset, byteLength),
    journal,
  };
}

/** All that a program may touch. Addresses are numbers, below 2^53; whatever leaves a region throws MemoryFault. */
export class AddressSpace {
  readonly #regions: Region[];
  #last: Region;

  constructor(regions: readonly Region[]) {
    this.#regions = [...regions];
    this.#last = this.#regions[0]!;
  }

  add(region: Region): void {
    this.#regions.push(region);
  }

  find(address: number, bytes: number): Region {
    const last = this.#last;
    if (address >= last.base && address + bytes <= last.end) return last;
    for (const region of this.#regions) {
      if (address < region.base || address + bytes > region.end) continue;
      this.#last = region;
      return region;
    }
    throw new MemoryFault(`${bytes} bytes at 0x${address.toString(16)} lie outside: ${this.#describe(address)}`);
  }

  #describe(address: number): string {
    const near = this.#regions.toSorted((a, b) => distance(a, address) - distance(b, address))[0]!;
    return `${near.name} begins ${address - near.base} bytes before and ends ${near.end - address} bytes behind`;
  }

  /** Copies words to `target` from `at` on. */
  loadWords(address: number, count: number, target: Int32Array, at: number): void {
    const region = this.find(address, 4 * count);
    const offset = address - region.base;
    const { words, view, poison } = region;
    const aligned = (offset & 3) === 0;
    const first = offset >>> 2;
    for (let i = 0; i < count; i++) {
      const word = aligned ? words[first + i]! : view.getInt32(offset + 4 * i, true);
      if (word === poison && poison !== 0) this.#poisoned(address + 4 * i);
      target[at + i] = word;
    }
  }

  storeWords(address: number, count: number, source: Int32Array, at: number): void {
    const region = this.#forWriting(address, 4 * count);
    const offset = address - region.base;
    const { words, view } = region;
    if ((offset & 3) === 0) {
      const first = offset >>> 2;
      for (let i = 0; i < count; i++) words[first + i] = source[at + i]!;
    } else {
      for (let i = 0; i < count; i++) view.setInt32(offset + 4 * i, source[at + i]!, true);
    }
  }

  load32(address: number): number {
    const region = this.find(address, 4);
    const offset = address - region.base;
    const word = (offset & 3) === 0 ? region.words[offset >>> 2]! : region.view.getInt32(offset, true);
    if (word === region.poison && word !== 0) this.#poisoned(address);
    return word;
  }

  store32(address: number, value: number): void {
    const region = this.#forWriting(address, 4);
    region.view.setInt32(address - region.base, value, true);
  }

  /** One or two bytes, without sign. */
  loadShort(address: number, bytes: number): number {
    const region = this.find(address, bytes);
    const offset = address - region.base;
    return bytes === 1 ? region.view.getUint8(offset) : region.view.getUint16(offset, true);
  }

  storeShort(address: number, bytes: number, value: number): void {
    const region = this.#forWriting(address, bytes);
    const offset = address - region.base;
    if (bytes === 1) region.view.setUint8(offset, value);
    else region.view.setUint16(offset, value, true);
  }

  #forWriting(address: number, bytes: number): Region {
    const region = this.find(address, bytes);
    if (!region.writable) throw new MemoryFault(`a store into ${region.name}`);
    if (region.journal !== undefined) remember(region, region.journal, address - region.base, bytes);
    return region;
  }

  #poisoned(address: number): never {
    const region = this.find(address, 4);
    throw new MemoryFault(`a load from byte ${address - region.base} of ${region.name}, which is nobody's`);
  }
}

function remember({ words }: Region, journal: Map<number, number>, offset: number, bytes: number): void {
  for (let word = offset >>> 2; 4 * word < offset + bytes; word++)
    if (!journal.has(word)) journal.set(word, words[word]!);
}

function distance({ base, end }: Region, address: number): number {
  return address < base ? base - address : Math.max(0, address - end);
}
