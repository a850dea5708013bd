import type { TrainingSpec } from "../../dist/engine/spec.js";
import type { OptimizerSpec } from "../../dist/optimize/optimizer.js";

/** A table of the oracle with every state that any optimizer could want. */
export interface Parameters {
  readonly rows: number;
  readonly columns: number;
  /** Biases do not decay. */
  readonly bias: boolean;
  readonly values: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly rowwise: Float64Array;
}

/** The distinct rows that a step uses; undefined: all. */
export function touchedRows(table: Parameters, used: readonly number[] | undefined): readonly number[] {
  return used === undefined ? Array.from({ length: table.rows }, (_, row) => row) : [...new Set(used)];
}

/** The scheduled rate of a step. */
export function learningRate({ optimizer, schedule, totalSteps }: TrainingSpec, step: number): number {
  const { name, warmupSteps: w, finalFactor: f } = schedule;
  if (step < w) return (optimizer.learningRate * (step + 1)) / w;
  const progress = (step - w) / (totalSteps - w);
  const factor = {
    constant: 1,
    linear: 1 - (1 - f) * progress,
    cosine: f + ((1 - f) * (1 + Math.cos(Math.PI * progress))) / 2,
    "inverse-square-root": Math.sqrt(Math.max(1, w)) / Math.sqrt(step + 1),
  }[name];
  return optimizer.learningRate * factor;
}

/** One row, once, with its complete gradient. */
export function updateRow(
  table: Parameters,
  row: number,
  gradient: Float64Array,
  optimizer: OptimizerSpec,
  rate: number,
  clip: number,
  step: number,
): void {
  const { values: w, first, second, rowwise, columns } = table;
  const { momentum, beta1, beta2, epsilon } = optimizer;
  const decay = table.bias ? 0 : optimizer.weightDecay;
  const at = row * columns;
  const g = Array.from({ length: columns }, (_, d) => clip * gradient[at + d]! + decay * w[at + d]!);
  if (optimizer.name === "rowwise-adagrad") rowwise[row]! += g.reduce((sum, x) => sum + x * x, 0) / columns;
  for (let d = 0; d < columns; d++) {
    const i = at + d;
    switch (optimizer.name) {
      case "sgd":
        w[i]! -= rate * g[d]!;
        break;
      case "momentum":
        first[i] = momentum * first[i]! + g[d]!;
        w[i]! -= rate * first[i]!;
        break;
      case "adagrad":
        first[i]! += g[d]! ** 2;
        w[i]! -= (rate * g[d]!) / (Math.sqrt(first[i]!) + epsilon);
        break;
      case "rowwise-adagrad":
        w[i]! -= (rate * g[d]!) / (Math.sqrt(rowwise[row]!) + epsilon);
        break;
      case "adam": {
        first[i] = beta1 * first[i]! + (1 - beta1) * g[d]!;
        second[i] = beta2 * second[i]! + (1 - beta2) * g[d]! ** 2;
        const mean = first[i]! / (1 - beta1 ** (step + 1));
        const variance = second[i]! / (1 - beta2 ** (step + 1));
        w[i]! -= (rate * mean) / (Math.sqrt(variance) + epsilon);
      }
    }
  }
}
