import { existsSync } from "node:fs";
import path from "node:path";
import type { AnyDataset } from "@logq/datasets";
import type { TrainOptions } from "@logq/trainers";
import type { ArrayFiles, InputFolder } from "../inputs/folder.js";
import type { Goal } from "./learner.js";

/** A training on published data, with the same model and hyper-parameters on both sides. */
export interface Task {
  readonly name: string;
  readonly work: string;
  /** Below LOGQ_DATA. */
  readonly needs: readonly string[];
  readonly options: TrainOptions;
  /** What logq's evaluation calls the metric. */
  readonly metric: string;
  readonly script: string;
  /** Prepares the dataset below `folder`. @param data the folder of the data sets */
  prepare(data: string, folder: string): Promise<AnyDataset>;
  goal(dataset: AnyDataset): Goal;
  /** Relative difference allowed between the sides' quality before the first step; undefined: it says nothing yet. */
  readonly startsWithin?: number;
  /** What the script is told: the same data as arrays, the same hyper-parameters. */
  question(dataset: AnyDataset, folder: InputFolder): Promise<{ readonly files: ArrayFiles } & Record<string, unknown>>;
}

/** Why a task cannot be had: undefined, if it can. @param data the folder of the data sets, if there is one */
export function missingData(data: string | undefined, { needs }: Task): string | undefined {
  if (data === undefined) return "LOGQ_DATA is not set";
  const file = needs.find((name) => !existsSync(path.join(data, name)));
  return file === undefined ? undefined : `there is no ${file} in LOGQ_DATA`;
}

/** Steps of an epoch. */
export const stepsPerEpoch = (examples: number, batch: number) => Math.ceil(examples / batch);
