import { EmptyInputError, NotFiniteError, OptionError, ShapeError } from "@logq/core";
import { TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { balancedTree } from "../src/hierarchical/balanced.js";
import { type ClassTree, classTree, meanPathLength } from "../src/hierarchical/class-tree.js";
import { huffmanTree } from "../src/hierarchical/huffman.js";
import { twoMeansTree } from "../src/hierarchical/two-means.js";

const identity = (n: number) => Array.from({ length: n }, (_, id) => id);

function pathOf({ offsets, nodes, signs }: ClassTree, id: number): [number, number][] {
  const path: [number, number][] = [];
  for (let i = offsets[id]!; i < offsets[id + 1]!; i++) path.push([nodes[i]!, signs[i]!]);
  return path;
}

/** Paths lead from the root through children to their class, and there are no others. */
function expectSound(tree: ClassTree, n: number): void {
  expect(tree.n).toBe(n);
  const seen = new Set<number>();
  for (let id = 0; id < n; id++) {
    let at = n === 1 ? ~0 : n - 2;
    for (const [node, sign] of pathOf(tree, id)) {
      expect(node).toBe(at);
      seen.add(node);
      at = tree.children[2 * node + (sign === 1 ? 0 : 1)]!;
    }
    expect(at).toBe(~id);
  }
  expect(seen.size).toBe(n - 1);
  expect(Array.from(tree.topDown).sort((a, b) => a - b)).toEqual(identity(n - 1));
  const place = new Map(Array.from(tree.topDown, (node, i) => [node, i]));
  tree.children.forEach((child, at) => {
    if (child >= 0) expect(place.get(child)!).toBeGreaterThan(place.get(at >>> 1)!);
  });
  expect(tree.depth).toBe(Math.max(...identity(n).map((id) => pathOf(tree, id).length)));
}

/**
 * The codes and points of word2vec for counts that fall, written from the description of its arrays: leaves 0 … n − 1 and joined nodes n … 2n − 2 in one
 * list, two pointers that walk outwards from the border, the second smallest gets code 1, points are joined nodes less n.
 */
function word2vec(counts: readonly number[]): { codes: number[]; points: number[] }[] {
  const n = counts.length;
  const weight = [...counts, ...new Array<number>(n).fill(1e15)];
  const code = new Array<number>(2 * n).fill(0);
  const parent = new Array<number>(2 * n).fill(0);
  let leaf = n - 1;
  let joined = n;
  const smallest = () => {
    if (leaf >= 0 && weight[leaf]! < weight[joined]!) return leaf--;
    return joined++;
  };
  for (let a = 0; a < n - 1; a++) {
    const [first, second] = [smallest(), smallest()];
    weight[n + a] = weight[first]! + weight[second]!;
    parent[first] = n + a;
    parent[second] = n + a;
    code[second] = 1;
  }
  return counts.map((_, id) => {
    const codes: number[] = [];
    const points: number[] = [];
    for (let at = id; at !== 2 * n - 2; at = parent[at]!) {
      codes.unshift(code[at]!);
      points.unshift(parent[at]! - n);
    }
    return { codes, points };
  });
}

/** The least Σ counts·length over all binary trees: the cheapest way to join two sets, over all ways to split. */
function leastTotal(counts: readonly number[]): number {
  const n = counts.length;
  const best = new Float64Array(2 ** n).fill(Infinity);
  for (let set = 1; set < 2 ** n; set++) {
    const members = identity(n).filter((id) => (set >> id) & 1);
    if (members.length === 1) best[set] = 0;
    const sum = members.reduce((total, id) => total + counts[id]!, 0);
    for (let part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      best[set] = Math.min(best[set]!, best[part]! + best[set ^ part]! + sum);
    }
  }
  return best[2 ** n - 1]!;
}

function randomCounts(n: number, seed: number, most: number): number[] {
  const random = new TestRandom(seed);
  return Array.from({ length: n }, () => 1 + random.integer(most));
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

describe("huffmanTree", () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 16, 17, 100])("%i classes: a sound tree", (n) => {
    expectSound(huffmanTree(randomCounts(n, n, 50)), n);
    expectSound(huffmanTree(new Array<number>(n).fill(0)), n);
  });

  test.each([2, 3, 4, 6, 8])("%i classes: no tree has shorter paths, by brute force over all of them", (n) => {
    for (let seed = 0; seed < 20; seed++) {
      const counts = randomCounts(n, seed, seed % 2 ? 5 : 1000);
      const mean = meanPathLength(huffmanTree(counts), counts);
      expect(mean * total(counts)).toBeCloseTo(leastTotal(counts), 6);
    }
  });

  test("the mean path lies between the entropy in bits and one more", () => {
    for (const exponent of [0, 0.5, 1, 2]) {
      const counts = Array.from({ length: 1000 }, (_, c) => 1e6 / (c + 1) ** exponent);
      const sum = total(counts);
      const entropy = counts.reduce((bits, count) => bits - (count / sum) * Math.log2(count / sum), 0);
      const mean = meanPathLength(huffmanTree(counts), counts);
      expect(mean).toBeGreaterThanOrEqual(entropy - 1e-9);
      expect(mean).toBeLessThan(entropy + 1);
    }
  });

  test("nodes and codes are word2vec's, ties included: sign −1 where the code is 1", () => {
    for (let seed = 0; seed < 30; seed++) {
      const n = 1 + ((seed * 7) % 60);
      const counts = randomCounts(n, seed, seed % 3 ? 4 : 500).sort((a, b) => b - a);
      const tree = huffmanTree(counts);
      word2vec(counts).forEach(({ codes, points }, id) => {
        const path = pathOf(tree, id);
        expect(path.map(([node]) => node)).toEqual(points);
        expect(path.map(([, sign]) => (sign === 1 ? 0 : 1))).toEqual(codes);
      });
    }
  });

  test("counts in another order give the same lengths to the same counts", () => {
    const sorted = [9, 7, 5, 3, 2, 1];
    const order = [3, 0, 5, 1, 4, 2];
    const tree = huffmanTree(sorted);
    const other = huffmanTree(order.map((id) => sorted[id]!));
    order.forEach((id, at) => {
      expect(pathOf(other, at)).toEqual(pathOf(tree, id));
    });
  });

  test("counts that double: a path as long as there are classes but one", () => {
    const counts = Array.from({ length: 40 }, (_, c) => 2 ** c);
    expect(huffmanTree(counts).depth).toBe(39);
  });

  test("refuses no classes, negative counts and NaN", () => {
    expect(() => huffmanTree([])).toThrow(EmptyInputError);
    expect(() => huffmanTree([1, Number.NaN])).toThrow(NotFiniteError);
    expect(() => huffmanTree([1, 2, -3])).toThrow(
      expect.objectContaining({ values: expect.objectContaining({ index: 2, value: -3 }) }),
    );
    expect(() => huffmanTree([1, 2, -3])).toThrow(OptionError);
  });
});

describe("balancedTree", () => {
  test.each([1, 2, 3, 4, 5, 8, 9, 31, 33])("%i classes: paths of ⌊log₂ n⌋ or ⌈log₂ n⌉ decisions", (n) => {
    const tree = balancedTree(new TestRandom(n).shuffle(identity(n)));
    expectSound(tree, n);
    for (const id of identity(n)) {
      const { length } = pathOf(tree, id);
      expect(length).toBeGreaterThanOrEqual(Math.floor(Math.log2(n)));
      expect(length).toBeLessThanOrEqual(Math.ceil(Math.log2(n)));
    }
  });

  test("neighbours of the order share all decisions but the last", () => {
    const tree = balancedTree([2, 0, 3, 1]);
    expect(pathOf(tree, 2)[0]).toEqual(pathOf(tree, 0)[0]);
    expect(pathOf(tree, 3)[0]).toEqual(pathOf(tree, 1)[0]);
    expect(pathOf(tree, 2)[0]![1]).toBe(1);
    expect(pathOf(tree, 1)[0]![1]).toBe(-1);
  });

  test.each([[[0, 0, 1]], [[0, 3, 1]], [[0, -1, 1]], [[0, 0.5, 1]]])("refuses %j, which is no permutation", (order) => {
    expect(() => balancedTree(order)).toThrow(OptionError);
  });
});

describe("twoMeansTree", () => {
  test("4 clusters of 8 points, far apart and shuffled: the first two decisions tell them apart", () => {
    const random = new TestRandom(5);
    const centers = [
      [10, 10, 0],
      [10, 14, 0],
      [-10, 0, 10],
      [-10, 0, 14],
    ];
    const clusters = random.shuffle(identity(32).map((id) => id % 4));
    const vectors = Float32Array.from(clusters.flatMap((c) => centers[c]!.map((x) => x + 0.3 * random.normal())));
    const tree = twoMeansTree(vectors, 3);
    expectSound(tree, 32);
    expect(tree.depth).toBe(5);
    const start = (id: number) => JSON.stringify(pathOf(tree, id).slice(0, 2));
    for (const a of identity(32)) {
      for (const b of identity(32)) expect(start(a) === start(b)).toBe(clusters[a] === clusters[b]);
    }
    // The two clusters on each side are nearest to each other.
    const side = (c: number) => pathOf(tree, clusters.indexOf(c))[0]![1];
    expect(side(0)).toBe(side(1));
    expect(side(2)).toBe(side(3));
    expect(side(0)).not.toBe(side(2));
  });

  test("equal vectors, single ones, pairs: a balanced tree all the same", () => {
    expectSound(twoMeansTree(new Float32Array(14).fill(1), 2), 7);
    expectSound(twoMeansTree(new Float32Array(3), 3), 1);
    expectSound(twoMeansTree(Float32Array.of(1, 2), 1), 2);
    expectSound(twoMeansTree(new TestRandom(2).normalFloats(5 * 17), 5, 1), 17);
  });

  test("refuses NaN, an empty table, D that does not divide, and no rounds", () => {
    expect(() => twoMeansTree(Float32Array.of(1, Number.NaN), 1)).toThrow(NotFiniteError);
    expect(() => twoMeansTree(new Float32Array(0), 1)).toThrow(EmptyInputError);
    expect(() => twoMeansTree(new Float32Array(5), 2)).toThrow(ShapeError);
    expect(() => twoMeansTree(new Float32Array(4), 2, 0)).toThrow(OptionError);
  });
});

describe("classTree refuses", () => {
  type Refusal = readonly [string, number, readonly number[], new (message: string) => Error, object];
  const cases: readonly Refusal[] = [
    ["children of another length", 3, [~0, ~1], ShapeError, { actual: 2, expected: 4 }],
    ["a class twice", 3, [~0, ~1, 0, ~1], OptionError, { index: 3, before: 1 }],
    ["a node twice", 4, [~0, ~1, 0, ~2, 0, 1], OptionError, { index: 4, before: 2 }],
    ["the root as a child", 3, [~0, ~1, 1, ~2], OptionError, { index: 2, value: 1 }],
    ["a class of n", 3, [~0, ~3, 0, ~2], OptionError, { index: 1, value: ~3 }],
    ["a node of n", 3, [~0, ~1, 3, ~2], OptionError, { index: 2, value: 3 }],
    ["a circle beside the root", 4, [1, ~0, 0, ~1, ~2, ~3], OptionError, { reached: 1 }],
  ];

  test.each(cases)("%s", (_, n, children, kind, values) => {
    const run = () => classTree(n, Int32Array.from(children));
    expect(run).toThrow(kind);
    expect(run).toThrow(expect.objectContaining({ values: expect.objectContaining(values) }));
  });

  test("nothing that is a tree, whichever way nodes are numbered", () => {
    expectSound(classTree(4, Int32Array.of(~0, 1, ~1, ~2, 0, ~3)), 4);
  });
});
