import { type BackendChoice, compileBackend, describeBackend } from "@logq/blas";
import type { SplitName } from "@logq/datasets";
import { divergenceFromSoftmax } from "@logq/samplers";
import { bytes, count, counted, duration } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, note, printResult } from "../base/io.js";
import { createProgress, type Progress } from "../base/progress.js";
import { addContext, ErrorSums, type GradientError, meanRow } from "./gradient-error.js";
import type { Layer } from "./layer.js";
import { type LoadedLayer, loadLayer } from "./load-layer.js";
import type { Proposal } from "./proposal.js";
import { labelOf, measuredRows, proposalOf } from "./rows.js";
import { fixed, share, textTable } from "./tables.js";

export interface MeasureFlags {
  readonly run: string;
  readonly data?: string;
  readonly split?: SplitName;
  readonly contexts?: number;
  readonly draws: number;
  readonly sampler?: readonly string[];
  readonly backend?: BackendChoice;
  readonly json?: boolean;
}

/** Candidates of a context. */
export const SIZES = [16, 64, 256, 1024] as const;

/** What was found of a proposal. */
export interface MeasuredRow {
  readonly sampler: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly biased: boolean;
  readonly bytes: number;
  /** Means over contexts: KL(softmax ‖ q) in nats, and log2 Σ p²/q. null: it has no law. */
  readonly kl: number | null;
  readonly chiSquared: number | null;
  readonly gradient: readonly GradientError[];
}

/** `logq samplers --run RUN`: proposals at the contexts of a trained model. */
export async function measureSamplers(io: Io, flags: MeasureFlags): Promise<void> {
  await interruptible(io, "stopping", async (signal) => {
    const begin = performance.now();
    const loaded = await loadLayer(flags);
    const { layer, split } = loaded;
    const backend = await compileBackend(flags.backend ?? "auto", false);
    note(
      io,
      `${counted(layer.n, "class", "classes")} of width ${layer.D}, ${counted(layer.targets.length, "context")} of the ${split} part, ` +
        `${counted(flags.draws, "draw")} each, back-end ${describeBackend(backend)}`,
    );
    const specs = measuredRows(layer.D, flags.sampler);
    const means = layer.logSoftmax.map((_, context) => meanRow(layer, context));
    const progress = createProgress(io.stderr, "measuring");
    const rows: MeasuredRow[] = [];
    try {
      for (const [i, spec] of specs.entries()) {
        const proposal = proposalOf(spec, layer, backend, SIZES.at(-1)!);
        const label = labelOf(proposal.sampler, proposal.options);
        const part = partOf(progress, i, specs.length, label);
        rows.push(await measureProposal(layer, proposal, flags.draws, means, part, signal));
      }
    } finally {
      progress.end();
    }
    const seconds = (performance.now() - begin) / 1000;
    printResult(io, flags.json, answerOf(loaded, flags, describeBackend(backend), rows, seconds), () =>
      measuredText(loaded, flags, rows, seconds),
    );
  });
}

/** Progress of one proposal of several: hears its share that is done. */
function partOf(progress: Progress, index: number, of: number, label: string): (done: number) => void {
  return (done) => progress.update((index + done) / of, label);
}

async function measureProposal(
  layer: Layer,
  proposal: Proposal,
  draws: number,
  means: readonly Float64Array[],
  onPart: (done: number) => void,
  signal: AbortSignal,
): Promise<MeasuredRow> {
  const contexts = layer.targets.length;
  const sums = SIZES.map(() => new ErrorSums(draws));
  const logs = new Float64Array(layer.n);
  const divergence = { kl: 0, chiSquared: 0 };
  for (let context = 0; context < contexts; context++) {
    // Lets signals through.
    await new Promise((resolve) => setImmediate(resolve));
    checkInterrupted(signal);
    onPart(context / contexts);
    if (proposal.law !== null) {
      proposal.law(context, logs);
      const { kl, chiSquared } = divergenceFromSoftmax(layer.logSoftmax[context]!, logs, 1);
      divergence.kl += kl / contexts;
      divergence.chiSquared += chiSquared / contexts;
    }
    for (const [i, S] of SIZES.entries()) addContext(layer, proposal, context, S, draws, means[context]!, sums[i]!);
  }
  const { sampler, options, biased } = proposal;
  return {
    sampler,
    options,
    biased,
    bytes: proposal.bytes,
    kl: proposal.law === null ? null : divergence.kl,
    chiSquared: proposal.law === null ? null : divergence.chiSquared,
    gradient: SIZES.map((S, i) => sums[i]!.errors(S)),
  };
}

function answerOf(
  { run, data, split, layer }: LoadedLayer,
  { draws }: MeasureFlags,
  backend: string,
  samplers: readonly MeasuredRow[],
  seconds: number,
): object {
  const { n, D, targets } = layer;
  const of = { run, data, split, classes: n, dim: D, contexts: targets.length, draws };
  return { ...of, form: "partition", target: "excluded from draws", backend, seconds, samplers };
}

function measuredText(
  { layer, split }: LoadedLayer,
  { draws }: MeasureFlags,
  rows: readonly MeasuredRow[],
  seconds: number,
): string {
  const head = ["proposal", "KL nats", "log2 chi2", ...SIZES.map((S) => `S = ${count(S)}`), "log Q", "memory"];
  const lines = rows.map(({ sampler, options, kl, chiSquared, gradient, biased, bytes: size }) => [
    labelOf(sampler, options),
    kl === null ? "–" : fixed(kl, 2),
    chiSquared === null ? "–" : fixed(chiSquared, 1),
    ...gradient.map(({ bias, error }) => `${share(bias)} / ${share(error)}`),
    biased ? "biased" : "",
    bytes(size),
  ]);
  return (
    `${textTable(head, lines)}\n` +
    "S columns: relative bias / relative RMS error of dL/dh of sampled softmax, form partition, target excluded from draws\n" +
    `(of slide masked); ${counted(layer.targets.length, "context")} of the ${split} part, ${counted(draws, "draw")} each, in ${duration(seconds)}.\n`
  );
}
