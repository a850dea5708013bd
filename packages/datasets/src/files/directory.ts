import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { OptionError } from "@logq/core";

/** Which existing directories may be replaced. */
export interface ReplaceRule {
  /** What is written, for the error: "dataset", "checkpoint". */
  readonly what: string;
  /** Whether the directory holds one of those, so that replacing it destroys nothing else. */
  isOurs(directory: string): Promise<boolean>;
}

/**
 * Makes `directory` appear complete or not at all: `write` fills a new sibling, which is renamed into place at the end.
 * An existing directory is replaced only if it is empty or `rule.isOurs`; this is asked before anything is written. If `write`
 * throws, the sibling is removed and what was there before stays. Missing parents are made; a symbolic link stays a link.
 * A process that is killed may leave a sibling named .NAME.new-… behind, never a part of `directory`.
 * @returns what `write` returned
 * @throws OptionError if something else stands at `directory`, or it cannot be made
 */
export async function writeDirectoryAtomically<T>(
  directory: string,
  write: (temporary: string) => Promise<T>,
  rule: ReplaceRule,
): Promise<T> {
  const target = await realpath(directory).catch(() => resolve(directory));
  await requireReplaceable(target, rule);
  const parent = dirname(target);
  const mark = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const temporary = join(parent, `.${basename(target)}.new-${mark}`);
  const previous = join(parent, `.${basename(target)}.old-${mark}`);
  await makeDirectory(temporary);
  try {
    const result = await write(temporary);
    // Asked again: writing took a while, and someone else may have put something there.
    const exists = await requireReplaceable(target, rule);
    await syncDirectory(temporary);
    if (exists) await rename(target, previous);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (exists) await rename(previous, target);
      throw error;
    }
    await syncDirectory(parent);
    if (exists) await rm(previous, { recursive: true, force: true });
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Whether `target` exists; throws if it may not be replaced. */
async function requireReplaceable(target: string, rule: ReplaceRule): Promise<boolean> {
  let entries: string[];
  try {
    entries = await readdir(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new OptionError(`${target} is not a directory; a ${rule.what} is not written over it`, {
      name: "output",
      value: target,
    });
  }
  if (entries.length > 0 && !(await rule.isOurs(target))) {
    throw new OptionError(`${target} holds other things than a ${rule.what}; it is left as it is`, {
      name: "output",
      value: target,
      entries: entries.slice(0, 3),
    });
  }
  return true;
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new OptionError(
      `${directory} cannot be made (${code})`,
      { name: "output", value: directory, code },
      { cause },
    );
  }
}

/** Makes renames inside a directory survive a loss of power, where the system can (Windows cannot open directories). */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
