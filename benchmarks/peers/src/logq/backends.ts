import { type BackendChoice, compileBackend, describeBackend } from "@logq/blas";
import { OptionError } from "@logq/core";
import type { BackendName } from "@logq/kernels";
import { messageOf } from "../message.js";
import type { Absent } from "../report/results.js";

/** The back-ends of this logq. */
export interface Backends {
  /** Those that run here, the one that runs everywhere first: others are compared with it. */
  readonly names: readonly BackendName[];
  /** What each is: the library of a BLAS, and for which processor. */
  readonly descriptions: readonly string[];
  /** Those that do not run here, with the reason. */
  readonly absent: readonly Absent[];
}

/** Not for comparisons: the one that chooses, and the one that is written to be read. */
const LEFT_OUT = ["auto", "reference"];
const EVERYWHERE = "wasm";

/** Asks for every back-end that there is. */
export async function findBackends(): Promise<Backends> {
  const names: BackendName[] = [];
  const descriptions: string[] = [];
  const absent: Absent[] = [];
  for (const name of await knownBackends()) {
    try {
      const backend = await compileBackend(name, true);
      names.push(backend.name);
      descriptions.push(describeBackend(backend));
    } catch (error) {
      absent.push({ contender: `logq, ${name}`, reason: messageOf(error) });
    }
  }
  return { names, descriptions, absent };
}

/** All names that are accepted: a refusal lists them. */
async function knownBackends(): Promise<BackendName[]> {
  try {
    await compileBackend("none" as BackendChoice, true);
  } catch (error) {
    if (!OptionError.isInstance(error) || !Array.isArray(error.values.allowed)) throw error;
    const others = (error.values.allowed as string[]).filter((name) => !LEFT_OUT.includes(name) && name !== EVERYWHERE);
    return [EVERYWHERE, ...(others as BackendName[])];
  }
  return [EVERYWHERE];
}
