import { buildAliasTable, drawAlias, KeyedPermutation, RandomStream, STREAM } from "@logq/core";
import { type Address, ALIAS_RECORD_BYTES, type DrawAddress } from "@logq/kernels";
import { uniforms } from "../data.js";
import type { KernelSpec } from "./kernel-group.js";

const KEY = { low: 13, high: 14 };

interface AliasAddresses {
  readonly ids: Address;
  readonly table: Address;
  readonly scratch: Address;
}

/** `count` draws from an alias table of n classes with random weights: of one step in every run, so that the records are as near as they come. */
export function aliasSpec(n: number, count: number): KernelSpec<AliasAddresses> {
  const draw: DrawAddress = { key: KEY, stream: STREAM.candidates, step: 1, item: 0 };
  const table = () => {
    const next = uniforms(15);
    return buildAliasTable(Float64Array.from({ length: n }, () => next() ** 4));
  };
  return {
    name: `alias table of ${n} classes, ${count} draws`,
    work: { items: { name: "draw", count } },
    tolerance: {},
    layout: (plan, sizes) => ({
      ids: plan.reserve("ids", 4 * count),
      table: plan.reserve("table", ALIAS_RECORD_BYTES * n),
      scratch: plan.reserve("scratch", sizes.drawScratch),
    }),
    bind({ draws, memory }, at) {
      const { threshold, alias } = table();
      for (let id = 0; id < n; id++) {
        const record = at.table + ALIAS_RECORD_BYTES * id;
        memory.f64[record / 8] = threshold[id]!;
        memory.i32[record / 4 + 4] = alias[id]!;
      }
      return {
        run: () => draws.aliasIds(at.ids, count, at.table, n, draw, 0, at.scratch),
        result: () => [...memory.ints(at.ids, count)],
      };
    },
    expected() {
      const law = table();
      const random = new RandomStream(draw.key, draw.stream, draw.step, draw.item);
      return Array.from({ length: count }, (_, i) => drawAlias(law, random.uniform(2 * i), random.uniform(2 * i + 1)));
    },
  };
}

interface PermutedAddresses {
  readonly out: Address;
  readonly scratch: Address;
}

/** Where a keyed permutation of `size` examples sends `count` positions: the examples of a batch. */
export function permutedSpec(size: number, count: number): KernelSpec<PermutedAddresses> {
  const permutation = new KeyedPermutation(size, KEY, 1);
  return {
    name: `keyed permutation of ${size}, ${count} positions`,
    work: { items: { name: "position", count } },
    tolerance: {},
    layout: (plan) => ({ out: plan.reserve("out", 4 * count), scratch: plan.reserve("scratch", 4 * count) }),
    bind: ({ draws, memory }, at) => ({
      run: () => draws.permuted(at.out, count, permutation, 0, at.scratch),
      result: () => [...memory.ints(at.out, count)],
    }),
    expected: () => Array.from({ length: count }, (_, i) => permutation.at(i)),
  };
}
