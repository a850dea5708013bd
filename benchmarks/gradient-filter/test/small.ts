import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { withTemporaryFolder } from "@logq/micro-benchmarks";

const WORDS = 1500;
const LINE = 25;

/** Lines of words of which the k-th has a share of about 1/k: a spread sequence through the inverse of that law. */
function textOf(tokens: number, first: number): string {
  const golden = (Math.sqrt(5) - 1) / 2;
  const words = Array.from({ length: tokens }, (_, i) => `w${Math.floor(WORDS ** (((first + i) * golden) % 1))}`);
  const lines = Array.from({ length: Math.ceil(tokens / LINE) }, (_, i) =>
    words.slice(i * LINE, (i + 1) * LINE).join(" "),
  );
  return `${lines.join("\n")}\n`;
}

/** Runs something in a temporary folder, which has data in the layout of WikiText-2: 20,000 words to train on, 1,000 held out. */
export function withData<T>(use: (folder: string) => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    await mkdir(path.join(folder, "wikitext2"));
    await writeFile(path.join(folder, "wikitext2/train.txt.gz"), gzipSync(textOf(20_000, 0)));
    await writeFile(path.join(folder, "wikitext2/valid.txt"), textOf(1000, 20_000));
    return use(folder);
  });
}
