import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { thisCpu } from "@logq/native";
import { fileOf } from "./find.js";
import { forcibleCores } from "./forcible.js";
import type { ProbeAnswer } from "./probe.js";

const PROBE_FILE = fileURLToPath(new URL("./probe.js", import.meta.url));

/** How much faster a forced core must be than what OpenBLAS takes anyway. */
const WORTH_FORCING = 1.1;

/**
 * The value of OPENBLAS_CORETYPE with which this library is fastest on this processor; undefined: what it takes anyway, from the environment or by
 * its own choice. Candidates come from the processor's flags and are compared in processes of their own, once: the answer is kept in the user's
 * cache folder, if there is one.
 */
export function fastestCoreType(library: string): string | undefined {
  const cpu = thisCpu();
  const forcible = forcibleCores(cpu.flags);
  if (forcible.length === 0) return undefined;
  const anyway = process.env.OPENBLAS_CORETYPE || "own choice";
  const key = [cpu.model, forcible.join(" "), fileOf(library), anyway].join(" | ");
  const cache = readCache();
  const known = cache[key];
  if (known !== undefined) return known === "" ? undefined : known;
  const best = compareCores(library, forcible);
  writeCache({ ...cache, [key]: best ?? "" });
  return best;
}

function compareCores(library: string, forcible: readonly string[]): string | undefined {
  const own = probeIn(library, undefined);
  let best: { core: string | undefined; rate: number } = { core: undefined, rate: WORTH_FORCING * (own?.rate ?? 0) };
  for (const core of forcible) {
    const forced = probeIn(library, core);
    if (forced !== undefined && forced.rate > best.rate) best = { core, rate: forced.rate };
  }
  return best.core;
}

/** undefined: the process failed, so this core is not to be used. */
function probeIn(library: string, core: string | undefined): ProbeAnswer | undefined {
  const forced = core === undefined ? {} : { OPENBLAS_CORETYPE: core };
  const env = { ...process.env, OPENBLAS_NUM_THREADS: "1", ...forced };
  try {
    const text = execFileSync(process.execPath, [PROBE_FILE, library], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    });
    return JSON.parse(text) as ProbeAnswer;
  } catch {
    return undefined;
  }
}

function cacheFile(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const folder =
    XDG_CACHE_HOME || (process.platform === "win32" ? LOCALAPPDATA : undefined) || join(homedir(), ".cache");
  return join(folder, "logq", "blas-cores.json");
}

function readCache(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(cacheFile(), "utf8")) as Record<string, string>;
  } catch {
    return {};
  }
}

function writeCache(cache: Record<string, string>): void {
  try {
    mkdirSync(dirname(cacheFile()), { recursive: true });
    writeFileSync(cacheFile(), `${JSON.stringify(cache, undefined, 2)}\n`);
  } catch {
    // A machine without a writable cache compares anew in each process.
  }
}
