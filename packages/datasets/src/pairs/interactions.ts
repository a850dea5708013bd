import { MemoryLimitError } from "@logq/core";
import type { NameTable } from "../names/name-table.js";
import { ElementList } from "../reading/element-list.js";

const MOST_INTERACTIONS = 2 ** 31 - 1;

/** Items by user: those of user u are items[offsets[u] … offsets[u+1]). */
export interface Sequences {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** The interactions of one part in the order of its files, users and items by their ids in tables that all parts share. */
export class Interactions {
  readonly users: NameTable;
  readonly items: NameTable;
  readonly #userIds = new ElementList(Int32Array);
  readonly #itemIds = new ElementList(Int32Array);
  readonly #times: ElementList<Float64Array> | undefined;

  constructor(users: NameTable, items: NameTable, timed: boolean) {
    this.users = users;
    this.items = items;
    this.#times = timed ? new ElementList(Float64Array) : undefined;
  }

  /** @param time ignored unless the interactions are timed */
  add(user: number, item: number, time = 0): void {
    this.#userIds.push(user);
    this.#itemIds.push(item);
    this.#times?.push(time);
  }

  /**
   * Groups by user in O(interactions): in order of time, ties and untimed interactions in the order of the files.
   * @param users how many users there are in all parts
   */
  byUser(users: number): Sequences {
    const userIds = this.#userIds.toArray();
    if (userIds.length > MOST_INTERACTIONS) {
      throw new MemoryLimitError(`${userIds.length} interactions; a part holds at most ${MOST_INTERACTIONS}`, {
        interactions: userIds.length,
        maximum: MOST_INTERACTIONS,
      });
    }
    const offsets = new Int32Array(users + 1);
    for (let i = 0; i < userIds.length; i++) offsets[userIds[i] + 1]++;
    for (let user = 0; user < users; user++) offsets[user + 1] += offsets[user];
    const next = offsets.slice();
    const order = new Int32Array(userIds.length);
    for (let i = 0; i < userIds.length; i++) order[next[userIds[i]]++] = i;
    if (this.#times) sortByTime(order, offsets, this.#times.toArray());
    const itemIds = this.#itemIds.toArray();
    return { offsets, items: order.map((i) => itemIds[i]) };
  }
}

function sortByTime(order: Int32Array, offsets: Int32Array, times: Float64Array): void {
  for (let user = 0; user + 1 < offsets.length; user++) {
    order.subarray(offsets[user], offsets[user + 1]).sort((a, b) => times[a] - times[b] || a - b);
  }
}
