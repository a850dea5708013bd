import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MissingFileError, OptionError } from "@logq/core";
import { type Io, printResult } from "../base/io.js";
import { writeFileAtomically } from "../export/write-file.js";
import { type Converged, parseLog } from "./converge/log.js";
import { convergedMarkdown } from "./converge/table.js";
import { type ListedSampler, listedSamplers } from "./list.js";
import { decimalBytes, markdownTable } from "./tables.js";

/** Lines of a page between which everything is generated. */
export interface Markers {
  readonly begin: string;
  readonly end: string;
}

/** Around the lists of all samplers. */
export const LISTS: Markers = {
  begin: "<!-- samplers: written by `logq samplers --page`; do not edit -->",
  end: "<!-- samplers: end -->",
};

/** Around what trainings came to. */
export const TRAININGS: Markers = {
  begin: "<!-- trainings: written by `logq samplers --page --from`; do not edit -->",
  end: "<!-- trainings: end -->",
};

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

/** A page whose part between two lines is `part`. @throws OptionError if it has no place for it */
export function withPart(page: string, { begin, end }: Markers, part: string, file: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new OptionError(`${file} has no lines "${begin}" and "${end}" to write between`, { file });
  }
  return `${page.slice(0, from + begin.length)}\n${part}${page.slice(to)}`;
}

/**
 * A page whose generated parts are what the samplers say, and what trainings came to.
 * @param trainings undefined: that part is left as it is
 * @throws OptionError if it has no place for them
 */
export function renewedPage(page: string, file: string, trainings: readonly Converged[] | undefined): string {
  const listed = withPart(page, LISTS, generatedPart(), file);
  if (trainings === undefined) return listed;
  return withPart(listed, TRAININGS, `\n${trainings.map(convergedMarkdown).join("\n")}\n`, file);
}

/** All files of trainings in a folder, by name. @throws MissingFileError, FileFormatError */
export async function readTrainings(folder: string): Promise<Converged[]> {
  const found = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new MissingFileError(`${folder} cannot be read (${cause.code})`, { folder }, { cause });
  });
  const names = found.filter((name) => name.endsWith(".jsonl")).sort();
  if (names.length === 0) throw new MissingFileError(`${folder} holds no trainings (*.jsonl)`, { folder });
  const files = names.map((name) => join(folder, name));
  return Promise.all(files.map(async (file) => parseLog(await readFile(file, "utf8"), file)));
}

/**
 * `logq samplers --page FILE [--from FOLDER]`: renews the generated parts of a page.
 * @throws MissingFileError, OptionError, FileFormatError
 */
export async function writePage(
  io: Io,
  name: string,
  from: string | undefined,
  asJson: boolean | undefined,
): Promise<void> {
  const file = resolve(name);
  const page = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new MissingFileError(`${file} cannot be read (${cause.code})`, { file }, { cause });
  });
  const trainings = from === undefined ? undefined : await readTrainings(resolve(from));
  const renewed = renewedPage(page, file, trainings);
  if (renewed !== page) await writeFileAtomically(file, [new TextEncoder().encode(renewed)], () => {});
  printResult(io, asJson, { page: file, changed: renewed !== page }, () =>
    renewed === page ? `${file} is up to date\n` : `${file} was written\n`,
  );
}
