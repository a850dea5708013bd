import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FileFormatError, MissingFileError } from "@logq/core";
import type { SplitName } from "../types.js";
import type { ProgressMeter } from "./progress.js";

/** One input file and the part it belongs to. */
export interface Source {
  readonly file: string;
  readonly part: SplitName;
  /** Size on disk, compressed if it is. */
  readonly bytes: number;
}

const CHUNK_BYTES = 1 << 18;

/**
 * The input files in reading order (train, validation, test), with their sizes.
 * @throws MissingFileError for the first that is not a readable file
 */
export async function findSources(files: Partial<Record<SplitName, readonly string[]>>): Promise<Source[]> {
  const sources: Source[] = [];
  for (const part of ["train", "validation", "test"] as const) {
    for (const file of files[part] ?? []) sources.push({ file, part, bytes: await sizeOf(file) });
  }
  return sources;
}

/**
 * The bytes of a file, unpacked if its name ends in .gz.
 * @param meter hears of the bytes read from the disk
 * @throws MissingFileError if it cannot be read, FileFormatError if it is not what its name says
 */
export async function* readChunks(source: Source, meter: ProgressMeter): AsyncGenerator<Uint8Array, void, undefined> {
  const { file } = source;
  const packed = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const stream: Readable = file.endsWith(".gz") ? unpack(packed) : packed;
  let known = 0;
  try {
    for await (const chunk of stream) {
      meter.add(packed.bytesRead - known);
      known = packed.bytesRead;
      yield chunk as Uint8Array;
    }
    meter.add(source.bytes - known);
  } catch (error) {
    throw translate(error, file);
  } finally {
    packed.destroy();
  }
}

function unpack(packed: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.on("error", (error) => gunzip.destroy(error));
  return packed.pipe(gunzip);
}

function translate(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code ?? "";
  if (code.startsWith("Z_")) {
    return new FileFormatError(
      `${file} is not a whole gzip file (${(error as Error).message})`,
      { file },
      { cause: error },
    );
  }
  if (code.startsWith("E")) return new MissingFileError(`${file} cannot be read (${code})`, { file }, { cause: error });
  return error;
}

async function sizeOf(file: string): Promise<number> {
  try {
    const status = await stat(file);
    if (status.isDirectory()) throw new MissingFileError(`${file} is a directory, not a file`, { file });
    return status.size;
  } catch (cause) {
    if (cause instanceof MissingFileError) throw cause;
    throw new MissingFileError(`${file} does not exist or cannot be read`, { file }, { cause });
  }
}
