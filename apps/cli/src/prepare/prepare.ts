import { resolve } from "node:path";
import { type CommonOptions, type DatasetSummary, hasDataset, openDataset } from "@logq/datasets";
import { requireOutput } from "../base/directories.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, printResult } from "../base/io.js";
import { createProgress, RateText } from "../base/progress.js";
import type { CommonFlags } from "./flags.js";
import { describeDataset } from "./summary.js";

/** Checks the place, prepares the dataset, opens it again and tells what is in it. */
export async function prepare<T extends CommonOptions>(
  io: Io,
  flags: CommonFlags,
  options: T,
  run: (options: T) => Promise<DatasetSummary>,
): Promise<void> {
  const out = await requireOutput(flags.out, { what: "dataset", isOurs: hasDataset });
  const begin = performance.now();
  const summary = await interruptible(io, "stopping; nothing is kept", async (signal) => {
    const progress = createProgress(io.stderr, "reading");
    const rate = new RateText("bytes");
    try {
      return await run({
        ...absolute(options),
        output: out,
        onProgress: ({ phase, bytesRead, bytesTotal }) => {
          checkInterrupted(signal);
          const text = phase === "read" ? rate.text(bytesRead, bytesTotal) : "writing";
          progress.update(bytesRead / Math.max(1, bytesTotal), text);
        },
      });
    } finally {
      progress.end();
    }
  });
  // Opening checks every id, and shows the names of the classes.
  const dataset = await openDataset(out);
  const seconds = (performance.now() - begin) / 1000;
  printResult(io, flags.json, { dataset: out, ...summary, seconds }, () =>
    describeDataset(out, summary, dataset, seconds),
  );
}

/** The same options with absolute input files: a dataset remembers where it came from. */
function absolute<T extends CommonOptions>(options: T): T {
  const files = (part: T["train"] | undefined) =>
    part === undefined ? undefined : [part].flat().map((file) => resolve(file));
  const { train, validation, test } = options;
  return {
    ...options,
    train: files(train),
    ...(validation === undefined ? {} : { validation: files(validation) }),
    ...(test === undefined ? {} : { test: files(test) }),
  };
}
