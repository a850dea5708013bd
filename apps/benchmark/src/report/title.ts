import { sizes } from "../analysis/select.js";
import { count } from "../format.js";
import type { Results } from "../sweep/results.js";

/** The title of every report. */
export const TITLE = "What a class costs: full softmax against candidate sampling";

/** "1,000 to 100,000 classes, 22 cells, measured on 2025-01-31 on AMD EPYC, 2 cores." */
export function subtitle(results: Results): string {
  const { machine, cells } = results;
  const all = sizes(results);
  const span =
    all.length === 0
      ? "No class count"
      : all.length === 1
        ? count(all[0]!)
        : `${count(all[0]!)} to ${count(all.at(-1)!)}`;
  const cellWord = cells.length === 1 ? "cell" : "cells";
  return `${span} classes, ${cells.length} ${cellWord}, measured on ${machine.date.slice(0, 10)} on ${machine.cpu} (${count(machine.cores)} logical cores), Node.js ${machine.node}.`;
}
