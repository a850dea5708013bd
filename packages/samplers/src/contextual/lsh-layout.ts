import { type Address, MemoryPlan } from "@logq/kernels";
import { type ValidLshOptions, WINNER_BIN, WINNER_BITS } from "./lsh-options.js";
import { GENERATIONS_BYTES } from "./midx-generations.js";
import { packedBytes } from "./midx-layout.js";
import { type ContextualPlan, MAX_CONTEXTS } from "./types.js";

/** Classes of a unit of a refresh. */
export const UNIT_CLASSES = 512;

/** One of the two copies of the hash tables. T tables of C = 2^bits buckets. */
export interface BucketsLayout {
  /** (n, T) uint16: the bucket of each class in each table. */
  readonly codes: Address;
  /** (T, n) int32: the classes of each table by bucket, within a bucket by id. */
  readonly members: Address;
  /** (T, n) uint32, of weighted classes: for each member the sum of weights of its bucket so far, its own included. */
  readonly running: Address;
  /** (T, C + 1) int32: where each bucket begins. */
  readonly offsets: Address;
}

/** Where everything of the shared table lies. */
export interface LshTable {
  readonly header: Address;
  /** simhash: (T·bits, D) float32 projections; winner-take-all: (T·bits/3, 8) int32 coordinates. */
  readonly functions: Address;
  /** simhash: the projections, packed as a right operand (D, T·bits). */
  readonly packed: Address;
  readonly buckets: readonly [BucketsLayout, BucketsLayout];
  /** (T, C) int32: classes of each bucket so far, then where its next class goes. */
  readonly cursors: Address;
  /** Of weighted classes: (n) uint32, running sums of their weights. */
  readonly running: Address;
}

/** Where everything of a thread's scratch lies. */
export interface LshScratch {
  /** (UNIT_CLASSES, D) float32. */
  readonly rows: Address;
  /** simhash: (UNIT_CLASSES, T·bits) float32. */
  readonly products: Address;
  /** slide: (n) uint8 zeros between draws, how many tables found a class; (n) int32, the classes found. */
  readonly found: Address;
  readonly list: Address;
}

/** The regions of the table, as addresses from `base` on, and its bytes. */
export function lshTable(options: ValidLshOptions, n: number, D: number, base: Address): [LshTable, number] {
  const { tables, bits, hash, classFactor } = options;
  const plan = new MemoryPlan();
  const reserve = (name: string, bytes: number) => base + plan.reserve(name, bytes);
  const C = 2 ** bits;
  const simhash = hash === "simhash";
  const weighted = classFactor === "unigram";
  const buckets = (): BucketsLayout => ({
    codes: reserve("codes", 2 * n * tables),
    members: reserve("members", 4 * n * tables),
    running: reserve("running sums of buckets", weighted ? 4 * n * tables : 0),
    offsets: reserve("offsets", 4 * tables * (C + 1)),
  });
  const table: LshTable = {
    header: reserve("header", GENERATIONS_BYTES),
    functions: reserve(
      "hash functions",
      simhash ? 4 * tables * bits * D : 4 * tables * (bits / WINNER_BITS) * WINNER_BIN,
    ),
    packed: reserve("packed projections", simhash ? packedBytes(D, tables * bits) : 0),
    buckets: [buckets(), buckets()],
    cursors: reserve("cursors", 4 * tables * C),
    running: reserve("running sums", weighted ? 4 * n : 0),
  };
  return [table, roundUp(plan.bytes)];
}

/** The regions of a thread's scratch, and its bytes. */
export function lshScratch(options: ValidLshOptions, n: number, D: number, base: Address): [LshScratch, number] {
  const { tables, bits, hash, candidates } = options;
  const plan = new MemoryPlan();
  const reserve = (name: string, bytes: number) => base + plan.reserve(name, bytes);
  const slide = candidates === "slide";
  const scratch: LshScratch = {
    rows: reserve("rows", 4 * UNIT_CLASSES * D),
    products: reserve("products", hash === "simhash" ? 4 * Math.max(UNIT_CLASSES, MAX_CONTEXTS) * tables * bits : 0),
    found: reserve("found", slide ? n : 0),
    list: reserve("list", slide ? 4 * n : 0),
  };
  return [scratch, roundUp(plan.bytes)];
}

export function lshPlan(options: ValidLshOptions, n: number, D: number): ContextualPlan {
  return { tableBytes: lshTable(options, n, D, 0)[1], scratchBytes: lshScratch(options, n, D, 0)[1] };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
