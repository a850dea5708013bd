import { mkdir } from "node:fs/promises";
import { OptionError } from "@logq/core";

/** A folder to keep results in, made if it is missing. @throws OptionError if there can be none, with the path and the system's reason */
export async function requireFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OptionError(`${folder} cannot be a folder for results (${code})`, { folder, code }, { cause });
  }
  return folder;
}
