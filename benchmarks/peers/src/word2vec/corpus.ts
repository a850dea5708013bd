import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { type Pair, readPairs } from "./similarity.js";

/** What everybody trains on and is judged by. */
export interface Corpus {
  /** Unpacked text. */
  readonly text: string;
  /** Words separated by white space, before anything is left out. */
  readonly tokens: number;
  /** Pairs of words that the text has, by the name of their list: the same for all. */
  readonly lists: Readonly<Record<string, readonly Pair[]>>;
  readonly judged: ReadonlySet<string>;
}

export const CORPUS_FILES = {
  text: "wikitext2/train.txt.gz",
  MEN: "word-similarity/EN-MEN-TR-3k.txt",
  "WS-353": "word-similarity/EN-WS-353-ALL.txt",
} as const;

/** @param lines as many of them; undefined: all */
export async function openCorpus(data: string, folder: string, lines: number | undefined): Promise<Corpus> {
  const whole = gunzipSync(await readFile(path.join(data, CORPUS_FILES.text))).toString("utf8");
  const content = lines === undefined ? whole : whole.split("\n").slice(0, lines).join("\n");
  const text = path.join(folder, "text.txt");
  await writeFile(text, content);
  const words = content.split(/\s+/).filter((word) => word !== "");
  const vocabulary = new Set(words);
  const lists = {
    MEN: await readPairs(path.join(data, CORPUS_FILES.MEN), vocabulary),
    "WS-353": await readPairs(path.join(data, CORPUS_FILES["WS-353"]), vocabulary),
  };
  const judged = new Set(Object.values(lists).flatMap((pairs) => pairs.flatMap(({ a, b }) => [a, b])));
  return { text, tokens: words.length, lists, judged };
}
