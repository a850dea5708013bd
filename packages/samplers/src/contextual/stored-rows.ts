import type { Key } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";
import { MATRIX, orthogonalRows } from "./orthogonal-rows.js";
import type { RowStore } from "./row-store.js";
import type { ClassReader } from "./types.js";

/** Where the class rows of a block lie after `StoredRows.read`; the same twice without projection. */
export interface BlockRows {
  /** (classes, D), as they were read. */
  whole: Address;
  ldWhole: number;
  /** (classes, r), of rows as they were read. */
  projected: Address;
  ldProjected: number;
}

/**
 * The rows (n, width) that blocks are scored by: copies of class rows w, or their projections Pw. P (r, D) has orthogonal rows of length √(D/r) in directions
 * that are uniform, so that ⟨Ph, Pw⟩ has the mean ⟨h, w⟩.
 */
export class StoredRows {
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #store: RowStore;
  readonly #read: BlockRows = { whole: 0, ldWhole: 0, projected: 0, ldProjected: 0 };

  constructor(kernels: Kernels, layout: TreeLayout, store: RowStore) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#store = store;
  }

  /** Writes the projection, if there is one. */
  prepare(key: Key): void {
    const { r, D, table } = this.#layout;
    if (table.projection === 0) return;
    writeMatrix(this.#kernels, this.#layout, table.projection, r, {
      rows: orthogonalRows(key, MATRIX.projection, r, D, true),
      scale: 1 / Math.sqrt(r),
      packed: table.packedProjection,
    });
  }

  /** Stores the rows of a block. The answer is valid until the next call. */
  read(block: number, reader: ClassReader): BlockRows {
    const { D, ldD, ldR, width, shape, table, scratch } = this.#layout;
    const first = block * shape.block;
    const count = shape.classesOf(block);
    const stored = this.#store.place(block);
    const storesWhole = width === D;
    const read = this.#read;
    read.whole = storesWhole ? stored : scratch.classRows;
    read.ldWhole = ldD;
    reader.readRows(first, count, read.whole, ldD);
    if (table.projection === 0) {
      read.projected = read.whole;
      read.ldProjected = ldD;
    } else {
      read.projected = storesWhole ? scratch.classRows : stored;
      read.ldProjected = ldR;
      this.#project(read, count);
    }
    this.#store.keep(block);
    return read;
  }

  #project({ whole, ldWhole, projected, ldProjected }: BlockRows, count: number): void {
    const { D, r, table } = this.#layout;
    const { packedProjection } = table;
    this.#kernels.matrix.multiply(projected, ldProjected, whole, ldWhole, 1, packedProjection, count, D, r, false);
  }

  /** Writes what stored rows are multiplied with for a context, h or Ph, and answers where Ph lies until the next call. */
  query(hidden: Address, out: Address): Address {
    const { D, r, ldD, width, table, scratch } = this.#layout;
    const { memory, rows } = this.#kernels;
    if (width === D) memory.f32.copyWithin(out >>> 2, hidden >>> 2, (hidden >>> 2) + D);
    if (table.projection === 0) return out;
    const projected = width === D ? scratch.projected : out;
    rows.pairDots(projected, table.projection, ldD, 0, hidden, 0, 0, r, D);
    return projected;
  }
}

/** Writes a matrix (count, D), float32, and its transpose as a packed right operand. */
export function writeMatrix(
  { memory, matrix }: Kernels,
  { D, ldD }: TreeLayout,
  address: Address,
  count: number,
  { rows, scale, packed }: { rows: Float64Array; scale: number; packed: Address },
): void {
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < D; d++) memory.f32[(address >>> 2) + i * ldD + d] = scale * rows[i * D + d];
  }
  matrix.packRightTransposed(packed, address, ldD, D, count);
}
