import { type AliasTable, buildAliasTable, drawAlias, type Key } from "@logq/core";
import { drawTopics, TOPICS_OF } from "./context-law.js";
import type { ParsedSyntheticOptions } from "./options.js";

/** What the law depends on. */
export type ClassLawOptions = Pick<ParsedSyntheticOptions, "classes" | "topics" | "exponent" | "boost">;

/**
 * The law of the classes given a topic, p(c | k) ∝ (rank(c)+1)^−s · (home(c) = k ? boost : 1), kept as a product of two small
 * laws: p(c | k) = P(home j | k) · P(c | home j), where only the first depends on k. So K tilted laws over n classes need one table of
 * K² and one of n entries instead of K·n (26 bytes a class), a draw is two alias draws, and every entropy is a sum over topics.
 */
export class ClassLaw {
  readonly topics: number;
  readonly #exponent: number;
  /** (n), the topic that favours each class. */
  readonly #home: Uint16Array;
  /** (n), 0 for the class of the greatest Zipf weight. */
  readonly #rank: Int32Array;
  /** (K+1) and (n): the classes of each home, ascending. */
  readonly #begin: Int32Array;
  readonly #members: Int32Array;
  /** (K), draws the place of a class among those of its home; undefined for a home of none. */
  readonly #withinHome: readonly (AliasTable | undefined)[];
  /** (K), draws a home, given the topic. */
  readonly #homeOf: readonly AliasTable[];
  /** (K, K), P(home j | topic k) at k·K + j. */
  readonly #homeProbability: Float64Array;
  /** (K), Σ w and Σ w·log(rank+1) over the classes of each home, w = (rank+1)^−s. */
  readonly #mass: Float64Array;
  readonly #moment: Float64Array;

  /** @param topicProbability (K); ids descend in the marginal law that it gives */
  constructor(key: Key, options: ClassLawOptions, topicProbability: Float64Array) {
    const { classes, topics, exponent, boost } = options;
    this.topics = topics;
    this.#exponent = exponent;
    const homeByRank = drawTopics(key, classes, topics, TOPICS_OF.classes);
    this.#mass = new Float64Array(topics);
    this.#moment = new Float64Array(topics);
    for (let rank = 0; rank < classes; rank++) {
      const weight = (rank + 1) ** -exponent;
      this.#mass[homeByRank[rank]] += weight;
      this.#moment[homeByRank[rank]] += weight * Math.log(rank + 1);
    }
    this.#homeProbability = tilt(this.#mass, boost);
    const factors = this.#marginalFactors(topicProbability);
    ({ rank: this.#rank, home: this.#home } = numberByMarginal(homeByRank, factors, exponent));
    ({ begin: this.#begin, members: this.#members } = groupByHome(this.#home, topics));
    this.#homeOf = Array.from({ length: topics }, (_, k) =>
      buildAliasTable(this.#homeProbability.subarray(k * topics, (k + 1) * topics)),
    );
    this.#withinHome = Array.from({ length: topics }, (_, j) => this.#tableWithin(j));
  }

  /** A class of this topic in O(1), by four independent uniforms uniforms[at … at+4). */
  draw(topic: number, uniforms: Float64Array, at: number): number {
    const home = drawAlias(this.#homeOf[topic], uniforms[at], uniforms[at + 1]);
    const place = drawAlias(this.#withinHome[home]!, uniforms[at + 2], uniforms[at + 3]);
    return this.#members[this.#begin[home] + place];
  }

  /** log p(class | topic), natural. */
  logProbability(topic: number, classId: number): number {
    const home = this.#home[classId];
    const within = -this.#exponent * Math.log(this.#rank[classId] + 1) - Math.log(this.#mass[home]);
    return Math.log(this.#homeProbability[topic * this.topics + home]) + within;
  }

  /** H(class | topic), nats, in O(K). */
  entropy(topic: number): number {
    let entropy = 0;
    for (let j = 0; j < this.topics; j++) {
      const probability = this.#homeProbability[topic * this.topics + j];
      if (probability === 0) continue;
      // log p(c | j) = −s·log(rank+1) − log mass: its mean under the home's own law.
      const within = Math.log(this.#mass[j]) + (this.#exponent * this.#moment[j]) / this.#mass[j];
      entropy += probability * (within - Math.log(probability));
    }
    return entropy;
  }

  /** H of Σ_k topicProbability[k]·p(c | k), nats, in O(K²). */
  marginalEntropy(topicProbability: Float64Array): number {
    const factors = this.#marginalFactors(topicProbability);
    let entropy = 0;
    for (let j = 0; j < this.topics; j++) {
      if (this.#mass[j] === 0) continue;
      entropy += factors[j] * (this.#exponent * this.#moment[j] - this.#mass[j] * Math.log(factors[j]));
    }
    // A single class leaves −1e-15 of rounding.
    return Math.max(0, entropy);
  }

  /** (K), what the Zipf weight of a class of home j is multiplied by in the marginal law; 0 for a home of none. */
  #marginalFactors(topicProbability: Float64Array): Float64Array {
    return this.#mass.map((mass, j) => {
      let probability = 0;
      for (let k = 0; k < this.topics; k++) {
        probability += topicProbability[k] * this.#homeProbability[k * this.topics + j];
      }
      return mass === 0 ? 0 : probability / mass;
    });
  }

  #tableWithin(home: number): AliasTable | undefined {
    const members = this.#members.subarray(this.#begin[home], this.#begin[home + 1]);
    if (members.length === 0) return undefined;
    return buildAliasTable(Float64Array.from(members, (id) => (this.#rank[id] + 1) ** -this.#exponent));
  }
}

/** P(home j | topic k) ∝ mass[j]·(j = k ? boost : 1), (K, K). */
function tilt(mass: Float64Array, boost: number): Float64Array {
  const topics = mass.length;
  const total = mass.reduce((sum, value) => sum + value, 0);
  const probability = new Float64Array(topics * topics);
  for (let k = 0; k < topics; k++) {
    const norm = total + (boost - 1) * mass[k];
    for (let j = 0; j < topics; j++) probability[k * topics + j] = (mass[j] * (j === k ? boost : 1)) / norm;
  }
  return probability;
}

/**
 * Gives ids in descending order of the marginal law, ties by Zipf rank: a merge of the K homes, each of which is in order by itself.
 * The heads of the homes are a heap, so a class costs O(log K).
 */
function numberByMarginal(
  homeByRank: Uint16Array,
  factors: Float64Array,
  exponent: number,
): { rank: Int32Array; home: Uint16Array } {
  const n = homeByRank.length;
  const { begin, members: ranks } = groupByHome(homeByRank, factors.length);
  const next = begin.slice(0, factors.length);
  const isBefore = (a: Head, b: Head) => a.weight > b.weight || (a.weight === b.weight && a.rank < b.rank);
  const headOf = (home: number): Head => {
    const rank = ranks[next[home]++];
    return { home, rank, weight: (rank + 1) ** -exponent * factors[home] };
  };
  const heap: Head[] = [];
  for (let home = 0; home < factors.length; home++) if (begin[home] < begin[home + 1]) heap.push(headOf(home));
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) siftDown(heap, at, isBefore);
  const rank = new Int32Array(n);
  const home = new Uint16Array(n);
  for (let id = 0; id < n; id++) {
    const head = heap[0];
    rank[id] = head.rank;
    home[id] = head.home;
    const last = next[head.home] < begin[head.home + 1] ? headOf(head.home) : heap.pop()!;
    if (heap.length > 0) heap[0] = last;
    siftDown(heap, 0, isBefore);
  }
  return { rank, home };
}

/** The best class of a home that has no id yet. */
interface Head {
  readonly home: number;
  readonly rank: number;
  readonly weight: number;
}

function siftDown(heap: Head[], from: number, isBefore: (a: Head, b: Head) => boolean): void {
  for (let at = from; ; ) {
    let best = at;
    for (let child = 2 * at + 1; child <= 2 * at + 2 && child < heap.length; child++) {
      if (isBefore(heap[child], heap[best])) best = child;
    }
    if (best === at) return;
    [heap[at], heap[best]] = [heap[best], heap[at]];
    at = best;
  }
}

/** A stable counting sort: the indices of each home, ascending. */
function groupByHome(home: Uint16Array, topics: number): { begin: Int32Array; members: Int32Array } {
  const begin = new Int32Array(topics + 1);
  for (let i = 0; i < home.length; i++) begin[home[i] + 1]++;
  for (let j = 0; j < topics; j++) begin[j + 1] += begin[j];
  const next = begin.slice();
  const members = new Int32Array(home.length);
  for (let i = 0; i < home.length; i++) members[next[home[i]]++] = i;
  return { begin, members };
}
