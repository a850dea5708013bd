import { requireAllFinite, requireInteger } from "@logq/core";
import { countRows } from "../adaptive/target-rows.js";
import { balancedTree, type Halve } from "./balanced.js";
import type { ClassTree } from "./class-tree.js";

/**
 * A balanced tree in which classes with like vectors share most of their path: each set of classes is cut into halves by 2-means with halves of equal size,
 * as in Mnih and Hinton, "A scalable hierarchical distributed language model" (2008), who split by a mixture of two Gaussians. The centres begin at the class
 * farthest from the mean and the one farthest from that; ties go to the lower id, so the tree is a function of the vectors. Sums are float64.
 * O(n·log n·(D·rounds + log n)).
 *
 * @param vectors (n, D), finite: a class table trained before, say
 * @param rounds most rounds of 2-means at each node; it stops when no class changes sides. Default 8
 * @throws ShapeError, EmptyInputError, NotFiniteError or OptionError
 */
export function twoMeansTree(vectors: Float32Array, D: number, rounds = 8): ClassTree {
  requireInteger("D", D, 1);
  requireInteger("rounds", rounds, 1);
  const n = countRows("vectors", vectors, D);
  requireAllFinite("vectors", vectors);
  const halve = twoMeans(vectors, D, rounds);
  return balancedTree(
    Int32Array.from({ length: n }, (_, id) => id),
    halve,
  );
}

function twoMeans(vectors: Float32Array, D: number, rounds: number): Halve {
  const scores = new Float64Array(vectors.length / D);
  const first = new Float64Array(D);
  const second = new Float64Array(D);

  /** Σ_d (first − second)·x: of two halves of given sizes, those nearest to their centres have the highest here in the first half. */
  const score = (id: number): number => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += (first[d] - second[d]) * vectors[id * D + d];
    return sum;
  };

  return (classes, from, to) => {
    const own = classes.subarray(from, to).sort();
    const half = (own.length + 1) >>> 1;
    meanOf(vectors, D, own, second);
    copyRow(vectors, D, farthest(vectors, D, own, second), first);
    copyRow(vectors, D, farthest(vectors, D, own, first), second);
    for (let round = 0; round < rounds; round++) {
      for (const id of own) scores[id] = score(id);
      const sorted = own.slice().sort((a, b) => scores[b] - scores[a] || a - b);
      // Each half in the order of its ids, so that equal halves are equal arrays.
      sorted.subarray(0, half).sort();
      sorted.subarray(half).sort();
      if (sorted.every((id, i) => id === own[i])) break;
      own.set(sorted);
      meanOf(vectors, D, own.subarray(0, half), first);
      meanOf(vectors, D, own.subarray(half), second);
    }
  };
}

function meanOf(vectors: Float32Array, D: number, classes: Int32Array, out: Float64Array): void {
  out.fill(0);
  for (const id of classes) for (let d = 0; d < D; d++) out[d] += vectors[id * D + d];
  for (let d = 0; d < D; d++) out[d] /= classes.length;
}

function copyRow(vectors: Float32Array, D: number, id: number, out: Float64Array): void {
  out.set(vectors.subarray(id * D, (id + 1) * D));
}

function farthest(vectors: Float32Array, D: number, classes: Int32Array, center: Float64Array): number {
  let best = classes[0];
  let most = -1;
  for (const id of classes) {
    let distance = 0;
    for (let d = 0; d < D; d++) distance += (vectors[id * D + d] - center[d]) ** 2;
    if (distance <= most) continue;
    most = distance;
    best = id;
  }
  return best;
}
