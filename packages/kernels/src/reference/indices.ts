import type { IndexKernels } from "../interface/indices.js";
import type { KernelMemory } from "../memory.js";

/** Sorting through the language's own stable sort: it needs no scratch, and alone among these kernels it allocates. */
export function referenceIndices({ i32 }: KernelMemory): IndexKernels {
  return {
    sortScratchBytes: () => 0,

    sortPairs(keys, values, count) {
      const k = keys >>> 2;
      const v = values >>> 2;
      const pairs = Array.from({ length: count }, (_, j) => ({ key: i32[k + j]!, value: i32[v + j]! }));
      pairs.sort((a, b) => a.key - b.key);
      for (const [j, pair] of pairs.entries()) {
        i32[k + j] = pair.key;
        i32[v + j] = pair.value;
      }
    },

    uniqueRuns(unique, offsets, keys, count) {
      let found = 0;
      for (let j = 0; j < count; j++) {
        const key = i32[(keys >>> 2) + j]!;
        if (found > 0 && i32[(unique >>> 2) + found - 1] === key) continue;
        i32[(unique >>> 2) + found] = key;
        i32[(offsets >>> 2) + found] = j;
        found++;
      }
      i32[(offsets >>> 2) + found] = count;
      return found;
    },

    mergeKeys(list, C, keys, entries, count, place, sorted, offsets) {
      const places = new Map<number, number>();
      for (let c = 0; c < C; c++) places.set(i32[(list >>> 2) + c]!, c);
      let U = C;
      for (let j = 0; j < count; j++) {
        const key = i32[(keys >>> 2) + j]!;
        if (places.has(key)) continue;
        i32[(list >>> 2) + U] = key;
        places.set(key, U++);
      }
      let written = 0;
      for (let u = 0; u < U; u++) {
        i32[(offsets >>> 2) + u] = written;
        for (let j = 0; j < count; j++) {
          if (places.get(i32[(keys >>> 2) + j]!) !== u) continue;
          const entry = i32[(entries >>> 2) + j]!;
          i32[(sorted >>> 2) + written++] = entry;
          i32[(place >>> 2) + entry] = u;
        }
      }
      i32[(offsets >>> 2) + U] = written;
      return U;
    },
  };
}
