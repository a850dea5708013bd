import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { requireFolder } from "./folder.js";
import type { Results } from "./results.js";

/** The folder that is kept in the repository. */
export const RESULTS_FOLDER = fileURLToPath(new URL("../../results/", import.meta.url));

/** Writes one file a subject, <date>-<subject>.json, and never over an older one: a number follows. Answers the paths. */
export async function saveResults(results: Results, folder = RESULTS_FOLDER): Promise<string[]> {
  await requireFolder(folder);
  const paths: string[] = [];
  for (const one of results.subjects) {
    const file = freePath(path.join(folder, `${results.date.slice(0, 10)}-${one.subject}`));
    await writeFile(file, `${JSON.stringify({ ...results, subjects: [one] }, null, 2)}\n`, { flag: "wx" });
    paths.push(file);
  }
  return paths;
}

/** stem.json, or with a number behind it if that is taken. */
export function freePath(stem: string): string {
  for (let number = 1; ; number++) {
    const file = number === 1 ? `${stem}.json` : `${stem}-${number}.json`;
    if (!existsSync(file)) return file;
  }
}
