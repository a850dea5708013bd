import type { Agreements } from "./agree.js";

/** What the first step computed, by name: compared between all sides before anything is timed. */
export type Check = Readonly<Record<string, readonly number[]>>;

export type Side = "logq" | "peer";

/** One that does the work, ready to run. */
export interface Contender {
  /** Does the work once, on the agreed inputs, and says what came out. */
  check(): Promise<Check>;
  /** Does the work again and again for at least so long and so often; milliseconds of each time. */
  round(seconds: number, least: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** One that could do the work. */
export interface Entry {
  /** "PyTorch, hand-written, tuned" */
  readonly name: string;
  readonly side: Side;
  /** How it is set: plain data for the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Set: how far its first step may be from the exact ones', if it is an approximation by name. */
  readonly agreements?: Agreements;
  /** What it takes, about: it is not started where less memory is free. */
  readonly bytes: number;
  /** Builds it. Rejects with the reason if it cannot be had here. */
  start(): Promise<Contender>;
}
