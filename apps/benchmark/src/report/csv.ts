import type { CellResult } from "../measure/types.js";

/** The columns of results.csv: the fields of a cell in results.json, recall spread over two columns each. */
const COLUMNS: readonly [name: string, value: (cell: CellResult) => string | number | boolean | null][] = [
  ["classes", (cell) => cell.classes],
  ["loss", (cell) => cell.loss],
  ["sampler", (cell) => cell.sampler],
  ["negatives", (cell) => cell.negatives],
  ["workers", (cell) => cell.workers],
  ["backend", (cell) => cell.backend],
  ["steps", (cell) => cell.steps],
  ["seconds", (cell) => cell.seconds],
  ["stepMilliseconds", (cell) => cell.stepMilliseconds],
  ["stepMillisecondsLow", (cell) => cell.stepMillisecondsLow],
  ["stepMillisecondsHigh", (cell) => cell.stepMillisecondsHigh],
  ["examplesPerSecond", (cell) => cell.examplesPerSecond],
  ["tableBytes", (cell) => cell.tableBytes],
  ["gemmShare", (cell) => cell.gemmShare],
  ["crossEntropy", (cell) => cell.crossEntropy],
  ["crossEntropyAtEqualSteps", (cell) => cell.crossEntropyAtEqualSteps],
  ["bestCrossEntropy", (cell) => cell.bestCrossEntropy],
  ["recallAt1", (cell) => cell.recall?.["1"] ?? null],
  ["recallAt10", (cell) => cell.recall?.["10"] ?? null],
  ["recallAt1AtEqualSteps", (cell) => cell.recallAtEqualSteps?.["1"] ?? null],
  ["recallAt10AtEqualSteps", (cell) => cell.recallAtEqualSteps?.["10"] ?? null],
  ["equalSteps", (cell) => cell.equalSteps],
  ["gradientBias", (cell) => cell.gradientBias],
  ["gradientSpread", (cell) => cell.gradientSpread],
  ["reason", (cell) => cell.reason],
  ["failed", (cell) => cell.failed],
];

/** results.csv: RFC 4180, a header line, CRLF, an empty field where nothing was measured. */
export function resultsCsv(cells: readonly CellResult[]): string {
  const lines = [COLUMNS.map(([name]) => name), ...cells.map((cell) => COLUMNS.map(([, value]) => value(cell)))];
  return lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

/** A field of RFC 4180: quoted if it holds a comma, a quote or a line break, quotes doubled. Null is the empty field. */
export function csvField(value: string | number | boolean | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
