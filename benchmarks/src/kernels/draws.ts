import { buildAliasTable, drawAlias, KeyedPermutation, portableExp, RandomStream, STREAM } from "@logq/core";
import { type Address, ALIAS_RECORD_BYTES, type DrawAddress } from "@logq/kernels";
import { uniforms } from "../data.js";
import type { KernelSpec } from "./kernel-group.js";

const KEY = { low: 13, high: 14 };

/** Of one step in every run, so that what is read lies as near as it comes. */
const DRAW: DrawAddress = { key: KEY, stream: STREAM.candidates, step: 1, item: 0 };

/** What `law` makes of both uniforms of each pair of the draw. */
function drawnBy(count: number, law: (u1: number, u2: number) => number): number[] {
  const random = new RandomStream(DRAW.key, DRAW.stream, DRAW.step, DRAW.item);
  return Array.from({ length: count }, (_, i) => law(random.uniform(2 * i), random.uniform(2 * i + 1)));
}

interface AliasAddresses {
  readonly ids: Address;
  readonly table: Address;
  readonly scratch: Address;
}

/** `count` draws from an alias table of n classes with random weights. */
export function aliasSpec(n: number, count: number): KernelSpec<AliasAddresses> {
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
        run: () => draws.aliasIds(at.ids, count, at.table, n, DRAW, 0, at.scratch),
        result: () => [...memory.ints(at.ids, count)],
      };
    },
    expected() {
      const law = table();
      return drawnBy(count, (u1, u2) => drawAlias(law, u1, u2));
    },
  };
}

/** ⌊e^(u·log(n + 1))⌋ − 1, but 0 for n. */
function drawLogUniform(n: number): (u: number) => number {
  const logRange = Math.log(n + 1);
  return (u) => (Math.floor(portableExp(u * logRange)) - 1) % n;
}

/** `count` draws of the log-uniform law over n classes. */
export function logUniformSpec(n: number, count: number): KernelSpec<{ readonly ids: Address }> {
  return {
    name: `log-uniform over ${n} classes, ${count} draws`,
    work: { items: { name: "draw", count } },
    tolerance: {},
    layout: (plan) => ({ ids: plan.reserve("ids", 4 * count) }),
    bind: ({ draws, memory }, { ids }) => ({
      run: () => draws.logUniformIds(ids, count, n, Math.log(n + 1), DRAW, 0),
      result: () => [...memory.ints(ids, count)],
    }),
    expected: () => drawnBy(count, drawLogUniform(n)),
  };
}

interface LogAddresses {
  readonly out: Address;
  readonly ids: Address;
}

/** The log Q of classes that were drawn so, but for its constant. */
export function logUniformLogsSpec(n: number, count: number): KernelSpec<LogAddresses> {
  const ids = () => drawnBy(count, drawLogUniform(n));
  return {
    name: `log Q of log-uniform over ${n} classes, ${count} draws`,
    work: { items: { name: "draw", count } },
    tolerance: { relative: 1.2e-7, absolute: 1e-7 },
    layout: (plan) => ({ out: plan.reserve("out", 4 * count), ids: plan.reserve("ids", 4 * count) }),
    bind({ draws, memory }, at) {
      memory.ints(at.ids, count).set(ids());
      return {
        run: () => draws.logUniformLogs(at.out, at.ids, count, 0),
        result: () => [...memory.floats(at.out, count)],
      };
    },
    expected: () => ids().map((id) => Math.log(Math.log1p(1 / (id + 1)))),
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
