/** The ids of the k highest scores, best first, ties to the lower id, without those in `skip`. Fewer if not as many are left. O(n log k). */
export function bestIds(scores: ArrayLike<number>, k: number, skip: ReadonlySet<number>): number[] {
  const isWorse = (a: number, b: number) => scores[a]! < scores[b]! || (scores[a]! === scores[b]! && a > b);
  /** A binary heap: no id is better than those below it. */
  const heap: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    if (skip.has(id)) continue;
    if (heap.length < k) {
      heap.push(id);
      rise(heap, isWorse);
    } else if (isWorse(heap[0]!, id)) {
      heap[0] = id;
      sink(heap, isWorse);
    }
  }
  return heap.sort((a, b) => (isWorse(b, a) ? -1 : 1));
}

type Before = (a: number, b: number) => boolean;

/** Puts the last element where it belongs. */
function rise(heap: number[], before: Before): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(heap[at]!, heap[parent]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

/** Puts the first element where it belongs. */
function sink(heap: number[], before: Before): void {
  let at = 0;
  for (;;) {
    let first = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && before(heap[child]!, heap[first]!)) first = child;
    }
    if (first === at) return;
    swap(heap, at, first);
    at = first;
  }
}

function swap(heap: number[], a: number, b: number): void {
  const value = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = value;
}
