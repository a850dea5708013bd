import type { Backend } from "@logq/blas";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/** What an engine is built from, in any thread. Structured-cloneable; tables are shared, not copied. */
export interface EngineInput {
  readonly backend: Backend;
  /** The main memory. */
  readonly memory: WebAssembly.Memory;
  readonly banks: readonly WebAssembly.Memory[];
  readonly spec: EngineSpec;
  readonly layout: EngineLayout;
}
