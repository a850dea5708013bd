import { keyFromSeed } from "@logq/core";
import { computeLoss } from "@logq/losses";
import { samplerFrom } from "@logq/samplers";
import { rowOfClass, type Trainer } from "@logq/trainers";

/** How far the gradient of a sampled loss in H is from the exact one of the full softmax, both over the exact one's norm. */
export interface GradientError {
  /** ‖E[ĝ] − g‖ / ‖g‖, freed of Monte-Carlo noise; 0 where it is too small to be told from noise. */
  readonly bias: number;
  /** sqrt(E‖ĝ − E[ĝ]‖²) / ‖g‖. */
  readonly spread: number;
}

/** Rows looked at, of so many held-out examples: those whose labels the sampler can correct. */
const ROWS = 16;
const EXAMPLES = 64;
/** Draws of the batch's candidates. The noise that is left in the squared bias is about the squared spread over this. */
const DRAWS = 256;
/** Classes that are walked between two looks at the signal. */
const CLASSES_A_TURN = 16_384;

/** Hidden vectors and labels of a few examples, as the model has them now. */
interface Sample {
  readonly D: number;
  /** (rows, D) */
  readonly hidden: Float32Array;
  /** (rows + 1) */
  readonly offsets: number[];
  readonly labels: number[];
}

/**
 * Bias and spread of the sampled gradient at the trainer's tables: the mean over many draws of candidates, through the loss itself, against
 * the exact gradient in float64. Null if no held-out example has labels that the sampler can draw.
 */
export async function gradientError(trainer: Trainer, signal: AbortSignal): Promise<GradientError | null> {
  const { candidates } = trainer.host.spec.training!;
  // What samplers draw that learn, look at hidden vectors or choose from a pool, depends on more than a law.
  if (candidates?.state === undefined || candidates.select !== undefined) return null;
  const sampler = samplerFrom(candidates.state);
  const possible = (id: number) => sampler.law === null || sampler.law.probability(id) > 0;
  const sample = await takeSample(trainer, possible);
  if (sample === null) return null;
  const exact = await exactGradient(trainer, sample, signal);
  const length = exact.length;
  const sum = new Float64Array(length);
  let squares = 0;
  const ids = new Int32Array(candidates.S);
  const logQ = new Float64Array(candidates.S);
  const key = keyFromSeed(`gradient ${trainer.options.seed}`);
  for (let step = 0; step < DRAWS; step++) {
    if (step % 32 === 0) await breathe(signal);
    const draw = sampler.draw({ key, step, item: 0, S: candidates.S }, ids, logQ);
    const targetLogQ = Float64Array.from(sample.labels, (id) => draw.targetLogQ(id));
    const gradient = sampledGradient(trainer, sample, { ids, logQ, targetLogQ });
    // Sums of differences from the exact gradient: nothing large is subtracted at the end.
    for (let i = 0; i < length; i++) {
      const difference = gradient[i]! - exact[i]!;
      sum[i]! += difference;
      squares += difference * difference;
    }
  }
  const norm = Math.sqrt(squareOf(exact));
  const ofMean = squareOf(sum) / DRAWS ** 2;
  const variance = (squares - DRAWS * ofMean) / (DRAWS - 1);
  const bias = Math.sqrt(Math.max(0, ofMean - variance / DRAWS));
  return { bias: bias / norm, spread: Math.sqrt(Math.max(0, variance)) / norm };
}

/** H of the first rows whose labels all have mass. The engine has just computed it for the probe. */
async function takeSample(trainer: Trainer, possible: (id: number) => boolean): Promise<Sample | null> {
  const { examples } = await trainer.probe(EXAMPLES);
  const { memory, layout, spec } = trainer.host;
  const { positiveOffsets, positiveIds } = layout.evaluationBatch;
  const { address, ld } = layout.encoder.hidden;
  const { D } = spec.table;
  const allOffsets = memory.ints(positiveOffsets, examples + 1);
  const rows: number[] = [];
  const offsets = [0];
  const labels: number[] = [];
  for (let row = 0; row < examples && rows.length < ROWS; row++) {
    const [from, to] = [allOffsets[row]!, allOffsets[row + 1]!];
    const own = memory.ints(positiveIds + 4 * from, to - from);
    if (own.length === 0 || !own.every(possible)) continue;
    rows.push(row);
    labels.push(...own);
    offsets.push(labels.length);
  }
  if (rows.length === 0) return null;
  const hidden = new Float32Array(rows.length * D);
  for (const [i, row] of rows.entries()) hidden.set(memory.floats(address + 4 * ld * row, D), i * D);
  return { D, hidden, offsets, labels };
}

/** The full softmax's gradient in H, (rows, D), of the mean over rows: Σ_c p(c)·w_c less the labels' rows. One walk over the table, in float64. */
async function exactGradient(
  trainer: Trainer,
  { D, hidden, offsets, labels }: Sample,
  signal: AbortSignal,
): Promise<Float64Array> {
  const { memory, layout, spec } = trainer.host;
  const { n, ld } = spec.table;
  // The tables of the report fit one memory.
  const { address } = layout.table.placed.pieces[0]!;
  const { f32 } = memory;
  const rows = offsets.length - 1;
  const max = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const total = new Float64Array(rows);
  const gradient = new Float64Array(rows * D);
  const place = (id: number) => rowOfClass(spec.table, id);
  for (let id = 0; id < n; id++) {
    if (id % CLASSES_A_TURN === 0) await breathe(signal);
    const w = (address >>> 2) + place(id) * ld;
    const bias = layout.table.bias === 0 ? 0 : f32[(layout.table.bias >>> 2) + place(id)]!;
    for (let r = 0; r < rows; r++) {
      let z = bias;
      for (let d = 0; d < D; d++) z += hidden[r * D + d]! * f32[w + d]!;
      if (z > max[r]!) {
        const shrink = Math.exp(max[r]! - z);
        max[r] = z;
        total[r]! *= shrink;
        for (let d = 0; d < D; d++) gradient[r * D + d]! *= shrink;
      }
      const weight = Math.exp(z - max[r]!);
      total[r]! += weight;
      for (let d = 0; d < D; d++) gradient[r * D + d]! += weight * f32[w + d]!;
    }
  }
  for (let r = 0; r < rows; r++) {
    const own = labels.slice(offsets[r], offsets[r + 1]);
    for (let d = 0; d < D; d++) {
      const ofLabels = own.reduce((sum, id) => sum + f32[(address >>> 2) + place(id) * ld + d]!, 0) / own.length;
      gradient[r * D + d] = (gradient[r * D + d]! / total[r]! - ofLabels) / rows;
    }
  }
  return gradient;
}

/** The loss's own gradient in H for one draw. It sees a table of the classes that matter, so that a draw costs nothing that grows with n. */
function sampledGradient(
  trainer: Trainer,
  sample: Sample,
  { ids, logQ, targetLogQ }: { ids: Int32Array; logQ: Float64Array; targetLogQ: Float64Array },
): Float32Array {
  const { host, options } = trainer;
  const { memory, layout, spec, backend } = host;
  const { address } = layout.table.placed.pieces[0]!;
  const classes = [...new Set([...ids, ...sample.labels])];
  const index = new Map(classes.map((id, i) => [id, i]));
  const table = new Float32Array(classes.length * sample.D);
  for (const [i, id] of classes.entries()) {
    const row = address + 4 * spec.table.ld * rowOfClass(spec.table, id);
    table.set(memory.floats(row, sample.D), i * sample.D);
  }
  const biases = layout.table.bias >>> 2;
  const bias =
    biases === 0 ? undefined : Float32Array.from(classes, (id) => memory.f32[biases + rowOfClass(spec.table, id)]!);
  const answer = computeLoss(
    {
      spec: options.loss,
      D: sample.D,
      hidden: sample.hidden,
      table,
      ...(bias === undefined ? {} : { bias }),
      targets: { offsets: sample.offsets, ids: sample.labels.map((id) => index.get(id)!) },
      candidates: { ids: Int32Array.from(ids, (id) => index.get(id)!), logQ, targetLogQ },
    },
    { backend: backend.kernels },
  );
  return answer.hiddenGradient;
}

function squareOf(vector: Float64Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0);
}

/** Lets signals and progress through. */
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
