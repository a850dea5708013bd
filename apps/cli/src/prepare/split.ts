import { OptionError } from "@logq/core";
import { InvalidArgumentError } from "commander";
import { number } from "../base/values.js";

/** How the parts are made, as --split says it. */
export type Split = "leave-one-out" | "ratio" | { readonly validation: number; readonly test: number };

/** Reads `leave-one-out`, `ratio`, or the three shares themselves: 0.98,0.01,0.01. */
export function parseSplit(text: string): Split {
  if (text === "leave-one-out" || text === "ratio") return text;
  const shares = text.split(",");
  if (shares.length !== 3) {
    throw new InvalidArgumentError(
      `It is ratio, leave-one-out (pairs only), or the shares of train, validation and test (0.98,0.01,0.01), not "${text}".`,
    );
  }
  const [train, validation, test] = shares.map(number) as [number, number, number];
  const sum = train + validation + test;
  if (Math.min(train, validation, test) < 0 || Math.abs(sum - 1) > 1e-6) {
    throw new InvalidArgumentError(`The shares ${text} are not three numbers from 0 that add up to 1.`);
  }
  return { validation, test };
}

/** What the command line says about parts. */
export interface SplitFlags {
  readonly split?: Split;
  readonly validation?: readonly string[];
  readonly test?: readonly string[];
  readonly validationRatio?: number;
  readonly testRatio?: number;
}

/** What the libraries want to hear. */
export interface SplitOptions {
  readonly leaveOneOut?: true;
  readonly validationRatio?: number;
  readonly testRatio?: number;
}

/**
 * `ratio` holds out the usual share for each part that neither has a file nor a ratio of its own; shares by number stand alone.
 * Without --split, only what is named is held out.
 */
export function splitOptions(flags: SplitFlags, usual: { validation: number; test: number }): SplitOptions {
  const { split, validationRatio, testRatio } = flags;
  const named = {
    ...(validationRatio === undefined ? {} : { validationRatio }),
    ...(testRatio === undefined ? {} : { testRatio }),
  };
  if (split === undefined) return named;
  if (split === "leave-one-out") return { leaveOneOut: true, ...named };
  if (split === "ratio") {
    return {
      ...(flags.validation === undefined ? { validationRatio: usual.validation } : {}),
      ...(flags.test === undefined ? { testRatio: usual.test } : {}),
      ...named,
    };
  }
  if (validationRatio !== undefined || testRatio !== undefined) {
    throw new OptionError(
      "--split names the shares, and so does --validation-ratio or --test-ratio: give one of them",
      {
        split,
        validationRatio,
        testRatio,
      },
    );
  }
  return { validationRatio: split.validation, testRatio: split.test };
}
