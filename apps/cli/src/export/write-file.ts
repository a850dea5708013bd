import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OptionError } from "@logq/core";
import { requireWritable } from "../base/directories.js";

/** Checks that a file can be written at `path`, before any work is done. @throws OptionError */
export async function requireFilePlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile())
    throw new OptionError(`--out ${path} is not a file; it is left as it is`, { out: path });
  await requireWritable(dirname(path));
}

/**
 * Makes a file appear whole or not at all: chunks go to a sibling, which is renamed at the end. What was there before is replaced.
 * @returns the bytes written
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.new-${process.pid}-${randomBytes(4).toString("hex")}`);
  const handle = await open(temporary, "wx");
  let written = 0;
  try {
    try {
      for await (const chunk of chunks) {
        await handle.writeFile(chunk);
        written += chunk.length;
        onBytes(written);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
