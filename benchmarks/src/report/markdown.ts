import type { Machine } from "../machine/describe.js";

/** Lines of a table: the first column to the left, numbers to the right. */
export function markdownTable([head, ...lines]: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head!), line(head!.map((_, i) => (i === 0 ? "---" : "--:"))), ...lines.map(line)];
}

/** The machine in a line; no date and no load, which the file of the results keeps. */
export function machineLine({ cpu, cores, memoryBytes, os, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${os}; Node ${node}`;
}

/** A difference with its sign, unless it rounds to 0. */
export function signedPercent(share: number, places = 3): string {
  const text = `${(100 * share).toFixed(places)}%`;
  if (Number.parseFloat(text) === 0) return `${(0).toFixed(places)}%`;
  return share > 0 ? `+${text}` : text;
}
