import type { LossName } from "@logq/losses";
import type { Machine } from "@logq/micro-benchmarks";
import type { ProductType, ScheduleName } from "@logq/trainers";

/** Settings that all studies have. */
export interface CommonSettings {
  readonly epochs: number;
  /** D */
  readonly dim: number;
  /** B */
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  readonly products: ProductType;
  /** Logits of a full step that are kept; null: all of them up to 2 GiB, or, with bfloat16 products, the trainers' default. */
  readonly logitBytes: number | null;
  readonly backend: string;
  readonly workers: number;
  readonly seed: number;
  /** S */
  readonly negatives: number;
  readonly sampler: string;
  readonly distortion: number;
}

/** Where and when numbers were measured. */
export interface Circumstances {
  /** When the run began, ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
}

/** What a model is worth after so many steps. */
export interface Point {
  readonly step: number;
  /** Of training; evaluations are not counted. */
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** One training, measured along its way; the first point is before the first step. */
export interface TrainingRun {
  readonly loss: LossName;
  /** The median of the last 4,096 steps at most. */
  readonly stepMs: number;
  readonly stepsPerEpoch: number;
  /** What the matrix products ran in. */
  readonly backend: string;
  readonly points: readonly Point[];
}
