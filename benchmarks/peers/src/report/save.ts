import { writeFile } from "node:fs/promises";
import path from "node:path";
import { freePath, requireFolder } from "@logq/micro-benchmarks";
import type { Results } from "./results.js";
import { resultsPage } from "./table.js";

/** Writes <date>-peers.json, and the same as <date>-peers.md; never over older ones: a number follows. Answers both paths. */
export async function saveResults(results: Results, folder: string): Promise<string[]> {
  await requireFolder(folder);
  const json = freePath(path.join(folder, `${results.date.slice(0, 10)}-peers`));
  const page = json.replace(/json$/, "md");
  await writeFile(json, `${JSON.stringify(results, null, 2)}\n`, { flag: "wx" });
  await writeFile(page, resultsPage(results));
  return [json, page];
}
