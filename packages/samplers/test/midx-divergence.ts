import { TestRandom } from "@logq/testing";
import type { ContextualBench } from "./contextual-bench.js";

/** Makes the class table one that quantises well: rows around `centres` points, biases falling as a Zipf law does. */
export function clusteredTable({ reader: { rows, biases }, n, D }: ContextualBench, centres: number): void {
  const random = new TestRandom(21);
  const centre = random.normalFloats(centres * D, 1);
  for (let id = 0; id < n; id++) {
    const at = random.integer(centres) * D;
    for (let d = 0; d < D; d++) rows[id * D + d] = (1.4 * (centre[at + d] + 0.6 * random.normal())) / Math.sqrt(D);
    biases[id] = -Math.log(id + 5) + 0.2 * random.normal();
  }
}

/** log p(id | h) of every class by float64 enumeration, p the softmax of scale·(⟨h, w⟩ + bias) for row `row` of the bench's contexts. */
export function exactLogs({ reader, memory, hidden, ld, n, D }: ContextualBench, row: number, scale = 1): Float64Array {
  const h = memory.floats(hidden + 4 * row * ld, D);
  const logits = Float64Array.from({ length: n }, (_, id) => {
    let sum = reader.biases[id];
    for (let d = 0; d < D; d++) sum += reader.rows[id * D + d] * h[d];
    return scale * sum;
  });
  const greatest = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0);
  return logits.map((logit) => logit - greatest - Math.log(total));
}

/** The mean over the first `rows` contexts of Σ p·log(p/q), nats, p the softmax. `logQ` answers log(S·q) of every class, after a draw of these rows. */
export function klFrom(bench: ContextualBench, rows: number, logQ: (row: number) => Float32Array): number {
  bench.draw(0, rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const q = logQ(row);
    exactLogs(bench, row).forEach((log, id) => {
      sum += Math.exp(log) * (log - q[id] + Math.log(bench.S));
    });
  }
  return sum / rows;
}
