import type { Split } from "./split.js";

/** What `--split ratio` holds out: of text a little is much, of a user's items a little is none. */
export const USUAL_SHARES = {
  text: { validation: 0.01, test: 0.01 },
  pairs: { validation: 0.1, test: 0.1 },
  labels: { validation: 0.05, test: 0.05 },
} as const;

/** Flags of every `prepare`, as they come from the command line. */
export interface CommonFlags {
  readonly train: readonly string[];
  readonly validation?: readonly string[];
  readonly test?: readonly string[];
  readonly split?: Split;
  readonly validationRatio?: number;
  readonly testRatio?: number;
  readonly seed?: number | string;
  readonly out: string;
  readonly json?: boolean;
}

export interface TextFlags extends CommonFlags {
  readonly format?: "lines" | "tsv";
  readonly textColumn?: number;
  readonly minCount?: number;
  readonly maxClasses?: number;
  readonly lowercase?: boolean;
  readonly unknown?: string;
  readonly endOfLine: string | boolean;
}

export interface PairsFlags extends CommonFlags {
  readonly format: "adjacency" | "pairs" | "csv" | "tsv" | "parquet";
  readonly userColumn?: number | string;
  readonly itemColumn?: number | string;
  readonly timeColumn?: number | string;
  readonly minCount?: number;
}

export interface LabelsFlags extends CommonFlags {
  readonly format: "xmlc" | "tsv";
  readonly textColumn?: number;
  readonly labelColumn?: number;
  readonly lowercase?: boolean;
  readonly minCount?: number;
  readonly minFeatureCount?: number;
}
