import type { KernelMemory, Kernels } from "../../src/index.js";
import type { Backend } from "./backends.js";

/**
 * What stands wherever a kernel has no business: a NaN as float32, so that reading it shows. A signalling one, which arithmetic makes
 * quiet, so that even adding 0 to it shows.
 */
const SENTINEL = 0x7fa5a5a5;

const GUARD_BYTES = 96;

/** An operand in the memory: `rows` rows of `columns` elements, `ld` elements apart. */
export class Operand {
  readonly address: number;
  readonly rows: number;
  readonly columns: number;
  readonly ld: number;
  readonly #array: Float32Array | Float64Array | Int32Array;
  readonly #start: number;

  constructor(
    array: Float32Array | Float64Array | Int32Array,
    address: number,
    rows: number,
    columns: number,
    ld: number,
  ) {
    this.#array = array;
    this.#start = address / array.BYTES_PER_ELEMENT;
    this.address = address;
    this.rows = rows;
    this.columns = columns;
    this.ld = ld;
  }

  /** A copy of the elements, row-major without padding. */
  read(): Float64Array {
    const out = new Float64Array(this.rows * this.columns);
    for (let i = 0; i < this.rows; i++) {
      const row = this.#start + i * this.ld;
      out.set(this.#array.subarray(row, row + this.columns), i * this.columns);
    }
    return out;
  }

  write(values: ArrayLike<number>): void {
    if (values.length !== this.rows * this.columns) throw new Error("an operand keeps its size");
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) {
        this.#array[this.#start + i * this.ld + j] = values[i * this.columns + j]!;
      }
    }
  }
}

/**
 * A place to put operands for one call of a kernel. Everything outside the elements of an operand (before, after, and the padding
 * between its rows) holds sentinels, and `check` fails if one of them changed. Nothing starts as zeros.
 */
export class Bench {
  readonly kernels: Kernels;
  readonly memory: KernelMemory;
  #end: number;
  /** Word ranges [from, to) that must still hold sentinels. */
  readonly #guards: [number, number][] = [];

  constructor(backend: Backend) {
    this.kernels = backend.kernels;
    this.memory = backend.kernels.memory;
    this.#end = backend.base;
  }

  /** A float32 vector. It may start anywhere between vectors of 16 bytes. */
  vector(values: ArrayLike<number>): Operand {
    const address = this.#reserve(4 * values.length, 4 * (this.#guards.length % 4));
    return this.#fill(this.memory.f32, address, values, 1, values.length, values.length);
  }

  /** A float32 table or tile (rows, columns) on a multiple of 16 bytes; `padding` elements of sentinels follow each row but the last. */
  matrix(values: ArrayLike<number>, rows: number, columns: number, padding = 0): Operand {
    if (values.length !== rows * columns) throw new Error(`${values.length} values for ${rows} x ${columns}`);
    const ld = columns + padding;
    const address = this.#reserve(4 * Math.max(0, (rows - 1) * ld + columns), 0);
    for (let i = 0; i + 1 < rows; i++) this.#guard(address + 4 * (i * ld + columns), 4 * padding);
    return this.#fill(this.memory.f32, address, values, rows, columns, ld);
  }

  /** A matrix of `rows` x `columns` elements that a kernel is to write: sentinels for now. */
  output(rows: number, columns: number, padding = 0): Operand {
    const words = new Float32Array(rows * columns);
    new Uint32Array(words.buffer).fill(SENTINEL);
    return this.matrix(words, rows, columns, padding);
  }

  /** An int32 vector. */
  ints(values: ArrayLike<number>): Operand {
    const address = this.#reserve(4 * values.length, 4 * (this.#guards.length % 4));
    return this.#fill(this.memory.i32, address, values, 1, values.length, values.length);
  }

  /** A float64 vector. */
  doubles(values: ArrayLike<number>): Operand {
    const address = this.#reserve(8 * values.length, 8 * (this.#guards.length % 2));
    return this.#fill(this.memory.f64, address, values, 1, values.length, values.length);
  }

  /** `bytes` bytes on a multiple of 16, for packed operands and scratch. */
  bytes(bytes: number): number {
    return this.#reserve(bytes, 0);
  }

  /** Throws if anything was written outside the operands. */
  check(): void {
    for (const [from, to] of this.#guards) {
      for (let word = from; word < to; word++) {
        if (this.memory.u32[word] === SENTINEL) continue;
        throw new Error(
          `byte ${4 * word} was written: it lies outside every operand, ${4 * (word - from)} into a guard`,
        );
      }
    }
  }

  /** Space for `bytes` bytes, `offset` beyond a multiple of 16, between guards. */
  #reserve(bytes: number, offset: number): number {
    const address = Math.ceil((this.#end + GUARD_BYTES) / 16) * 16 + offset;
    const size = Math.ceil(bytes / 4) * 4;
    const end = address + size + GUARD_BYTES;
    if (end > this.memory.bytes) throw new Error("the bench is full");
    this.memory.u32.fill(SENTINEL, this.#end >>> 2, end >>> 2);
    this.#guard(this.#end, address - this.#end);
    this.#guard(address + size, GUARD_BYTES);
    this.#end = end;
    return address;
  }

  #guard(address: number, bytes: number): void {
    if (bytes > 0) this.#guards.push([address >>> 2, (address + bytes) >>> 2]);
  }

  #fill(
    array: Float32Array | Float64Array | Int32Array,
    address: number,
    values: ArrayLike<number>,
    rows: number,
    columns: number,
    ld: number,
  ): Operand {
    const operand = new Operand(array, address, rows, columns, ld);
    operand.write(values);
    return operand;
  }
}

/** Runs `use` on a fresh bench and checks the guards afterwards. */
export function onBench<T>(backend: Backend, use: (bench: Bench) => T): T {
  const bench = new Bench(backend);
  const result = use(bench);
  bench.check();
  return result;
}
