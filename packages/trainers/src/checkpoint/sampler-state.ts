import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileFormatError } from "@logq/core";
import { encodeHead, type HeadFormat, readHead } from "@logq/datasets";
import { type StateSnapshot, statefulSamplerFrom } from "@logq/samplers";
import type { EngineHost } from "../engine/host.js";
import type { RunHead } from "./format.js";

const SAMPLER_FORMAT: HeadFormat = { magic: "LOGQSAMP", version: 1 };
const SAMPLER_FILE = "sampler.logq";

/** Writes what a sampler has learned from the targets of a run so far; answers the file's name, or null: it is not one that learns. */
export async function writeSamplerState(host: EngineHost, directory: string): Promise<string | null> {
  const stateful = host.spec.training?.candidates?.stateful;
  if (stateful === undefined) return null;
  const snapshot = statefulSamplerFrom(stateful).exportState();
  await writeFile(join(directory, SAMPLER_FILE), encodeHead(SAMPLER_FORMAT, snapshot));
  return SAMPLER_FILE;
}

/**
 * Brings a sampler of the same options to what a saved run's had learned: from there on it draws and learns as that one would have.
 * @throws MissingFileError, FileFormatError (the run has no such state); OptionError, ShapeError, SamplerError (it is another sampler's)
 */
export async function loadSamplerState(host: EngineHost, directory: string, head: RunHead): Promise<void> {
  const stateful = host.spec.training?.candidates?.stateful;
  const file = head.samplerState ?? null;
  if (stateful === undefined && file === null) return;
  if (stateful === undefined || file === null) {
    throw new FileFormatError(`${directory} holds ${file === null ? "no" : "a"} state of a sampler that learns`, {
      directory,
      saved: file,
    });
  }
  statefulSamplerFrom(stateful).importState((await readHead(SAMPLER_FORMAT, join(directory, file))) as StateSnapshot);
}
