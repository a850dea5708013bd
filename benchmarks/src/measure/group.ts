/** What one execution of a variant amounts to; rates are derived from it. */
export interface Work {
  /** Floating-point operations: a multiply-add is two. */
  readonly flops?: number;
  /** Bytes that must move, each operand counted once. */
  readonly bytes?: number;
  /** What is counted for a time per item: draws, elements, rows. */
  readonly items?: { readonly name: string; readonly count: number };
}

/** One thing that is timed. */
export interface Variant {
  readonly name: string;
  readonly work: Work;
  /** How often one call of `run` does the work. Default 1. */
  readonly perCall?: number;
  /** True if `run` answers a promise to wait for. */
  readonly async?: boolean;
  /** Runs once and compares what came out with a reference. @throws WrongResultError */
  check(): void | Promise<void>;
  run(): unknown;
  /** Untimed, before each call of `run`: restores what it consumes. */
  readonly before?: () => void;
}

/** Variants built and ready to run. */
export interface Prepared {
  readonly variants: readonly Variant[];
  /** Frees what they hold. */
  close?(): Promise<void>;
}

/** Variants that are compared with each other: their rounds are interleaved. Nothing is allocated until `prepare`. */
export interface Group {
  readonly name: string;
  /** Names of its variants; the first one is what the others are compared with. */
  readonly variants: readonly string[];
  /** Builds the named variants, in the order of `variants`. */
  prepare(wanted: readonly string[]): Promise<Prepared>;
}
