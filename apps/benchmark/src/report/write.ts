import { writeFile } from "node:fs/promises";
import path from "node:path";
import { standaloneSvg } from "@logq/charts";
import { conclude } from "../analysis/conclusion.js";
import type { Results } from "../sweep/results.js";
import { resultsCsv } from "./csv.js";
import { figures, stepTimeChart } from "./figures.js";
import { reportHtml } from "./html.js";
import { reportMarkdown } from "./markdown.js";

/**
 * Writes report.html, report.md, results.csv and step-time.svg into `folder`, which exists. `missing` is the number of planned cells without a
 * measurement.
 * @returns the path of report.html.
 */
export async function writeReport(folder: string, results: Results, missing: number): Promise<string> {
  const conclusion = conclude(results);
  const parts = { results, conclusion, figures: figures(results, conclusion), missing };
  const html = path.join(folder, "report.html");
  await writeFile(html, reportHtml(parts));
  await writeFile(path.join(folder, "report.md"), reportMarkdown(parts));
  await writeFile(path.join(folder, "results.csv"), resultsCsv(results.cells));
  if (results.cells.some((cell) => cell.stepMilliseconds !== null)) {
    await writeFile(path.join(folder, "step-time.svg"), standaloneSvg(stepTimeChart(results, conclusion)));
  }
  return html;
}
