import { mkdtemp, readdir, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { MissingFileError, OptionError } from "@logq/core";
import { hasDataset } from "@logq/datasets";
import { isRun } from "@logq/trainers";

/** The absolute path of a prepared dataset. @throws MissingFileError that says what stands there instead */
export async function requireDataset(directory: string): Promise<string> {
  const path = resolve(directory);
  await requireDirectory(path, "dataset");
  if (await hasDataset(path)) return path;
  const instead = (await isRun(path)) ? "it is a trained run" : "make one with `logq prepare`";
  throw new MissingFileError(`${path} is not a prepared dataset: ${instead}`, { directory: path });
}

/** The absolute path of a trained run. @throws MissingFileError that says what stands there instead */
export async function requireRun(directory: string): Promise<string> {
  const path = resolve(directory);
  await requireDirectory(path, "run");
  if (await isRun(path)) return path;
  const instead = (await hasDataset(path)) ? "it is a dataset" : "`logq train` writes one";
  throw new MissingFileError(`${path} is not a trained run: ${instead}`, { directory: path });
}

async function requireDirectory(path: string, what: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  const why = found === undefined ? "does not exist" : "is not a directory";
  throw new MissingFileError(`${path} ${why}: there is no ${what} in it`, { directory: path });
}

/** What may be replaced at the place of a result. */
export interface OutputRule {
  readonly what: string;
  isOurs(path: string): Promise<boolean>;
  /** Directories that the result may neither hold nor lie in, and what they are. */
  readonly apart?: readonly string[];
}

/**
 * The absolute path of a directory that can be written, found out before any work is done.
 * @throws OptionError if something else stands there, or if the place cannot be written
 */
export async function requireOutput(directory: string, rule: OutputRule): Promise<string> {
  const path = resolve(directory);
  for (const other of rule.apart ?? []) {
    if (!contains(path, other) && !contains(other, path)) continue;
    throw new OptionError(`--out ${path} and the input ${other} may not lie in one another`, { out: path, other });
  }
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new OptionError(`--out ${path} is not a directory that can be read (${error.code})`, { out: path });
  });
  if (entries.length > 0 && !(await rule.isOurs(path))) {
    throw new OptionError(`--out ${path} holds other things than a ${rule.what}; it is left as it is`, {
      out: path,
      entries: entries.slice(0, 3),
    });
  }
  await requireWritable(dirname(path));
  return path;
}

/**
 * Checks the nearest ancestor that exists: results are written beside their place and renamed. It is tried rather than asked, for permissions
 * do not tell of read-only and virtual file systems.
 * @throws OptionError
 */
export async function requireWritable(parent: string): Promise<void> {
  const found = await stat(parent).catch(() => undefined);
  if (found === undefined && dirname(parent) !== parent) return requireWritable(dirname(parent));
  if (found?.isDirectory() !== true) {
    throw new OptionError(`${parent} is not a directory; nothing can be written in it`, { directory: parent });
  }
  try {
    await rmdir(await mkdtemp(join(parent, ".logq-")));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OptionError(`${parent} cannot be written (${code})`, { directory: parent, code }, { cause });
  }
}

function contains(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path === "" || !(path === ".." || path.startsWith(`..${sep}`) || resolve(path) === path);
}
