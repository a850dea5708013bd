import {
  DESCRIBED_SAMPLERS,
  type DescribedSampler,
  describedBytes,
  describeSampler,
  type SamplerFacts,
} from "@logq/samplers";
import { type Io, printResult } from "../base/io.js";
import { decimalBytes, textTable } from "./tables.js";

/** What memory is stated at. */
export const LISTED_CLASSES = 1_000_000;
export const LISTED_WIDTH = 128;

/** A sampler as it is listed. */
export interface ListedSampler extends SamplerFacts {
  /** Bytes of shared tables over n, for a million classes of width 128. */
  readonly bytesPerClass: number;
}

export function listedSampler(name: DescribedSampler): ListedSampler {
  return {
    ...describeSampler(name),
    bytesPerClass: describedBytes(name, LISTED_CLASSES, LISTED_WIDTH) / LISTED_CLASSES,
  };
}

export function listedSamplers(): ListedSampler[] {
  return DESCRIBED_SAMPLERS.map(listedSampler);
}

/** `logq samplers` alone: what there is. */
export function listSamplers(io: Io, asJson: boolean | undefined): void {
  const samplers = listedSamplers();
  printResult(io, asJson, { samplers, classes: LISTED_CLASSES, dim: LISTED_WIDTH }, () => listText(samplers));
}

function listText(samplers: readonly ListedSampler[]): string {
  const head = ["sampler", "kind", "drawn for", "replacement", "log Q", "bytes a class", "a draw of S", "keeping up"];
  const rows = samplers.map(({ name, kind, per, replacement, expectedCount, bytesPerClass, drawCost, updateCost }) => [
    name,
    kind,
    per.join(" or "),
    replacement,
    expectedCount,
    decimalBytes(bytesPerClass),
    drawCost,
    updateCost,
  ]);
  const sentences = samplers.map(({ name, draws, logQ }) => [name, `${draws} log Q: ${logQ}`]);
  return (
    `${textTable(head, rows)}\n${textTable(["sampler", "what it draws, and what its log Q is"], sentences)}\n` +
    `Bytes are those of ${LISTED_CLASSES.toLocaleString("en-US")} classes of width ${LISTED_WIDTH} with the default options.\n`
  );
}
