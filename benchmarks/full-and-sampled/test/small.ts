import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { withTemporaryFolder } from "@logq/micro-benchmarks";

const WORDS = 1500;

/** Titles of 1 to 12 words, the k-th word having a share of about 1/k: a spread sequence through the inverse of that law. */
function titles(count: number): string {
  const golden = (Math.sqrt(5) - 1) / 2;
  let at = 0;
  const lines = Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 1 + ((7 * i) % 12) }, () => `w${Math.floor(WORDS ** ((at++ * golden) % 1))}`);
    return `pics\timgur.com\t${words.join(" ")}`;
  });
  return `${lines.join("\n")}\n`;
}

/** Runs something in a temporary folder, which has data in the layout of the Reddit titles: 6,000 titles of some 39,000 words. */
export function withTitles<T>(use: (folder: string) => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    await mkdir(path.join(folder, "reddit-titles"));
    await writeFile(path.join(folder, "reddit-titles/titles.tsv.gz"), gzipSync(titles(6000)));
    return use(folder);
  });
}
