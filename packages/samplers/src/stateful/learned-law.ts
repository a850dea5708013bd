import { type AliasTable, buildAliasTable, drawAlias, SamplerError } from "@logq/core";
import type { Law } from "../types.js";
import { CountTree } from "./count-tree.js";
import { LEARNED_CLOCK, type LearnedAlias, type LearnedTables } from "./learned-tables.js";

/** How a structure answers draws from the counts and follows them. */
interface CountIndex {
  /** @param total Σ counts */
  draw(total: number, u1: number, u2: number): number;
  /** Takes in targets that are in the counts already. */
  follow(ids: Int32Array, from: number, to: number): void;
  /** Makes everything anew from the counts, O(n). */
  rebuild(): void;
}

/**
 * The unigram law of counts that grow: p(id) = count/Σ counts, count = initial + increment·(targets observed), as TensorFlow's
 * LearnedUnigramCandidateSampler has it (range_sampler.cc, UnigramSampler). Counts are whole numbers in float64, so that p is the quotient of two
 * exact numbers. It is the law of the counts as they are now: values change with every observation.
 *
 * A uniform has 2^53 values, so a class is drawn with its probability to within total/(count·2^53), relative.
 */
export class LearnedLaw implements Law {
  readonly name = "unigram";
  readonly n: number;
  readonly support: number;
  readonly #tables: LearnedTables;
  readonly #index: CountIndex;

  constructor(tables: LearnedTables) {
    this.n = tables.n;
    this.support = tables.n;
    this.#tables = tables;
    this.#index = tables.alias === null ? new TreeIndex(tables) : new AliasIndex(tables, tables.alias);
  }

  get total(): number {
    return this.#tables.clock[LEARNED_CLOCK.total];
  }

  probability(id: number): number {
    return this.#tables.counts[id] / this.total;
  }

  logProbability(id: number): number {
    return Math.log(this.#tables.counts[id] / this.total);
  }

  draw(u1: number, u2: number): number {
    return this.#index.draw(this.total, u1, u2);
  }

  /** Adds the checked targets ids[from .. to). @throws SamplerError before the total would leave the exact numbers */
  observe(ids: Int32Array, from: number, to: number): void {
    const { counts, clock, spec } = this.#tables;
    const total = this.total + spec.increment * (to - from);
    requireExact(total);
    for (let i = from; i < to; i++) counts[ids[i]] += spec.increment;
    clock[LEARNED_CLOCK.total] = total;
    this.#index.follow(ids, from, to);
  }

  /** Makes sums and tables anew from the counts, and the journal's targets where there is one. O(n). @throws SamplerError */
  rebuild(): void {
    let total = 0;
    for (let id = 0; id < this.n; id++) total += this.#tables.counts[id];
    requireExact(total);
    this.#tables.clock[LEARNED_CLOCK.total] = total;
    this.#index.rebuild();
  }
}

/** x = u·total lies below the total after rounding, since the total is below 2^53. */
class TreeIndex implements CountIndex {
  readonly #tree: CountTree;
  readonly #increment: number;

  constructor({ counts, tree, spec }: LearnedTables) {
    this.#tree = new CountTree(counts, tree!);
    this.#increment = spec.increment;
  }

  draw(total: number, u1: number, _u2: number): number {
    return this.#tree.find(u1 * total);
  }

  follow(ids: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#tree.add(ids[i], this.#increment);
  }

  rebuild(): void {
    this.#tree.rebuild();
  }
}

/**
 * The counts are those of an alias table plus one increment for each target noted since it was built. A draw falls into the first part with its share
 * of the total and draws from the table, or else takes one of the noted targets: together the law of the counts as they are, not as they were.
 */
class AliasIndex implements CountIndex {
  readonly #tables: LearnedTables;
  readonly #table: AliasTable;
  readonly #journal: Int32Array;

  constructor(tables: LearnedTables, alias: LearnedAlias) {
    this.#tables = tables;
    this.#table = alias;
    this.#journal = alias.journal;
  }

  draw(total: number, u1: number, u2: number): number {
    const { clock, spec } = this.#tables;
    const noted = clock[LEARNED_CLOCK.noted];
    const built = total - spec.increment * noted;
    const x = u1 * total;
    if (x < built) return drawAlias(this.#table, x / built, u2);
    return this.#journal[Math.min(noted - 1, Math.floor((x - built) / spec.increment))];
  }

  follow(ids: Int32Array, from: number, to: number): void {
    const { clock } = this.#tables;
    const noted = clock[LEARNED_CLOCK.noted];
    if (noted + to - from > this.#journal.length) {
      clock[LEARNED_CLOCK.noted] = 0;
      this.rebuild();
      return;
    }
    for (let i = from; i < to; i++) this.#journal[noted + i - from] = ids[i];
    clock[LEARNED_CLOCK.noted] = noted + to - from;
  }

  rebuild(): void {
    const { counts, clock, spec, n } = this.#tables;
    const built = counts.slice(0, n);
    for (let i = 0; i < clock[LEARNED_CLOCK.noted]; i++) built[this.#journal[i]] -= spec.increment;
    const { threshold, alias } = buildAliasTable(built);
    (this.#table.threshold as Float64Array).set(threshold);
    (this.#table.alias as Int32Array).set(alias);
  }
}

function requireExact(total: number): void {
  if (total <= Number.MAX_SAFE_INTEGER) return;
  throw new SamplerError(`counts would sum to ${total}; above 2^53 − 1 sums are no longer exact`, { total });
}
