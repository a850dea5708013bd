import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { MissingFileError, OptionError } from "@logq/core";
import { type Io, printResult } from "../base/io.js";
import { writeFileAtomically } from "../export/write-file.js";
import { type ListedSampler, listedSamplers } from "./list.js";
import { decimalBytes, markdownTable } from "./tables.js";

/** What stands between these lines of a page is generated. */
export const PAGE_BEGIN = "<!-- samplers: written by `logq samplers --page`; do not edit -->";
export const PAGE_END = "<!-- samplers: end -->";

/** The generated part of a page: three tables, of all samplers. */
export function generatedPart(samplers: readonly ListedSampler[] = listedSamplers()): string {
  const choice = markdownTable(
    ["sampler", "what it draws", "when to use it", "source"],
    samplers.map(({ name, draws, use, source }) => [`\`${name}\``, draws, use, source]),
  );
  const honesty = markdownTable(
    ["sampler", "kind", "drawn for a", "replacement", "log Q"],
    samplers.map(({ name, kind, per, replacement, biased, logQ }) => [
      `\`${name}\``,
      kind,
      per.join(" or "),
      replacement,
      biased ? `**Biased.** ${logQ}` : logQ,
    ]),
  );
  const costs = markdownTable(
    ["sampler", "a draw of S", "keeping up", "bytes a class"],
    samplers.map(({ name, drawCost, updateCost, bytesPerClass }) => [
      `\`${name}\``,
      drawCost,
      updateCost,
      decimalBytes(bytesPerClass),
    ]),
  );
  return `\n${choice}\n${honesty}\n${costs}\n`;
}

/** A page whose generated part is what the samplers say. @throws OptionError if it has no place for it */
export function withGeneratedPart(page: string, file: string): string {
  const begin = page.indexOf(PAGE_BEGIN);
  const end = page.indexOf(PAGE_END);
  if (begin < 0 || end < begin) {
    throw new OptionError(`${file} has no lines "${PAGE_BEGIN}" and "${PAGE_END}" to write between`, { file });
  }
  return `${page.slice(0, begin + PAGE_BEGIN.length)}\n${generatedPart()}${page.slice(end)}`;
}

/** `logq samplers --page FILE`: renews the generated part of a page. @throws MissingFileError, OptionError */
export async function writePage(io: Io, name: string, asJson: boolean | undefined): Promise<void> {
  const file = resolve(name);
  const page = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new MissingFileError(`${file} cannot be read (${cause.code})`, { file }, { cause });
  });
  const renewed = withGeneratedPart(page, file);
  if (renewed !== page) await writeFileAtomically(file, [new TextEncoder().encode(renewed)], () => {});
  printResult(io, asJson, { page: file, changed: renewed !== page }, () =>
    renewed === page ? `${file} is up to date\n` : `${file} was written\n`,
  );
}
