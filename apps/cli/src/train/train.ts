import { openDataset } from "@logq/datasets";
import { isRun, parseMetrics, saveModel, Trainer, type TrainReport, train } from "@logq/trainers";
import { requireDataset, requireOutput } from "../base/directories.js";
import { EXIT } from "../base/exit-codes.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, note, printResult, warn } from "../base/io.js";
import { DEFAULT_WORKERS } from "../base/workers.js";
import { readClassWeights } from "./class-weights.js";
import { describeRun } from "./describe.js";
import { type TrainFlags, trainOptions } from "./flags.js";
import { describeProfiles, profilesOf } from "./profile.js";
import { describeReport } from "./report.js";
import { readTreeVectors } from "./tree-vectors.js";
import { TrainWatch } from "./watch.js";

/** The largest k that validations can rank by, if they name no larger one. */
const USUAL_MAX_K = 100;

/** Trains and saves; answers the exit code. */
export async function trainRun(io: Io, directory: string, flags: TrainFlags): Promise<number> {
  const metrics = flags.validationMetrics === undefined ? [] : parseMetrics(flags.validationMetrics);
  const data = await requireDataset(directory);
  const out = await requireOutput(flags.out, { what: "run", isOurs: isRun, apart: [data] });
  return interruptible(io, "stopping after the current step and saving what there is", async (signal) => {
    const dataset = await openDataset(data);
    checkInterrupted(signal);
    const maxK = Math.max(USUAL_MAX_K, ...metrics.map((metric) => ("k" in metric ? metric.k : 0)));
    const weights =
      flags.classWeights === undefined ? undefined : await readClassWeights(flags.classWeights, dataset.classes);
    const options = {
      ...trainOptions(flags, flags.workers ?? DEFAULT_WORKERS, weights),
      ...(await readTreeVectors(flags, dataset)),
    };
    const trainer = await Trainer.create(dataset, options, maxK);
    try {
      io.stderr.write(describeRun(trainer));
      for (const warning of trainer.warnings) warn(io, warning);
      const report = await watched(io, trainer, flags, signal);
      await saveModel(trainer, out, report);
      const profile = flags.profile === true ? profilesOf(trainer) : undefined;
      const result = { run: out, data, ...report, ...(profile === undefined ? {} : { profile }) };
      printResult(io, flags.json, result, () => {
        const table = profile === undefined ? "" : describeProfiles(profile, report.steps);
        return describeReport(out, report) + table;
      });
      return report.ended === "interrupted" ? EXIT.interrupted : EXIT.ok;
    } finally {
      await trainer.close();
    }
  });
}

async function watched(io: Io, trainer: Trainer, flags: TrainFlags, signal: AbortSignal): Promise<TrainReport> {
  const watch = new TrainWatch(io.stderr, trainer);
  try {
    const report = await train(trainer, {
      signal,
      onProgress: (progress) => watch.see(progress),
      onValidation: (progress) => watch.seeValidation(progress),
      ...(flags.validationMetrics === undefined ? {} : { validationMetrics: flags.validationMetrics }),
    });
    watch.end();
    if (flags.json === true) note(io, `${report.ended} after ${report.steps} steps`);
    return report;
  } finally {
    watch.end();
  }
}
