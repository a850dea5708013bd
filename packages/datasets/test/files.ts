import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll } from "vitest";

/** A new directory under the system's temporary one, with spaces in its path; removed after the suite. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "logq datasets "));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes `content` (gzipped if the name says so) and answers the path. */
export async function fileOf(directory: string, name: string, content: string | Uint8Array): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, name.endsWith(".gz") ? gzipSync(content) : content);
  return file;
}

/** The error a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; values?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
