import type { Address, Kernels } from "@logq/kernels";
import type { SumArea } from "./areas.js";
import { EXCHANGE_ROWS, type PlacedTable } from "./placed-table.js";
import type { TableRows } from "./table-rows.js";

/** Weighted sums of rows that kernels cannot read in place: rows are copied first, then summed in the order in which they are listed. */
export class CopiedSums {
  readonly #kernels: Kernels;
  readonly #table: PlacedTable;
  readonly #source: Pick<TableRows, "gather">;
  readonly #area: SumArea;

  /** @param kernels over the main memory */
  constructor(kernels: Kernels, table: PlacedTable, source: Pick<TableRows, "gather">, area: SumArea) {
    this.#kernels = kernels;
    this.#table = table;
    this.#source = source;
    this.#area = area;
    const { i32 } = kernels.memory;
    for (let j = 0; j < area.capacity; j++) i32[(area.identity >>> 2) + j] = j;
  }

  /** `weightedRowSums` from the table. */
  add(
    out: Address,
    ldOut: number,
    offsets: Address,
    indices: Address,
    weights: Address,
    count: number,
    accumulate: boolean,
  ): void {
    for (let u = 0; u < count; ) {
      const some = this.#listsThatFit(offsets + 4 * u, count - u);
      this.#addSome(out + 4 * ldOut * u, ldOut, offsets + 4 * u, indices, weights, some, accumulate);
      u += some;
    }
  }

  /** At least one: the longest fits. */
  #listsThatFit(offsets: Address, count: number): number {
    const { i32 } = this.#kernels.memory;
    const at = offsets >>> 2;
    const most = Math.min(count, EXCHANGE_ROWS);
    let some = 1;
    while (some < most && i32[at + some + 1] - i32[at] <= this.#area.capacity) some++;
    return some;
  }

  #addSome(
    out: Address,
    ldOut: number,
    offsets: Address,
    indices: Address,
    weights: Address,
    count: number,
    accumulate: boolean,
  ): void {
    const { memory, rows: kernels } = this.#kernels;
    const { ld, columns } = this.#table;
    const { rows, identity, offsets: ownOffsets } = this.#area;
    const from = offsets >>> 2;
    const first = memory.i32[from];
    for (let u = 0; u <= count; u++) memory.i32[(ownOffsets >>> 2) + u] = memory.i32[from + u] - first;
    this.#source.gather(rows, ld, indices + 4 * first, memory.i32[from + count] - first);
    const own = weights === 0 ? 0 : weights + 4 * first;
    kernels.weightedRowSums(out, ldOut, rows, ld, ownOffsets, identity, own, count, columns, accumulate);
  }
}
