import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { FileFormatError } from "@logq/core";
import { spearman } from "./spearman.js";

/** Two words and how alike people find them. */
export interface Pair {
  readonly a: string;
  readonly b: string;
  readonly score: number;
}

/** Lines `word<TAB>word<TAB>score`; those whose words are not both in `vocabulary` are left out. */
export async function readPairs(file: string, vocabulary: ReadonlySet<string>): Promise<Pair[]> {
  return parsePairs(await readFile(file, "utf8")).filter(({ a, b }) => vocabulary.has(a) && vocabulary.has(b));
}

export function parsePairs(text: string): Pair[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [a, b, score] = line.trim().split(/\s+/);
      return { a: a!, b: b ?? "", score: Number(score) };
    });
}

/** The named words' vectors from a text file of word2vec: a line `count width`, then `word value value …`. @throws FileFormatError */
export async function readVectors(file: string, wanted: ReadonlySet<string>): Promise<Map<string, Float64Array>> {
  const vectors = new Map<string, Float64Array>();
  let width: number | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (width === undefined) {
      width = Number(line.trim().split(" ")[1]);
      if (!Number.isInteger(width))
        throw new FileFormatError(`${file}: "${line}" is no line "count width"`, { file, line });
      continue;
    }
    const word = line.slice(0, line.indexOf(" "));
    if (wanted.has(word)) vectors.set(word, parseVector(line.slice(word.length + 1), width, file));
  }
  return vectors;
}

function parseVector(text: string, width: number, file: string): Float64Array {
  const values = Float64Array.from(text.trim().split(" "), Number);
  if (values.length !== width || !values.every(Number.isFinite)) {
    throw new FileFormatError(
      `${file}: a vector of ${values.length} values, or not of numbers; its width is ${width}`,
      { file, width },
    );
  }
  return values;
}

/** Spearman between people's scores and the cosines. @throws FileFormatError if a word has no vector */
export function similarity(pairs: readonly Pair[], vectors: ReadonlyMap<string, Float64Array>): number {
  const vector = (word: string) => {
    const found = vectors.get(word);
    if (found === undefined) throw new FileFormatError(`there is no vector of "${word}"`, { word });
    return found;
  };
  const cosines = pairs.map(({ a, b }) => cosine(vector(a), vector(b)));
  return spearman(
    pairs.map(({ score }) => score),
    cosines,
  );
}

function cosine(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}
