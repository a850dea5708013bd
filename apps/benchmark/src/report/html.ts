import { escapeText } from "@logq/charts";
import type { Conclusion } from "../analysis/conclusion.js";
import type { CellResult } from "../measure/types.js";
import type { Results } from "../sweep/results.js";
import { type Column, columns, columnsNote, reasonMarks } from "./columns.js";
import { type Fact, GLOSSARY, METHOD, machineFacts, settingsFacts } from "./facts.js";
import type { Figure, Panel } from "./panels.js";
import { REPORT_CSS } from "./style.js";
import { subtitle, TITLE } from "./title.js";

/** What a report is made from. `missing` is the number of planned cells that were not measured: 0 for a finished sweep. */
export interface ReportParts {
  readonly results: Results;
  readonly conclusion: Conclusion;
  readonly figures: readonly Figure[];
  readonly missing: number;
}

/** report.html: one file without scripts or links to anything outside it. */
export function reportHtml(parts: ReportParts): string {
  const { results, conclusion, figures } = parts;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(TITLE)}</title>
<style>${REPORT_CSS}</style>
</head>
<body>
<main>
<header>
<h1>${escapeText(TITLE)}</h1>
<p class="sub">${escapeText(subtitle(results))}</p>
</header>
${conclusionHtml(conclusion, parts.missing)}
${figures.map(figureHtml).join("\n")}
${cellsHtml(results)}
${section("machine", "Machine and settings", factsHtml(machineFacts(results)) + factsHtml(settingsFacts(results)))}
${section("method", "How it was measured", METHOD.map(paragraph).join("\n"))}
${section("words", "What the words mean", factsHtml(GLOSSARY))}
<footer>Written by logq. The same numbers: results.json, results.csv, report.md; the first chart alone: step-time.svg.</footer>
</main>
</body>
</html>
`;
}

function conclusionHtml(conclusion: Conclusion, missing: number): string {
  const partial =
    missing === 0
      ? ""
      : `<p class="partial">This sweep is not finished: ${missing} planned cell${missing === 1 ? " is" : "s are"} missing. Run the same command again to measure the rest.</p>\n`;
  return `<div class="conclusion">
${partial}<p class="lead">${escapeText(conclusion.time)}</p>
${paragraph(conclusion.baseline)}
${paragraph(conclusion.accuracy)}
</div>`;
}

function figureHtml(figure: Figure): string {
  const one = figure.panels.length === 1;
  const body =
    figure.note === null
      ? `<figure class="panels${one ? " one" : ""}">\n${figure.panels.map(panelHtml).join("\n")}\n</figure>`
      : `<p class="note">${escapeText(figure.note)}</p>`;
  return section(figure.id, figure.title, `<p class="caption">${escapeText(figure.caption)}</p>\n${body}`);
}

function panelHtml(panel: Panel): string {
  const heading = panel.heading === null ? "" : `<h3>${escapeText(panel.heading)}</h3>\n`;
  if (panel.narrow === null) return `<div class="chart">${heading}${panel.wide}</div>`;
  return `<div class="chart has-narrow">${heading}<div class="wide">${panel.wide}</div><div class="narrow">${panel.narrow}</div></div>`;
}

function cellsHtml(results: Results): string {
  const shown = columns(results);
  const marks = reasonMarks(results);
  const head = shown.map((column) => `<th scope="col"${align(column)}>${escapeText(column.head)}</th>`).join("");
  const rows = results.cells.map((cell, i) =>
    rowHtml(cell, shown, marks, results.cells[i - 1]?.classes !== cell.classes),
  );
  const notes = [...marks.keys()].map((reason) => `<li>${escapeText(reason)}</li>`).join("");
  return section(
    "cells",
    "All cells",
    `<p class="caption">${escapeText(columnsNote(results))}</p>
<div class="wide-table"><div class="scroll" tabindex="0" role="region" aria-label="Table of all cells">
<table>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</div></div>${notes === "" ? "" : `\n<ol class="notes">${notes}</ol>`}`,
  );
}

function rowHtml(cell: CellResult, shown: readonly Column[], marks: Map<string, number>, first: boolean): string {
  const cells = shown.map((column) => {
    const mark = column.head === "loss" && cell.reason !== null ? `<sup>${marks.get(cell.reason)}</sup>` : "";
    return `<td${align(column)}>${escapeText(column.show(cell))}${mark}</td>`;
  });
  return `<tr${first ? ' class="size"' : ""}>${cells.join("")}</tr>`;
}

function align(column: Column): string {
  return column.numeric ? ' class="n"' : "";
}

function factsHtml(facts: readonly Fact[]): string {
  const items = facts.map(([name, text]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(text)}</dd>`);
  return `<dl class="facts">${items.join("\n")}</dl>`;
}

function section(id: string, title: string, body: string): string {
  return `<section id="${id}">\n<h2>${escapeText(title)}</h2>\n${body}\n</section>`;
}

function paragraph(text: string): string {
  return `<p>${escapeText(text)}</p>`;
}
