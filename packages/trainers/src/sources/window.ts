import type { Source, WindowSourceSpec } from "./source.js";

/** Words from their contexts. Example e is the word at position e; in skip-gram each (word, neighbour) is an example, neighbours in order. */
export class WindowSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets = 1;
  readonly maxExcluded = 0;
  readonly #spec: WindowSourceSpec;

  constructor(spec: WindowSourceSpec) {
    this.#spec = spec;
    this.examples = spec.mode === "pair" ? spec.tokens.length * 2 * spec.window : spec.tokens.length;
    this.maxInputs = spec.mode === "around" ? 2 * spec.window : spec.mode === "pair" ? 1 : spec.window;
  }

  inputs(example: number, ids: Int32Array, weights: Float32Array, at: number): number {
    const { window, mode } = this.#spec;
    if (mode === "pair") {
      // The bag of one: the centre word predicts its neighbour.
      ids[at] = this.#spec.tokens[Math.floor(example / (2 * window))]!;
      weights[at] = 1;
      return 1;
    }
    const before = this.#side(example, -1, ids, weights, at);
    return mode === "previous" ? before : before + this.#side(example, 1, ids, weights, at + before);
  }

  targets(example: number, ids: Int32Array, at: number): number {
    const { tokens, window, mode } = this.#spec;
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
