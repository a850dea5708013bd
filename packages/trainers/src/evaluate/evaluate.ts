import { type Key, OptionError } from "@logq/core";
import { Evaluation } from "../engine/evaluation.js";
import type { EngineHost } from "../engine/host.js";
import { STAT } from "../engine/layout.js";
import { createSource } from "../sources/create.js";
import { type ExampleOrder, SequentialOrder } from "../sources/order.js";
import type { Source } from "../sources/source.js";
import { type Metric, propensityScore, rankingValue, requireRankable } from "./metrics.js";
import { inversePropensities, type PropensityLaw, type TrainingCounts } from "./propensity.js";

/** How far an evaluation is. */
export interface EvaluationProgress {
  readonly examples: number;
  readonly total: number;
}

export interface EvaluationRequest {
  /** A source of the engine's spec. */
  readonly source: string;
  readonly metrics: readonly Metric[];
  /** At most this many examples, from the first on; default all. */
  readonly limit?: number;
  /** Set: `limit` examples chosen by the permutation that this key names. */
  readonly key?: Key;
  /** Whether classes a row has seen are left out of rankings. Default true. */
  readonly maskSeen?: boolean;
  /** psp@k: what propensities are computed from. */
  readonly training?: TrainingCounts;
  /** psp@k: the constants of their law. Default `USUAL_PROPENSITY`. */
  readonly propensity?: PropensityLaw;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

export interface EvaluationResult {
  /** Rows looked at. */
  readonly examples: number;
  /** Labels they have: what a cross-entropy is a mean over. */
  readonly labels: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Batches between two looks at the clock when nothing is ranked. */
const BATCHES_PER_COMMAND = 16;

/**
 * Exact evaluation over all classes. Cross-entropy is in nats a label; perplexity is its exponential; log-partition and rankings are means over rows.
 * @throws OptionError
 */
export async function evaluateModel(host: EngineHost, request: EvaluationRequest): Promise<EvaluationResult> {
  const begin = performance.now();
  const source = createSource(host.spec.sources[request.source]!);
  const count = Math.min(source.examples, request.limit ?? Number.POSITIVE_INFINITY);
  const { evaluationRows } = host.spec;
  const stats = host.layout.stats >>> 3;
  Evaluation.clear(host.memory, host.layout);
  const loss = request.metrics.some((metric) => !("k" in metric));
  const goals = { loss, k: requireRankable(request.metrics, host.spec), maskExcluded: request.maskSeen ?? true };
  const order = new SequentialOrder(source.examples, 0, count, evaluationRows, request.key);
  const ranking = new RankingSums(request.metrics, source, order, inverseOf(request));
  const batches = Math.ceil(count / evaluationRows);
  const step = goals.k > 0 ? 1 : BATCHES_PER_COMMAND;
  for (let batch = 0; batch < batches; batch += step) {
    const some = Math.min(step, batches - batch);
    const key = request.key;
    await host.run({
      type: "evaluate",
      source: request.source,
      first: 0,
      count,
      key,
      list: undefined,
      batch,
      batches: some,
      goals,
    });
    if (goals.k > 0) ranking.add(host, order.seek(batch), goals.k);
    request.onProgress?.({ examples: Math.min(count, (batch + some) * evaluationRows), total: count });
  }
  const labels = host.memory.f64[stats + STAT.evaluationLabels];
  const labelled = host.memory.f64[stats + STAT.evaluationLabelled];
  const logPartition = host.memory.f64[stats + STAT.evaluationLogPartition] / labelled;
  const crossEntropy = host.memory.f64[stats + STAT.evaluationLoss] / labels;
  const metrics: Record<string, number> = {};
  for (const metric of request.metrics) {
    if (metric.name === "cross-entropy") metrics[metric.label] = crossEntropy;
    else if (metric.name === "log-partition") metrics[metric.label] = logPartition;
    else if (metric.name === "perplexity") metrics[metric.label] = Math.exp(crossEntropy);
    else metrics[metric.label] = ranking.value(metric.label);
  }
  return {
    examples: count,
    labels: loss ? labels : ranking.labels,
    metrics,
    seconds: (performance.now() - begin) / 1000,
  };
}

/** (n), 1/p of each class if a metric asks for it. */
function inverseOf({ metrics, training, propensity }: EvaluationRequest): Float64Array {
  const metric = metrics.find(({ name }) => name === "psp");
  if (metric === undefined) return new Float64Array(0);
  if (training !== undefined) return inversePropensities(training, propensity);
  throw new OptionError(`${metric.label} needs to know how often each class is a label in the training part`, {
    metric: metric.label,
  });
}

/** Sums of ranking metrics over rows with labels, batch after batch, in the order in which they were evaluated. */
class RankingSums {
  readonly #metrics: readonly Metric[];
  readonly #source: Source;
  readonly #order: ExampleOrder;
  readonly #inverse: Float64Array;
  readonly #sums = new Map<string, number>();
  /** psp@k: what the best ranking would have found. */
  readonly #best = new Map<string, number>();
  readonly #targets: Int32Array;
  #rows = 0;
  labels = 0;

  constructor(metrics: readonly Metric[], source: Source, order: ExampleOrder, inverse: Float64Array) {
    this.#metrics = metrics;
    this.#source = source;
    this.#order = order;
    this.#inverse = inverse;
    this.#targets = new Int32Array(Math.max(1, source.maxTargets));
  }

  /** Takes the rankings of the batch that the order stands at; k classes a row. */
  add(host: EngineHost, rows: number, k: number): void {
    const { evaluationRows } = host.spec;
    const ranked = host.memory.ints(host.layout.rankedIds, evaluationRows * k);
    for (let row = 0; row < rows; row++) {
      const length = this.#source.targets(this.#order.example(row), this.#targets, 0);
      if (length === 0) continue;
      const relevant = new Set(this.#targets.subarray(0, length));
      this.#rows++;
      this.labels += relevant.size;
      for (const metric of this.#metrics) {
        if (!("k" in metric)) continue;
        const own = ranked.subarray(row * k, (row + 1) * k);
        if (metric.name === "psp") {
          const { found, best } = propensityScore(own, metric.k, relevant, this.#inverse);
          add(this.#sums, metric.label, found);
          add(this.#best, metric.label, best);
        } else {
          add(this.#sums, metric.label, rankingValue(metric.name, own, metric.k, relevant));
        }
      }
    }
  }

  /** A mean over rows; psp@k: a quotient of sums. */
  value(label: string): number {
    const sum = this.#sums.get(label) ?? 0;
    const best = this.#best.get(label);
    return best === undefined ? sum / Math.max(1, this.#rows) : sum / best;
  }
}

function add(sums: Map<string, number>, label: string, value: number): void {
  sums.set(label, (sums.get(label) ?? 0) + value);
}
