import { KernelMemory } from "@logq/kernels";
import { openLibrary } from "./library.js";
import { blasMatrix } from "./matrix.js";

/** What a core type does, seen from a process of its own. */
export interface ProbeAnswer {
  readonly core: string | undefined;
  /** 1e9 floating-point operations a second of one thread. */
  readonly rate: number;
}

const [M, K, N] = [1024, 128, 128];

/** The best of several products of the shape that logits have. */
function probe(path: string): ProbeAnswer {
  const library = openLibrary(path);
  const [left, right, out, packed] = [64, 2 ** 20, 2 ** 21, 2 ** 22];
  const memory = KernelMemory.create(2 ** 22 + 64, true);
  const matrix = blasMatrix(memory, library);
  memory.floats(left, M * K).fill(0.5);
  memory.floats(right, K * N).fill(0.25);
  matrix.packRight(packed, right, N, K, N);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 60;
  while (performance.now() < end) {
    const begin = performance.now();
    matrix.multiply(out, N, left, K, 1, packed, M, K, N, false);
    best = Math.min(best, performance.now() - begin);
  }
  return { core: library.facts.core, rate: (2 * M * K * N) / best / 1e6 };
}

process.stdout.write(JSON.stringify(probe(process.argv[2]!)));
