import type { Scored } from "@logq/trainers";
import { decimal } from "../base/format.js";

export interface Ranked extends Scored {
  /** From 1. */
  readonly rank: number;
}

export function withRanks(list: readonly Scored[]): Ranked[] {
  return list.map((entry, index) => ({ rank: index + 1, ...entry }));
}

/** Rank, name and score, a line each, under a head line. */
export function scoreTable(list: readonly Ranked[], score: string): string {
  const rows = [
    ["rank", "name", score],
    ...list.map(({ rank, name, score: value }) => [String(rank), name, decimal(value)]),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  const [rankWidth, nameWidth, scoreWidth] = [width(0), width(1), width(2)];
  return rows
    .map(
      ([rank, name, value]) =>
        `${rank!.padStart(rankWidth)}  ${name!.padEnd(nameWidth)}  ${value!.padStart(scoreWidth)}\n`,
    )
    .join("");
}
