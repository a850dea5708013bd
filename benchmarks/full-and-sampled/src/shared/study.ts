import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { FileFormatError, LogqError, MissingFileError } from "@logq/core";
import { describeMachine, freePath, requireFolder, requirePage, writeIntoPage } from "@logq/micro-benchmarks";
import type { CliOutput, Places } from "./command.js";
import type { Circumstances } from "./results.js";

/** What a study's results say of themselves. Plain data: printed by `--json`, kept by `--out`. */
export interface StudyResults extends Circumstances {
  readonly study: string;
  readonly format: number;
}

/** A picture of the results, as a file beside the page. */
export interface Picture {
  /** Where it lies beside a page: "images/curves.svg" */
  readonly file: string;
  readonly svg: string;
}

/** A measured demonstration: a command line, a measurement, a page. */
export interface Study<Settings, Results extends StudyResults> {
  readonly name: string;
  /** Raised when the meaning of a field changes. */
  readonly format: number;
  /** @throws OptionError */
  parse(
    args: readonly string[],
    output: CliOutput,
  ): { readonly settings: Settings; readonly places: Places } | { readonly exitCode: number };
  measure(
    settings: Settings,
    data: string | undefined,
    head: Circumstances,
    tell: (text: string) => void,
  ): Promise<Results>;
  /** Markdown, without its last line end; pictures are linked as they lie beside a page. */
  page(results: Results): string;
  pictures(results: Results): readonly Picture[];
}

/**
 * A study as a program: its page on `out`, or one JSON object, and progress on `err`. Answers the exit code: 0; 1 if data are missing or something
 * failed; 2 for a command line that makes no sense.
 */
export async function runStudy<S, R extends StudyResults>(
  study: Study<S, R>,
  args: readonly string[],
  output: CliOutput,
): Promise<number> {
  try {
    const parsed = study.parse(args, output);
    if ("exitCode" in parsed) return parsed.exitCode === 0 ? 0 : 2;
    const { settings, places } = parsed;
    // Before minutes of work, not after.
    if (places.page !== undefined) await requirePage(places.page);
    if (places.out !== undefined) await requireFolder(places.out);
    const tell = (text: string) => output.err(`${text}\n`);
    const results =
      places.from === undefined
        ? await study.measure(settings, places.data ?? process.env.LOGQ_DATA, circumstances(), tell)
        : await readResults(study, places.from);
    output.out(places.json ? `${JSON.stringify(results)}\n` : `${study.page(results)}\n`);
    for (const file of await keep(study, results, places)) tell(`kept in ${file}`);
    return 0;
  } catch (error) {
    if (!LogqError.isInstance(error)) throw error;
    output.err(`${error.message}\n`);
    return error.code === "LOGQ_OPTION" ? 2 : 1;
  }
}

const circumstances = (): Circumstances => ({ date: new Date().toISOString(), machine: describeMachine() });

/** Writes what was asked for; answers the files. */
async function keep<S, R extends StudyResults>(
  study: Study<S, R>,
  results: R,
  { out, page, from }: Places,
): Promise<string[]> {
  const files: string[] = [];
  if (out !== undefined && from === undefined) {
    const file = freePath(path.join(out, `${results.date.slice(0, 10)}-${study.name}`));
    await writeFile(file, `${JSON.stringify(results, null, 2)}\n`, { flag: "wx" });
    files.push(file);
  }
  if (page !== undefined) {
    await writeIntoPage(`${study.page(results)}\n`, page);
    files.push(page);
  }
  const places = [out, page === undefined ? undefined : path.dirname(page)].filter((place) => place !== undefined);
  for (const place of places) files.push(...(await writePictures(place, study.pictures(results))));
  return files;
}

async function writePictures(folder: string, pictures: readonly Picture[]): Promise<string[]> {
  const files = pictures.map(({ file }) => path.join(folder, file));
  for (const [i, { svg }] of pictures.entries()) {
    await mkdir(path.dirname(files[i]!), { recursive: true });
    await writeFile(files[i]!, svg);
  }
  return files;
}

/** @throws MissingFileError, FileFormatError */
async function readResults<S, R extends StudyResults>({ name, format }: Study<S, R>, file: string): Promise<R> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new MissingFileError(`${file} cannot be read`, { file }, { cause });
  });
  const results = parsed(text, file);
  if (results.study === name && results.format === format) return results as R;
  const found = { study: results.study, format: results.format };
  throw new FileFormatError(`${file} is of ${found.study}, format ${found.format}, not of ${name}, format ${format}`, {
    ...{ file, ...found },
    expected: { study: name, format },
  });
}

function parsed(text: string, file: string): Partial<StudyResults> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch (cause) {
    throw new FileFormatError(`${file} is no JSON`, { file }, { cause });
  }
  throw new FileFormatError(`${file} holds no results`, { file });
}
