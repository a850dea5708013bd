import type { Address } from "@logq/kernels";
import { fillUniform, uniforms } from "../data.js";
import type { KernelSpec } from "./kernel-group.js";

interface SortAddresses {
  readonly keys: Address;
  readonly values: Address;
  readonly source: Address;
  readonly scratch: Address;
}

/** The stable sort of (id, row) pairs by id that builds the segments of a batch. Ids are in [0, n). */
export function sortSpec(count: number, n: number): KernelSpec<SortAddresses> {
  const ids = () => {
    const next = uniforms(11);
    return Int32Array.from({ length: count }, () => Math.floor(n * next()));
  };
  return {
    name: `radix sort, ${count} pairs, ids below ${n}`,
    work: { bytes: 16 * count, items: { name: "pair", count } },
    tolerance: {},
    layout: (plan, sizes) => ({
      keys: plan.reserve("keys", 4 * count),
      values: plan.reserve("values", 4 * count),
      source: plan.reserve("source", 4 * count),
      scratch: plan.reserve("scratch", sizes.sortScratch(count)),
    }),
    bind(kernels, at) {
      const { memory } = kernels;
      memory.ints(at.source, count).set(ids());
      return {
        before() {
          memory.i32.copyWithin(at.keys >>> 2, at.source >>> 2, (at.source >>> 2) + count);
          for (let i = 0; i < count; i++) memory.i32[(at.values >>> 2) + i] = i;
        },
        run: () => kernels.indices.sortPairs(at.keys, at.values, count, n - 1, at.scratch),
        result: () => [...memory.ints(at.keys, count), ...memory.ints(at.values, count)],
      };
    },
    expected() {
      const keys = ids();
      const order = Array.from(keys, (_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
      return [...order.map((i) => keys[i]!), ...order];
    },
  };
}

interface TopKAddresses {
  readonly z: Address;
  readonly values: Address;
  readonly ids: Address;
}

/** The k best of n classes for each of B rows, offered in tiles of `tile` classes as an evaluation does. */
export function topKSpec({
  n,
  B,
  k,
  tile,
}: {
  n: number;
  B: number;
  k: number;
  tile: number;
}): KernelSpec<TopKAddresses> {
  const logits = (out: Float32Array = new Float32Array(n * B)) => fillUniform(out, 12, -8, 8);
  return {
    name: `top ${k} of ${n} classes, ${B} rows`,
    work: { bytes: 4 * n * B, items: { name: "logit", count: n * B } },
    tolerance: {},
    layout: (plan) => ({
      z: plan.reserve("z", 4 * n * B),
      values: plan.reserve("values", 4 * B * k),
      ids: plan.reserve("ids", 4 * B * k),
    }),
    bind(kernels, at) {
      const { memory } = kernels;
      logits(memory.floats(at.z, n * B));
      return {
        run() {
          kernels.tile.clearTopK(at.values, at.ids, k, B);
          for (let first = 0; first < n; first += tile) {
            const C = Math.min(tile, n - first);
            kernels.tile.topK(at.values, at.ids, k, at.z + 4 * first * B, B, C, B, 1, 0, 0, first, 1);
          }
        },
        result: () => [...memory.floats(at.values, B * k), ...memory.ints(at.ids, B * k)],
      };
    },
    expected() {
      const z = logits();
      const ids: number[] = [];
      for (let r = 0; r < B; r++) {
        const order = Array.from({ length: n }, (_, c) => c);
        order.sort((a, b) => z[b * B + r]! - z[a * B + r]! || a - b);
        ids.push(...order.slice(0, k));
      }
      return [...ids.map((id, i) => z[id * B + Math.floor(i / k)]!), ...ids];
    },
  };
}
