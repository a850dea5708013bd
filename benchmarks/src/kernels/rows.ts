import type { Address, Kernels } from "@logq/kernels";
import { distinctIds, fillUniform } from "../data.js";
import { type KernelSpec, readRows } from "./kernel-group.js";

/** `count` random rows of a table (n, D). */
export interface RowsShape {
  readonly n: number;
  readonly D: number;
  readonly count: number;
}

/** Lists of rows that runs take in turn: together more rows than a cache holds, as the steps of a run touch them. */
const LISTS = 64;

interface RowAddresses {
  readonly table: Address;
  readonly block: Address;
  readonly indices: Address;
}

/** Gather into a block, and scatter back. */
export function rowSpecs(shape: RowsShape): KernelSpec<RowAddresses>[] {
  const { n, D, count } = shape;
  const size = `${count} of ${n} rows, D = ${D}`;
  const work = { bytes: 8 * count * D, items: { name: "row", count } };
  const layout: KernelSpec<RowAddresses>["layout"] = (plan) => ({
    table: plan.reserve("table", 4 * n * D),
    block: plan.reserve("block", 4 * count * D),
    indices: plan.reserve("indices", 4 * count * LISTS),
  });
  return [
    {
      name: `gather, ${size}`,
      work,
      tolerance: {},
      layout,
      bind(kernels, at) {
        fillTable(kernels, at.table, shape);
        const next = turns(kernels, at.indices, shape);
        return {
          run: () => kernels.rows.gatherRows(at.block, D, at.table, D, next(), count, D),
          result: () => readRows(kernels, at.block, count, D, D),
        };
      },
      expected() {
        const list = distinctIds(count, n, FIRST_SEED);
        return Float64Array.from({ length: count * D }, (_, i) => cell(list[Math.floor(i / D)]!, i % D));
      },
    },
    {
      name: `scatter, ${size}`,
      work,
      tolerance: {},
      layout,
      bind(kernels, at) {
        fillTable(kernels, at.table, shape);
        fillUniform(kernels.memory.floats(at.block, count * D), 8, -1, 1);
        const next = turns(kernels, at.indices, shape);
        const list = distinctIds(count, n, FIRST_SEED);
        return {
          run: () => kernels.rows.scatterRows(at.table, D, next(), at.block, D, count, D),
          result: () => {
            const rows = new Float32Array(count * D);
            list.forEach((row, j) => {
              rows.set(kernels.memory.floats(at.table + 4 * D * row, D), j * D);
            });
            return rows;
          },
        };
      },
      expected: () => fillUniform(new Float32Array(count * D), 8, -1, 1),
    },
  ];
}

const FIRST_SEED = 100;

/** What the table holds: exact in float32 for n < 2^23, and no two rows are alike. */
function cell(row: number, d: number): number {
  return d === 0 ? row : d / 8;
}

function fillTable({ memory }: Kernels, table: Address, { n, D }: RowsShape): void {
  const values = memory.floats(table, n * D);
  for (let d = 0; d < D; d++) values[d] = cell(0, d);
  for (let done = D; done < n * D; done *= 2) values.copyWithin(done, 0, Math.min(done, n * D - done));
  for (let row = 0; row < n; row++) values[row * D] = cell(row, 0);
}

/** Writes the lists; answers whose turn it is, list 0 first. */
function turns({ memory }: Kernels, indices: Address, { count, n }: RowsShape): () => Address {
  for (let list = 0; list < LISTS; list++) {
    memory.ints(indices + 4 * count * list, count).set(distinctIds(count, n, FIRST_SEED + list));
  }
  let turn = -1;
  return () => {
    turn = (turn + 1) % LISTS;
    return indices + 4 * count * turn;
  };
}
