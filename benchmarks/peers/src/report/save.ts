import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { FileFormatError, MissingFileError } from "@logq/core";
import { freePath } from "@logq/micro-benchmarks";
import type { Results } from "./results.js";
import { resultsPage } from "./table.js";

/** Writes <date>-peers.json, and the same as <date>-peers.md; never over older ones: a number follows. Answers both paths. */
export async function saveResults(results: Results, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const json = freePath(path.join(folder, `${results.date.slice(0, 10)}-peers`));
  const page = json.replace(/json$/, "md");
  await writeFile(json, `${JSON.stringify(results, null, 2)}\n`, { flag: "wx" });
  await writeFile(page, resultsPage(results));
  return [json, page];
}

/** What the tables stand behind in a document; they reach to its end. */
const MARK = "\n## The numbers\n";

/** A document that can take tables. @throws MissingFileError, FileFormatError if it has no line "## The numbers" */
export async function requirePage(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new MissingFileError(`${file} cannot be read`, { file }, { cause });
  });
  if (!text.includes(MARK)) throw new FileFormatError(`${file} has no line "${MARK.trim()}"`, { file });
  return text;
}

/** Writes the tables into a document, in place of those it has. */
export async function writeIntoPage(results: Results, file: string): Promise<void> {
  const text = await requirePage(file);
  await writeFile(file, `${text.slice(0, text.indexOf(MARK) + MARK.length)}\n${resultsPage(results)}`);
}
