import type { BackendName } from "@logq/kernels";
import type { PythonEnvironment } from "../python/environment.js";
import type { Absent, Settings } from "../report/results.js";

/** What every item is made from. */
export interface ItemContext {
  readonly settings: Settings;
  readonly backends: readonly BackendName[];
  /** Back-ends that do not run here. */
  readonly absentBackends: readonly Absent[];
  /** Undefined: there is none, for `noPython`. */
  readonly python: PythonEnvironment | undefined;
  readonly noPython: string;
  /** For peers' MKL, if that is of use. */
  readonly preload: string | undefined;
  /** The folder of the data sets; undefined without LOGQ_DATA. */
  readonly data: string | undefined;
  tell(text: string): void;
}
