import { basename } from "node:path";
import { type Dataset, type DatasetSummary, SPLIT_NAMES } from "@logq/datasets";
import { bytes, columns, count, counted, duration, percent } from "../base/format.js";

/** How many of the most frequent classes are shown. */
const SHOWN = 6;
/** Names longer than this are cut. */
const SHOWN_LENGTH = 24;

/** What a user wants to see after a preparation: is this the data I meant? */
export function describeDataset(directory: string, summary: DatasetSummary, dataset: Dataset, seconds: number): string {
  const { classes } = dataset;
  const rows: [string, string][] = [["dataset", `${directory} (${summary.kind})`]];
  rows.push(["classes", describeClasses(summary, dataset)]);
  const shown = Array.from({ length: Math.min(SHOWN, classes.size) }, (_, id) => {
    return `${shortName(classes.name(id))} ×${count(classes.counts[id]!)}`;
  });
  rows.push(["most frequent", shown.join("  ")]);
  if (summary.users !== undefined) rows.push(["users", count(summary.users)]);
  if (summary.features !== undefined) rows.push(["features", count(summary.features)]);
  for (const part of SPLIT_NAMES) {
    const sizes = summary.splits[part];
    if (sizes !== undefined) rows.push([part, describeSizes(sizes)]);
  }
  const unknown = dataset.kind === "text" && dataset.unknown >= 0 ? classes.counts[dataset.unknown]! : 0;
  const tokens = summary.splits.train?.tokens ?? 0;
  if (unknown > 0) rows.push(["unknown words", `${percent(unknown / tokens)} of the training tokens`]);
  const leftOut = Object.entries(summary.leftOut).filter(([, size]) => size > 0);
  if (leftOut.length > 0) rows.push(["left out", describeSizes(Object.fromEntries(leftOut))]);
  const read = summary.sources.reduce((sum, source) => sum + source.bytes, 0);
  const files = summary.sources.map((source) => basename(source.file)).join(", ");
  rows.push(["read", `${bytes(read)} in ${duration(seconds)} (${files})`]);
  return columns(rows);
}

function describeClasses(summary: DatasetSummary, { classes }: Dataset): string {
  const what = { text: "words", pairs: "items", labels: "labels" }[summary.kind];
  let unseen = 0;
  while (unseen < classes.size && classes.counts[classes.size - 1 - unseen] === 0) unseen++;
  const never = unseen > 0 ? `, ${count(unseen)} of them never in the training part` : "";
  return `${count(classes.size)} ${what}${never}`;
}

function describeSizes(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([noun, size]) => counted(size, noun.replace(/s$/, "")))
    .join(", ");
}

function shortName(name: string): string {
  return name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH - 1)}…` : name;
}
