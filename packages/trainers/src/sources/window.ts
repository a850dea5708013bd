import type { Key } from "@logq/core";
import type { Source, WindowSourceSpec } from "./source.js";
import { Stretches } from "./stretches.js";

/** Words and their contexts. Example e is the word at position e; in mode pair each (word, neighbour) is an example, neighbours in order. */
export class WindowSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded = 0;
  readonly #spec: WindowSourceSpec;
  /** Weights of neighbours, which labels have none of. */
  readonly #unused: Float32Array;

  constructor(spec: WindowSourceSpec) {
    this.#spec = spec;
    this.examples = spec.mode === "pair" ? spec.tokens.length * 2 * spec.window : spec.tokens.length;
    const sides = 2 * spec.window;
    this.maxInputs = { previous: spec.window, around: sides, pair: 1, neighbours: 1 }[spec.mode];
    this.maxTargets = spec.mode === "neighbours" ? sides : 1;
    this.#unused = new Float32Array(spec.mode === "neighbours" ? sides : 0);
  }

  training(B: number, key: Key): ReturnType<NonNullable<Source["training"]>> | undefined {
    const { stretches } = this.#spec;
    if (stretches === undefined) return undefined;
    const rows = new Stretches(this.#spec, stretches, B, key);
    return { source: rows, order: rows };
  }

  inputs(example: number, ids: Int32Array, weights: Float32Array, at: number): number {
    const { window, mode } = this.#spec;
    if (mode === "pair" || mode === "neighbours") {
      // The bag of one: the centre word predicts its neighbours.
      ids[at] = this.#spec.tokens[mode === "pair" ? Math.floor(example / (2 * window)) : example]!;
      weights[at] = 1;
      return 1;
    }
    const before = this.#side(example, -1, ids, weights, at);
    return mode === "previous" ? before : before + this.#side(example, 1, ids, weights, at + before);
  }

  targets(example: number, ids: Int32Array, at: number): number {
    const { tokens, window, mode } = this.#spec;
    if (mode === "neighbours") return this.#distinctNeighbours(example, ids, at);
    if (mode !== "pair") {
      ids[at] = tokens[example]!;
      return 1;
    }
    const centre = Math.floor(example / (2 * window));
    const slot = example % (2 * window);
    const neighbour = slot < window ? centre - window + slot : centre + 1 + slot - window;
    // A neighbour beyond the text or the line is no example: a row without a label is ignored.
    if (neighbour < 0 || neighbour >= tokens.length || this.#lineEndsBetween(centre, neighbour)) return 0;
    ids[at] = tokens[neighbour]!;
    return 1;
  }

  excluded(): number {
    return 0;
  }

  #distinctNeighbours(position: number, ids: Int32Array, at: number): number {
    const before = this.#side(position, -1, ids, this.#unused, at);
    const all = before + this.#side(position, 1, ids, this.#unused, at + before);
    let count = 0;
    for (let i = at; i < at + all; i++) {
      const word = ids[i]!;
      if (ids.subarray(at, at + count).indexOf(word) < 0) ids[at + count++] = word;
    }
    return count;
  }

  /** The words on one side of `position`, the farthest first on the left, the nearest first on the right. */
  #side(position: number, direction: -1 | 1, ids: Int32Array, weights: Float32Array, at: number): number {
    const { tokens, window, eos, withinLine, filled } = this.#spec;
    let reach = 0;
    while (reach < window) {
      const next = position + direction * (reach + 1);
      if (next < 0 || next >= tokens.length) break;
      if (withinLine && tokens[direction < 0 ? next : next - 1] === eos) break;
      reach++;
    }
    const missing = filled ? window - reach : 0;
    for (let i = 0; i < missing; i++) {
      ids[at + i] = Math.max(eos, 0);
      weights[at + i] = 1;
    }
    for (let i = 0; i < reach; i++) {
      ids[at + missing + i] = tokens[direction < 0 ? position - reach + i : position + 1 + i]!;
      weights[at + missing + i] = 1;
    }
    return missing + reach;
  }

  #lineEndsBetween(a: number, b: number): boolean {
    const { tokens, eos, withinLine } = this.#spec;
    if (!withinLine) return false;
    for (let i = Math.min(a, b); i < Math.max(a, b); i++) if (tokens[i] === eos) return true;
    return false;
  }
}
