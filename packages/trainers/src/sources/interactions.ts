import type { ExampleOrder } from "./order.js";
import {
  copyRun,
  type InteractionSourceSpec,
  longestRun,
  type RankingSourceSpec,
  type Source,
  type UserSourceSpec,
} from "./source.js";

/** Each interaction is an example; the input is the user's id, or the items that the user chose before. */
export class InteractionSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets = 1;
  readonly maxExcluded: number;
  readonly weighted = false;
  readonly #spec: InteractionSourceSpec;

  constructor(spec: InteractionSourceSpec) {
    this.#spec = spec;
    this.examples = spec.positions.length;
    this.maxInputs = spec.kind === "user" ? 1 : spec.window;
    this.maxExcluded = longestRun(spec.offsets);
  }

  lookAhead(order: ExampleOrder, rows: number): number {
    const { kind, users, positions, items, window } = this.#spec;
    const before = kind === "user" ? 0 : window;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const example = order.example(row);
      const position = positions[example]!;
      sum += users[example]! + items[position]! + items[Math.max(0, position - before)]!;
    }
    return sum;
  }

  inputs(example: number, ids: Int32Array, _: Float32Array, at: number): number {
    const { kind, users, positions, offsets, items, window } = this.#spec;
    const user = users[example]!;
    if (kind === "user") {
      ids[at] = user;
      return 1;
    }
    const end = positions[example]!;
    return copyRun(items, Math.max(offsets[user]!, end - window), end, ids, at);
  }

  targets(example: number, ids: Int32Array, at: number): number {
    ids[at] = this.#spec.items[this.#spec.positions[example]!]!;
    return 1;
  }

  /** All the user's items but the one to be predicted. */
  excluded(example: number, ids: Int32Array, at: number): number {
    const { users, positions, offsets, items } = this.#spec;
    const user = users[example]!;
    const target = items[positions[example]!]!;
    let count = 0;
    for (let i = offsets[user]!; i < offsets[user + 1]!; i++) {
      const item = items[i]!;
      if (item !== target) ids[at + count++] = item;
    }
    return count;
  }
}

/**
 * Each user is an example, with all the items as labels. A softmax row weighs as much as its labels would one by one, so this is the objective
 * of single interactions (a choice that was repeated counts once), and one row of logits does for all of a user's items.
 */
export class UserSource implements Source {
  readonly examples: number;
  readonly maxInputs = 1;
  readonly maxTargets: number;
  readonly maxExcluded = 0;
  readonly weighted = false;
  readonly #spec: UserSourceSpec;

  constructor(spec: UserSourceSpec) {
    this.#spec = spec;
    this.examples = spec.users.length;
    this.maxTargets = longestRun(spec.offsets, spec.users);
  }

  inputs(example: number, ids: Int32Array, _: Float32Array, at: number): number {
    ids[at] = this.#spec.users[example]!;
    return 1;
  }

  targets(example: number, ids: Int32Array, at: number): number {
    const { users, offsets, items } = this.#spec;
    const user = users[example]!;
    return copyRun(items, offsets[user]!, offsets[user + 1]!, ids, at);
  }

  /** All that the user chose is a label. */
  excluded(): number {
    return 0;
  }

  weight(example: number): number {
    const { users, offsets } = this.#spec;
    const user = users[example]!;
    return offsets[user + 1]! - offsets[user]!;
  }
}

/** Each user is an example; what they chose later is to be found, what they chose before is masked. */
export class RankingSource implements Source {
  readonly examples: number;
  readonly maxInputs: number;
  readonly maxTargets: number;
  readonly maxExcluded: number;
  readonly weighted = false;
  readonly #spec: RankingSourceSpec;

  constructor(spec: RankingSourceSpec) {
    this.#spec = spec;
    this.examples = spec.users.length;
    this.maxInputs = spec.kind === "user-ranking" ? 1 : spec.window;
    this.maxTargets = longestRun(spec.offsets, spec.users);
    this.maxExcluded = longestRun(spec.seenOffsets, spec.users);
  }

  inputs(example: number, ids: Int32Array, _: Float32Array, at: number): number {
    const { kind, users, seenOffsets, seenItems, window } = this.#spec;
    const user = users[example]!;
    if (kind === "user-ranking") {
      ids[at] = user;
      return 1;
    }
    const end = seenOffsets[user + 1]!;
    return copyRun(seenItems, Math.max(seenOffsets[user]!, end - window), end, ids, at);
  }

  /** Distinct: a user may choose an item twice. */
  targets(example: number, ids: Int32Array, at: number): number {
    const { users, offsets, items } = this.#spec;
    const user = users[example]!;
    let count = 0;
    for (let i = offsets[user]!; i < offsets[user + 1]!; i++) {
      const item = items[i]!;
      if (ids.subarray(at, at + count).indexOf(item) < 0) ids[at + count++] = item;
    }
    return count;
  }

  excluded(example: number, ids: Int32Array, at: number): number {
    const { users, seenOffsets, seenItems } = this.#spec;
    const user = users[example]!;
    return copyRun(seenItems, seenOffsets[user]!, seenOffsets[user + 1]!, ids, at);
  }
}
