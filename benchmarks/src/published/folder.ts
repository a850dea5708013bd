import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MissingFileError } from "@logq/core";

/** The folder that holds files of published data. @param data what the user named, if anything. @throws MissingFileError that says what is expected */
export function requireFiles(data: string | undefined, needs: readonly string[]): string {
  if (data === undefined || data === "") {
    throw new MissingFileError(`no data: --data or LOGQ_DATA has to name a folder with ${needs.join(", ")}`, { needs });
  }
  const missing = needs.filter((file) => !existsSync(path.join(data, file)));
  if (missing.length > 0) {
    throw new MissingFileError(`no data: ${data} has no ${missing.join(", no ")}; expected are ${needs.join(", ")}`, {
      data,
      missing,
    });
  }
  return data;
}

/** For what is prepared or saved on the way; gone afterwards. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "logq-benchmark-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
