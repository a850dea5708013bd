/** Columns padded to their widest entry, under a head line; the last one is left as it is. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => [...line[column]!].length)));
  return lines
    .map((line) => `${line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd(widths[i]!))).join("  ")}\n`)
    .join("");
}

/** The same cells as a table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** Bytes a class, which may be a fraction: 0, 20, 595. */
export function decimalBytes(value: number): string {
  return Number.isInteger(value) || value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

/** .1234 as .12: shares of the tables of proposals. */
export function share(value: number): string {
  return value.toFixed(3).replace(/^0/, "");
}

/** So many digits after the point, and no −0. */
export function fixed(value: number, digits: number): string {
  return (Number(value.toFixed(digits)) + 0).toFixed(digits);
}
