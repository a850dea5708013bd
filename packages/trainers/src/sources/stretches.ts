import { type Key, KeyedPermutation, philox, STREAM, stepLow, streamWord } from "@logq/core";
import type { ExampleOrder } from "./order.js";
import { copyRun, type Source, type StretchSpec, type WindowSourceSpec } from "./source.js";

/** Stands among the kept words where a line ends: no window reaches across. */
const LINE_END = -1;

/** How many random words there are. */
const WORDS = 2 ** 32;

/**
 * Words and their neighbours, as word2vec walks through a text (Mikolov et al. 2013): the batches and, at once, the source of their rows.
 * A batch is a stretch of B consecutive tokens; stretches come in a keyed random order, another one each epoch. Frequent words are left out
 * at random, windows are formed of what is left, and each window may have a random width. A word that was left out, or is left alone, is no
 * row, so the rows of a batch vary. Row r of the current batch is example r.
 *
 * Every draw is addressed by epoch and position, so a batch is the same whoever builds it, and windows reach beyond the ends of stretches.
 */
export class Stretches implements Source, ExampleOrder {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded = 0;
  readonly weighted = false;
  readonly #spec: WindowSourceSpec;
  readonly #stretches: StretchSpec;
  readonly #wordPredicts: boolean;
  readonly #B: number;
  readonly #key: Key;
  readonly #perEpoch: number;
  /** Kept words of the stretch, with those beyond its ends that windows reach, and the widths of windows. */
  readonly #kept: Int32Array;
  readonly #widths: Int32Array;
  /** Of each row, among the kept words: its word, and the ends of its window. */
  readonly #centre: Int32Array;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #block = new Uint32Array(4);
  #epoch = -1;
  #permutation: KeyedPermutation | undefined;
  #batch = -1;
  #rows = 0;

  constructor(spec: WindowSourceSpec, stretches: StretchSpec, B: number, key: Key) {
    const { window, mode, tokens } = spec;
    this.#spec = spec;
    this.#stretches = stretches;
    this.#wordPredicts = mode === "neighbours";
    this.#B = B;
    this.#key = key;
    this.examples = tokens.length;
    this.#perEpoch = Math.ceil(tokens.length / B);
    this.maxInputs = this.#wordPredicts ? 1 : 2 * window;
    this.maxTargets = this.#wordPredicts ? 2 * window : 1;
    const most = B + 2 * window;
    this.#kept = new Int32Array(most);
    this.#widths = new Int32Array(most);
    this.#centre = new Int32Array(B);
    this.#from = new Int32Array(B);
    this.#to = new Int32Array(B);
  }

  /** A thread that builds both halves of a batch makes its rows once. */
  seek(batch: number): number {
    if (batch === this.#batch) return this.#rows;
    const epoch = Math.floor(batch / this.#perEpoch);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = new KeyedPermutation(this.#perEpoch, this.#key, epoch);
    }
    const first = this.#permutation!.at(batch % this.#perEpoch) * this.#B;
    this.#rows = this.#take(first, Math.min(this.examples, first + this.#B));
    this.#batch = batch;
    return this.#rows;
  }

  example(row: number): number {
    return row;
  }

  inputs(row: number, ids: Int32Array, _: Float32Array, at: number): number {
    return this.#wordPredicts ? this.#word(row, ids, at) : this.#neighbours(row, ids, at);
  }

  /** A neighbour that stands twice in a window is a label twice. */
  targets(row: number, ids: Int32Array, at: number): number {
    return this.#wordPredicts ? this.#neighbours(row, ids, at) : this.#word(row, ids, at);
  }

  excluded(): number {
    return 0;
  }

  /** Each label counts alike, whether its row has many or few. */
  weight(row: number): number {
    return this.#wordPredicts ? this.#to[row]! - this.#from[row]! - 1 : 1;
  }

  #word(row: number, ids: Int32Array, at: number): number {
    ids[at] = this.#kept[this.#centre[row]!]!;
    return 1;
  }

  #neighbours(row: number, ids: Int32Array, at: number): number {
    const centre = this.#centre[row]!;
    const before = copyRun(this.#kept, this.#from[row]!, centre, ids, at);
    return before + copyRun(this.#kept, centre + 1, this.#to[row]!, ids, at + before);
  }

  /** Makes the rows of tokens [first, end) and answers how many there are. */
  #take(first: number, end: number): number {
    const before = this.#reachBack(first);
    const inside = this.#keep(first, end, before, this.#kept.length, false);
    const after = this.#keep(end, this.examples, inside, inside + this.#spec.window, true);
    return this.#formWindows(before, inside, after);
  }

  /** The kept words before `first` that windows may reach, in the order of the text, from index 0 on; answers how many. */
  #reachBack(first: number): number {
    const { tokens, window, withinLine, eos } = this.#spec;
    const { keep } = this.#stretches;
    const kept = this.#kept;
    let count = 0;
    for (let position = first - 1; position >= 0 && count < window; position--) {
      const token = tokens[position]!;
      if (withinLine && token === eos) break;
      if ((position & 3) === 3 || position === first - 1) this.#draw(position);
      if (this.#block[position & 3]! < keep[token]!) kept[count++] = token;
    }
    kept.subarray(0, count).reverse();
    return count;
  }

  /** Appends the kept words of [first, end) from index `at` on, up to index `limit` or, with `oneLine`, a line end; answers the next index. */
  #keep(first: number, end: number, at: number, limit: number, oneLine: boolean): number {
    const { tokens, window, withinLine, eos } = this.#spec;
    const { keep, dynamicWindow } = this.#stretches;
    const kept = this.#kept;
    const widths = this.#widths;
    const block = this.#block;
    let count = at;
    for (let position = first; position < end && count < limit; position++) {
      if ((position & 3) === 0 || position === first) this.#draw(position);
      const token = tokens[position]!;
      if (withinLine && token === eos) {
        if (oneLine) break;
        kept[count++] = LINE_END;
        continue;
      }
      const threshold = keep[token]!;
      const word = block[position & 3]!;
      if (word >= threshold) continue;
      // Below the threshold the word is uniform, so it serves for the width as well.
      widths[count] = dynamicWindow ? 1 + Math.floor((word / threshold) * window) : window;
      kept[count++] = token;
    }
    return count;
  }

  /** The window of each kept word in [from, to), cut at line ends and at `all`, the end of what was kept. */
  #formWindows(from: number, to: number, all: number): number {
    const kept = this.#kept;
    let row = 0;
    for (let i = from; i < to; i++) {
      if (kept[i] === LINE_END) continue;
      const width = this.#widths[i]!;
      const least = Math.max(0, i - width);
      const most = Math.min(all, i + 1 + width);
      let left = i;
      while (left > least && kept[left - 1] !== LINE_END) left--;
      let right = i + 1;
      while (right < most && kept[right] !== LINE_END) right++;
      if (right - left < 2) continue;
      this.#centre[row] = i;
      this.#from[row] = left;
      this.#to[row] = right;
      row++;
    }
    return row;
  }

  /** The random words of four positions, `position` among them. */
  #draw(position: number): void {
    const epoch = this.#epoch;
    philox(this.#key, position >>> 2, 0, stepLow(epoch), streamWord(STREAM.words, epoch), this.#block);
  }
}

/**
 * word2vec's rule: a word that is a share f of the tokens stays with probability √(t/f) + t/f, at most 1. Writes thresholds of random 32-bit
 * words, (n) in [0, 2^32], to `out`; t = 0 keeps everything.
 */
export function keepThresholds(counts: ArrayLike<number>, t: number, out: Float64Array): Float64Array {
  let total = 0;
  for (let id = 0; id < counts.length; id++) total += counts[id]!;
  for (let id = 0; id < counts.length; id++) {
    const ratio = (t * total) / counts[id]!;
    out[id] = t === 0 || counts[id] === 0 ? WORDS : Math.min(1, Math.sqrt(ratio) + ratio) * WORDS;
  }
  return out;
}
