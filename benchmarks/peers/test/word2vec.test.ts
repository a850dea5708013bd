import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parsePairs, readPairs, readVectors, similarity } from "../src/word2vec/similarity.js";
import { spearman } from "../src/word2vec/spearman.js";
import { wordsPerSecond } from "../src/word2vec/trainees.js";
import { temporaryFolder } from "./small.js";

describe("spearman", () => {
  it("is 1 for the same order, −1 for the reverse, whatever the values", () => {
    expect(spearman([1, 2, 3, 4], [10, 20, 300, 4000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3, 4], [4, 3, 2, -9])).toBeCloseTo(-1, 12);
  });

  it("gives ties the mean of their ranks: 0.9486832981 for 1 2 2 4 against 1 2 3 4", () => {
    expect(spearman([1, 2, 2, 4], [1, 2, 3, 4])).toBeCloseTo(0.9486832981, 9);
  });

  it("is NaN where one list is constant", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});

describe("vectors and pairs", () => {
  it("are read from word2vec's text, and only the words that are wanted", async () => {
    const file = path.join(await temporaryFolder(), "v.txt");
    await writeFile(file, "3 2\na 1 0\nb 0 1\nc 1 1\n");
    const vectors = await readVectors(file, new Set(["a", "c"]));
    expect([...vectors].map(([word, values]) => [word, ...values])).toEqual([
      ["a", 1, 0],
      ["c", 1, 1],
    ]);
  });

  it("of another width are refused", async () => {
    const file = path.join(await temporaryFolder(), "v.txt");
    await writeFile(file, "1 3\na 1 0\n");
    await expect(readVectors(file, new Set(["a"]))).rejects.toThrow("its width is 3");
  });

  it("are those whose words everybody has", async () => {
    const file = path.join(await temporaryFolder(), "pairs.txt");
    await writeFile(file, "a\tb\t5\na\tx\t7.5\n");
    expect(parsePairs("a\tb\t5\n\na x 7.5\n")).toHaveLength(2);
    expect(await readPairs(file, new Set(["a", "b"]))).toEqual([{ a: "a", b: "b", score: 5 }]);
  });

  it("are judged by the order of cosines; a missing vector is an error", () => {
    const vectors = new Map(
      [
        ["a", [1, 0]],
        ["b", [1, 0.1]],
        ["c", [0, 1]],
      ].map(([w, v]) => [w as string, Float64Array.from(v as number[])]),
    );
    const pairs = [
      { a: "a", b: "b", score: 9 },
      { a: "b", b: "c", score: 5 },
      { a: "a", b: "c", score: 1 },
    ];
    expect(similarity(pairs, vectors)).toBeCloseTo(1, 12);
    expect(() => similarity([{ a: "a", b: "z", score: 1 }], vectors)).toThrow('no vector of "z"');
  });
});

describe("fastText's progress", () => {
  it("ends with its rate", () => {
    expect(wordsPerSecond("Progress: 10% words/sec/thread:  100 lr\rProgress: 100% words/sec/thread:  31337 lr")).toBe(
      31337,
    );
    expect(() => wordsPerSecond("Read 0M words")).toThrow("did not say how fast");
  });
});
