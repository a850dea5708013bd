// Runs a built program as if `node <file> <args>` had been typed in the caller's folder.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CannotRun } from "./failure.mjs";
import { callerFolder, root } from "./places.mjs";

/**
 * The program is imported into this very process rather than started as a child. The terminal, standard input, exit
 * codes and signals are then its own, with nobody in between to swallow a Ctrl-C or deliver it twice.
 * @param {string} file relative to the root
 */
export async function runProgram(file, args) {
  const path = join(root, file);
  if (!existsSync(path)) throw new CannotRun(`${file} was not made by the build; there is nothing to run.`);
  process.argv = [process.execPath, path, ...args];
  process.chdir(callerFolder);
  await import(pathToFileURL(path).href);
}
