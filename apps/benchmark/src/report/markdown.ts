import { columns, columnsNote, reasonMarks } from "./columns.js";
import { type Fact, GLOSSARY, METHOD, machineFacts, settingsFacts } from "./facts.js";
import type { ReportParts } from "./html.js";
import { subtitle, TITLE } from "./title.js";

/** report.md: the report in text and tables, with the main chart beside it. */
export function reportMarkdown({ results, conclusion, figures, missing }: ReportParts): string {
  const [main] = figures;
  const blocks = [
    `# ${TITLE}`,
    escapeMarkdown(subtitle(results)),
    ...(missing === 0
      ? []
      : [`*Not finished: ${missing} planned cells are missing. Run the same command again to measure the rest.*`]),
    `**${escapeMarkdown(conclusion.time)}**`,
    escapeMarkdown(conclusion.baseline),
    escapeMarkdown(conclusion.accuracy),
    ...(main?.note === null ? [`![${main.title}](step-time.svg)`] : []),
    "## All cells",
    escapeMarkdown(columnsNote(results)),
    cellTable(results),
    ...reasons(results),
    "## Machine and settings",
    factTable([...machineFacts(results), ...settingsFacts(results)]),
    "## How it was measured",
    ...METHOD.map(escapeMarkdown),
    "## What the words mean",
    GLOSSARY.map(([name, text]) => `- **${escapeMarkdown(name)}**: ${escapeMarkdown(text)}`).join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function cellTable(results: ReportParts["results"]): string {
  const shown = columns(results);
  const marks = reasonMarks(results);
  const rows = results.cells.map((cell) =>
    shown.map((column) => {
      const mark = column.head === "loss" && cell.reason !== null ? ` [${marks.get(cell.reason)}]` : "";
      return column.show(cell) + mark;
    }),
  );
  return table(
    shown.map((column) => column.head),
    shown.map((column) => (column.numeric ? "---:" : "---")),
    rows,
  );
}

function reasons(results: ReportParts["results"]): string[] {
  const marks = [...reasonMarks(results)];
  return marks.length === 0
    ? []
    : [marks.map(([reason, mark]) => `\\[${mark}] ${escapeMarkdown(reason)}  `).join("\n")];
}

function factTable(facts: readonly Fact[]): string {
  return table(
    ["", ""],
    ["---", "---"],
    facts.map(([name, text]) => [name, text]),
  );
}

function table(head: readonly string[], rule: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head.map(escapeMarkdown)), line(rule), ...rows.map((row) => line(row.map(escapeMarkdown)))].join("\n");
}

/** Text that Markdown shows as it is, on one line, also inside a table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, " ").replace(/[\\`*_[\]<>|#&~]/g, (character) => `\\${character}`);
}
