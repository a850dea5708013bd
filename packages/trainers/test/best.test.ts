import { TestRandom } from "@logq/testing";
import { expect, it } from "vitest";
import { bestIds } from "../dist/serve/best.js";

const NONE = new Set<number>();

it.each([1, 2, 3, 7, 8, 9, 64, 500])(
  "the best 0 to n + 1 of %i scores are the first of all sorted, ties to the lower id",
  (n) => {
    const random = new TestRandom(n);
    const scores = Float32Array.from({ length: n }, () => random.integer(1 + n / 3));
    const skip = new Set(Array.from(random.distinctIntegers(Math.floor(n / 4), n)));
    const sorted = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
    for (const k of [0, 1, 2, 5, n - 1, n, n + 1]) {
      expect(bestIds(scores, k, NONE)).toEqual(sorted.slice(0, k));
      expect(bestIds(scores, k, skip)).toEqual(sorted.filter((id) => !skip.has(id)).slice(0, k));
    }
  },
);

it("infinite scores have their places", () => {
  const scores = [1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 2];
  expect(bestIds(scores, 4, NONE)).toEqual([2, 3, 0, 1]);
});
