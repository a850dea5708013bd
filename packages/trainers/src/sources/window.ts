import type { Key } from "@logq/core";
import type { ExampleOrder } from "./order.js";
import { copyRun, type Source, type WindowSourceSpec } from "./source.js";
import { Stretches } from "./stretches.js";

/** Words and their contexts. Example e is the word at position e; in mode pair each (word, neighbour) is an example, neighbours in order. */
export class WindowSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded = 0;
  readonly weighted = false;
  readonly #spec: WindowSourceSpec;

  constructor(spec: WindowSourceSpec) {
    this.#spec = spec;
    this.examples = spec.mode === "pair" ? spec.tokens.length * 2 * spec.window : spec.tokens.length;
    const sides = 2 * spec.window;
    this.maxInputs = { previous: spec.window, around: sides, pair: 1, neighbours: 1 }[spec.mode];
    this.maxTargets = spec.mode === "neighbours" ? sides : 1;
  }

  training(B: number, key: Key): ReturnType<NonNullable<Source["training"]>> | undefined {
    const { stretches } = this.#spec;
    if (stretches === undefined) return undefined;
    const rows = new Stretches(this.#spec, stretches, B, key);
    return { source: rows, order: rows };
  }

  lookAhead(order: ExampleOrder, rows: number): number {
    const { tokens, window, mode } = this.#spec;
    const share = mode === "pair" ? 2 * window : 1;
    const after = mode === "previous" ? 0 : window;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const position = Math.floor(order.example(row) / share);
      // Both ends of the window: it lies across two lines of memory more often than not.
      sum += tokens[Math.max(0, position - window)]! + tokens[Math.min(tokens.length - 1, position + after)]!;
    }
    return sum;
  }

  inputs(example: number, ids: Int32Array, _: Float32Array, at: number): number {
    const { window, mode } = this.#spec;
    if (mode === "pair" || mode === "neighbours") {
      // The bag of one: the centre word predicts its neighbours.
      ids[at] = this.#spec.tokens[mode === "pair" ? Math.floor(example / (2 * window)) : example]!;
      return 1;
    }
    const before = this.#side(example, -1, ids, at);
    return mode === "previous" ? before : before + this.#side(example, 1, ids, at + before);
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
    const before = this.#side(position, -1, ids, at);
    const all = before + this.#side(position, 1, ids, at + before);
    let count = 0;
    for (let i = at; i < at + all; i++) {
      const word = ids[i]!;
      if (ids.subarray(at, at + count).indexOf(word) < 0) ids[at + count++] = word;
    }
    return count;
  }

  /** The words on one side of `position`, the farthest first on the left, the nearest first on the right. */
  #side(position: number, direction: -1 | 1, ids: Int32Array, at: number): number {
    const { tokens, window, eos, filled } = this.#spec;
    const reach = this.#reach(position, direction);
    const missing = filled ? window - reach : 0;
    const first = direction < 0 ? position - reach : position + 1;
    const filling = Math.max(eos, 0);
    for (let i = 0; i < missing; i++) ids[at + i] = filling;
    return missing + copyRun(tokens, first, first + reach, ids, at + missing);
  }

  /** How many words of the window there are on one side, up to the end of the text or the line. */
  #reach(position: number, direction: -1 | 1): number {
    const { tokens, window, eos, withinLine } = this.#spec;
    const most = Math.min(window, direction < 0 ? position : tokens.length - 1 - position);
    if (!withinLine) return most;
    // A line ends behind the word that ends it.
    const next = direction < 0 ? position - 1 : position;
    for (let reach = 0; reach < most; reach++) if (tokens[next + direction * reach] === eos) return reach;
    return most;
  }

  #lineEndsBetween(a: number, b: number): boolean {
    const { tokens, eos, withinLine } = this.#spec;
    if (!withinLine) return false;
    for (let i = Math.min(a, b); i < Math.max(a, b); i++) if (tokens[i] === eos) return true;
    return false;
  }
}
