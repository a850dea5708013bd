import type { TrainReport } from "@logq/trainers";
import { bytes, columns, count, counted, decimal, duration } from "../base/format.js";

const ENDS: Readonly<Record<TrainReport["ended"], string>> = {
  finished: "all steps done",
  time: "the time was up",
  "early-stopping": "no improvement any more; the best parameters are kept",
  interrupted: "interrupted; what was learned is kept",
};

/** What a run came to, for people. */
export function describeReport(run: string, report: TrainReport): string {
  const words = report.wordsPerSecondPerThread;
  const perThread = words === null ? "" : `, ${count(words)} words/s/thread`;
  const rate = `${count(report.examplesPerSecond)} examples/s${perThread}`;
  const rows: [string, string][] = [
    ["run", run],
    ["ended", ENDS[report.ended]],
    [
      "trained",
      `${counted(report.steps, "step")}, ${counted(report.examples, "example")} in ${duration(report.seconds)} (${rate})`,
    ],
    ["evaluated", duration(report.evaluationSeconds)],
    [
      "training loss",
      `${decimal(report.trainingLoss)} (${report.loss}, last tenth of the steps${report.sampler === null ? "" : "; sampled: no cross-entropy"})`,
    ],
    ["exact probe", `cross-entropy ${decimal(report.probeCrossEntropy)} nats (${report.probeSplit})`],
  ];
  if (report.temperature !== null) rows.push(["temperature", `${decimal(report.temperature)} (learned)`]);
  const validation = report.validations.at(-1);
  if (validation !== undefined) {
    const values = Object.entries(validation.metrics).map(([name, value]) => `${name} ${decimal(value)}`);
    rows.push(["validation", `${values.join(", ")} (step ${count(validation.step)})`]);
  }
  rows.push([
    "memory",
    `${bytes(report.memoryBytes)} of the engine, ${bytes(report.peakMemoryBytes)} of the process at most`,
  ]);
  return columns(rows);
}
