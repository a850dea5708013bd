import { OptionError } from "@logq/core";
import { type BackendChoice, type BackendName, compileKernels } from "@logq/kernels";
import { messageOf } from "../message.js";
import type { Absent } from "../report/results.js";

/** Not for comparisons: the one that chooses, and the one that is written to be read. */
const LEFT_OUT = ["auto", "reference"];

/** The back-ends that run here, and those that do not, with the reason. */
export async function availableBackends(): Promise<{ backends: readonly BackendName[]; absent: readonly Absent[] }> {
  const backends: BackendName[] = [];
  const absent: Absent[] = [];
  for (const name of await knownBackends()) {
    try {
      backends.push((await compileKernels(name, true)).name);
    } catch (error) {
      absent.push({ contender: `logq, ${name}`, reason: messageOf(error) });
    }
  }
  return { backends, absent };
}

/** All names that are accepted: a refusal lists them. */
async function knownBackends(): Promise<BackendName[]> {
  try {
    await compileKernels("none" as BackendChoice, true);
  } catch (error) {
    if (OptionError.isInstance(error) && Array.isArray(error.values.allowed)) {
      return (error.values.allowed as string[]).filter((name) => !LEFT_OUT.includes(name)) as BackendName[];
    }
    throw error;
  }
  return ["wasm"];
}
