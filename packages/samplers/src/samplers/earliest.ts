/**
 * The k earliest of a stream of (time, id) pairs: a binary heap with the latest on top. Equal times are ordered by id, so the answer
 * does not depend on the order of the stream. Scratch is kept and only grows.
 */
export class Earliest {
  #times = new Float64Array(0);
  #ids = new Int32Array(0);
  #limit = 0;
  size = 0;

  reset(k: number): void {
    if (k > this.#times.length) {
      this.#times = new Float64Array(k);
      this.#ids = new Int32Array(k);
    }
    this.#limit = k;
    this.size = 0;
  }

  offer(time: number, id: number): void {
    if (this.size < this.#limit) {
      this.#siftUp(this.size++, time, id);
    } else if (isLater(this.#times[0], this.#ids[0], time, id)) {
      this.#siftDown(0, this.size, time, id);
    }
  }

  /** Sorts what was kept, earliest first; `time` and `id` answer afterwards. No offer may follow. */
  sort(): void {
    for (let end = this.size - 1; end > 0; end--) {
      const time = this.#times[end];
      const id = this.#ids[end];
      this.#times[end] = this.#times[0];
      this.#ids[end] = this.#ids[0];
      this.#siftDown(0, end, time, id);
    }
  }

  time(index: number): number {
    return this.#times[index];
  }

  id(index: number): number {
    return this.#ids[index];
  }

  #siftUp(from: number, time: number, id: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isLater(time, id, this.#times[parent], this.#ids[parent])) break;
      this.#times[at] = this.#times[parent];
      this.#ids[at] = this.#ids[parent];
      at = parent;
    }
    this.#times[at] = time;
    this.#ids[at] = id;
  }

  #siftDown(from: number, end: number, time: number, id: number): void {
    const times = this.#times;
    const ids = this.#ids;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= end) break;
      if (child + 1 < end && isLater(times[child + 1], ids[child + 1], times[child], ids[child])) child++;
      if (!isLater(times[child], ids[child], time, id)) break;
      times[at] = times[child];
      ids[at] = ids[child];
      at = child;
    }
    times[at] = time;
    ids[at] = id;
  }
}

function isLater(time: number, id: number, otherTime: number, otherId: number): boolean {
  return time > otherTime || (time === otherTime && id > otherId);
}
