import { readFile, writeFile } from "node:fs/promises";
import { FileFormatError, MissingFileError } from "@logq/core";

/** What the numbers stand behind in a document; they reach to its end. */
const MARK = "\n## The numbers\n";

/** A document that can take numbers. @throws MissingFileError, FileFormatError if it has no line "## The numbers" */
export async function requirePage(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new MissingFileError(`${file} cannot be read`, { file }, { cause });
  });
  if (!text.includes(MARK)) throw new FileFormatError(`${file} has no line "${MARK.trim()}"`, { file });
  return text;
}

/** Writes numbers (Markdown, with its last line end) into a document, in place of those it has. */
export async function writeIntoPage(numbers: string, file: string): Promise<void> {
  const text = await requirePage(file);
  await writeFile(file, `${text.slice(0, text.indexOf(MARK) + MARK.length)}\n${numbers}`);
}
