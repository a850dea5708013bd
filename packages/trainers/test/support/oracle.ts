import { philox, STREAM, stepLow, streamWord } from "@logq/core";
import { layerShapes } from "@logq/encoders";
import { sharesMass, type TileLossName } from "@logq/losses";
import { type Sampler, samplerFrom } from "@logq/samplers";
import { type CandidateAnswer, candidateLoss } from "@logq/testing";
import type { EngineSpec } from "../../dist/engine/spec.js";
import { createSource } from "../../dist/sources/create.js";
import { EpochOrder } from "../../dist/sources/order.js";
import type { Source } from "../../dist/sources/source.js";
import { learningRate, type Parameters, touchedRows, updateRow } from "./oracle-optimizer.js";
import { nodesAbove, treeLoss } from "./oracle-tree.js";

/** A batch as plain lists, one entry a row. */
interface Batch {
  readonly rows: number;
  readonly inputs: readonly { readonly ids: number[]; readonly weights: number[] }[];
  readonly labels: readonly number[][];
  readonly labelLogQ: readonly number[][];
  /** Every draw of every row, duplicates as they come; undefined: all classes. */
  readonly candidates: readonly number[][] | undefined;
  readonly logQ: readonly number[][] | undefined;
  readonly seen: readonly number[][];
  /** What a row counts in the mean of the batch, before it is divided by their sum. */
  readonly weights: readonly number[];
}

/** A row on its way through the encoder. */
interface Trace {
  /** The input of each layer, after dropout. */
  readonly inputs: number[][];
  /** The output of each layer before dropout. */
  readonly outputs: number[][];
  readonly hidden: number[];
}

/** What a batch comes to; of a tree without the gradients of logits, which are those of its nodes. */
type OracleAnswer = Pick<CandidateAnswer, "loss" | "dW" | "dBias" | "dH"> & Partial<Pick<CandidateAnswer, "dLogits">>;

/**
 * A training run in float64, row by row and class by class, from the definitions. It shares with the engine who is in a batch (the keyed
 * order), what a source says of an example, and who is drawn (the samplers, by the same address); all arithmetic is its own.
 */
export class OracleRun {
  readonly spec: EngineSpec;
  /** (n, D), (n, 1), the encoder's tables, of which the first has no rows if the class table is it, then log(1/τ) where it is learned. */
  readonly tables: Parameters[];
  /** Which table inputs are rows of. */
  readonly #inputs: number;
  readonly #source: Source;
  readonly #sampler: Sampler | undefined;

  constructor(
    spec: EngineSpec,
    start: { classes: ArrayLike<number>; bias: ArrayLike<number>; encoder: readonly ArrayLike<number>[] },
  ) {
    const { n, D } = spec.table;
    const { encoder } = spec;
    const make = (values: ArrayLike<number>, rows: number, columns: number, bias: boolean): Parameters => ({
      rows,
      columns,
      bias,
      values: Float64Array.from(values),
      first: new Float64Array(rows * columns).fill(startOf(spec)),
      second: new Float64Array(rows * columns),
      rowwise: new Float64Array(rows).fill(startOf(spec)),
    });
    const dense = layerShapes(encoder).flatMap(({ inputs, outputs }, l) => [
      make(start.encoder[1 + 2 * l]!, inputs, outputs, false),
      make(start.encoder[2 + 2 * l]!, 1, outputs, true),
    ]);
    const learned = spec.training!.learnTemperature ? [make(start.encoder.at(-1)!, 1, 1, true)] : [];
    this.spec = spec;
    this.#inputs = spec.tied ? 0 : 2;
    this.tables = [
      make(start.classes, n, D, false),
      make(start.bias, n, 1, true),
      make(start.encoder[0]!, spec.tied ? 0 : encoder.vocabulary, encoder.embedding, false),
      ...dense,
      ...learned,
    ];
    this.#source = createSource(spec.sources.train!);
    const { candidates } = spec.training!;
    this.#sampler = candidates?.state === undefined ? undefined : samplerFrom(candidates.state);
  }

  /** The loss of the batch of `step` with the tables as they are. */
  loss(step: number): number {
    const batch = this.#batch(step);
    const traces = batch.inputs.map((_, row) => this.#forward(batch, row, step));
    return this.#mean(batch, this.#lossOf(batch, traces).loss);
  }

  /** What is reported of a batch whose gradient is a sum over rows. */
  #mean(batch: Batch, loss: number): number {
    const valid = batch.labels.filter((labels) => labels.length > 0).length;
    return this.spec.training!.reduction === "mean" ? loss : loss / Math.max(1, valid);
  }

  /** One step; answers the loss before it. */
  step(step: number): number {
    const batch = this.#batch(step);
    const traces = batch.inputs.map((_, row) => this.#forward(batch, row, step));
    const answer = this.#lossOf(batch, traces);
    const gradients = this.tables.map(({ values }) => new Float64Array(values.length));
    gradients[0]!.set(answer.dW);
    if (this.spec.bias) gradients[1]!.set(answer.dBias);
    if (this.spec.training!.learnTemperature) gradients.at(-1)![0] = this.#logScaleGradient(traces, answer.dLogits!);
    const { D } = this.spec.table;
    for (let row = 0; row < batch.rows; row++) {
      this.#backward(batch, row, step, traces[row]!, Array.from(answer.dH.subarray(row * D, (row + 1) * D)), gradients);
    }
    this.#update(step, batch, gradients);
    return this.#mean(batch, answer.loss);
  }

  #batch(step: number): Batch {
    const { key, training, encoder } = this.spec;
    const { B, loss, candidates } = training!;
    const all = this.#source;
    const { source, order } = all.training?.(B, key) ?? { source: all, order: new EpochOrder(all.examples, B, key) };
    const rows = order.seek(step);
    const ids = new Int32Array(Math.max(source.maxInputs, source.maxTargets, source.maxExcluded, 1));
    const weights = new Float32Array(ids.length).fill(1);
    const batch = {
      rows,
      inputs: [] as { ids: number[]; weights: number[] }[],
      labels: [] as number[][],
      labelLogQ: [] as number[][],
      candidates: [] as number[][],
      logQ: [] as number[][],
      seen: [] as number[][],
      weights: [] as number[],
    };
    for (let row = 0; row < rows; row++) {
      const example = order.example(row);
      const count = source.inputs(example, ids, weights, 0);
      const total = Array.from(weights.subarray(0, count)).reduce((sum, w) => sum + w, 0);
      const share = (w: number) => (encoder.input === "concat" ? 1 : encoder.reduce === "mean" ? w / total : w);
      batch.inputs.push({
        ids: Array.from(ids.subarray(0, count)),
        weights: Array.from(weights.subarray(0, count), share),
      });
      batch.labels.push(Array.from(ids.subarray(0, source.targets(example, ids, 0))));
      batch.weights.push(batch.labels[row]!.length > 0 ? (source.weight?.(example) ?? 1) : 0);
      batch.seen.push(loss.exclude === "seen" ? Array.from(ids.subarray(0, source.excluded(example, ids, 0))) : []);
    }
    if (candidates === undefined || candidates.per === "none")
      return { ...batch, candidates: undefined, logQ: undefined };
    const { S } = candidates;
    const drawn = new Int32Array(S);
    const logQ = new Float64Array(S);
    for (let row = 0; row < rows; row++) {
      const shared = candidates.per === "batch";
      const request = { key, step, item: shared ? 0 : row + 1, S };
      const labels = batch.labels[row]!;
      const anew = !shared && loss.accidentalHits === "remove" && labels.length > 0;
      const sorted = Int32Array.from(labels).sort();
      const draw = anew
        ? this.#sampler!.drawExcluding(request, sorted, 0, sorted.length, drawn, logQ)
        : this.#sampler!.draw(request, drawn, logQ);
      batch.candidates.push(Array.from(drawn));
      batch.logQ.push(Array.from(logQ));
      batch.labelLogQ.push(labels.map((id) => draw.targetLogQ(id)));
    }
    return batch;
  }

  #lossOf(batch: Batch, traces: readonly Trace[]): OracleAnswer {
    const { table, tree, training } = this.spec;
    const { loss } = training!;
    const normalised = sharesMass(loss.name);
    const offsets = [0];
    for (const labels of batch.labels) offsets.push(offsets.at(-1)! + labels.length);
    const weights = batch.labels.map((labels, row) => (normalised ? batch.weights[row]! : Math.min(1, labels.length)));
    const { reduction, labelFactors } = training!;
    const masses = batch.labels.map((labels) =>
      labels.map((id) => (normalised ? 1 / labels.length : 1) * (labelFactors?.[id] ?? 1)),
    );
    const inMean = (row: number) =>
      normalised && labelFactors ? masses[row]!.reduce((sum, mass) => sum + mass, 0) : 1;
    const total = reduction === "sum" ? 1 : weights.reduce((sum, weight, row) => sum + weight * inMean(row), 0);
    const H = traces.flatMap(({ hidden }) => hidden);
    if (tree !== undefined) {
      const rows = { labels: batch.labels, weights: weights.map((weight) => weight / total) };
      const bias = this.spec.bias ? this.tables[1]!.values : undefined;
      return treeLoss(tree, { H, V: this.tables[0]!.values, bias, D: table.D, scale: this.spec.scale, ...rows });
    }
    return candidateLoss({
      loss: loss.name as TileLossName,
      correction: loss.correction,
      H,
      W: this.tables[0]!.values,
      ...(this.spec.bias ? { bias: this.tables[1]!.values } : {}),
      B: batch.rows,
      D: table.D,
      n: table.n,
      targets: {
        offsets,
        ids: batch.labels.flat(),
        weights: masses.flat(),
      },
      ...(batch.candidates && { candidates: batch.candidates, logQ: batch.logQ!, targetLogQ: batch.labelLogQ.flat() }),
      removeHits: loss.accidentalHits === "remove",
      seen: batch.seen,
      temperature: this.#temperature,
      rowWeights: weights.map((weight) => weight / total),
      labelSmoothing: loss.labelSmoothing,
      cosine: loss.normalize,
      negativesPerLabel: loss.negativesPerLabel,
      zLoss: loss.zLoss,
      softCap: loss.softCap,
      massIsWeight: loss.labelMass === "weight",
      calibration: loss.calibration,
      negativeWeight: loss.negativeWeight,
      negativeMargin: loss.negativeMargin,
      marginKind: loss.marginKind,
      margin: loss.margin,
      sharedDraws: training!.candidates?.per === "batch",
    });
  }

  get #temperature(): number {
    const { loss, learnTemperature } = this.spec.training!;
    return learnTemperature ? Math.exp(-this.tables.at(-1)!.values[0]!) : loss.temperature;
  }

  /** Σ of dloss/d(h·w + b)·(h·w + b), logit by logit. */
  #logScaleGradient(traces: readonly Trace[], dLogits: ArrayLike<number>): number {
    const { n, D } = this.spec.table;
    const unit = (x: readonly number[]) => x.map((value) => value / Math.hypot(...x));
    let sum = 0;
    for (const [row, { hidden }] of traces.entries()) {
      const h = unit(hidden);
      for (let c = 0; c < n; c++) {
        const w = unit(Array.from(this.tables[0]!.values.subarray(c * D, (c + 1) * D)));
        const dot = h.reduce((product, value, d) => product + value * w[d]!, 0);
        sum += dLogits[row * n + c]! * (dot + (this.spec.bias ? this.tables[1]!.values[c]! : 0));
      }
    }
    return sum;
  }

  #forward(batch: Batch, row: number, step: number): Trace {
    const { encoder } = this.spec;
    const { ids, weights } = batch.inputs[row]!;
    const E = encoder.embedding;
    const embedding = (id: number) => Array.from(this.tables[this.#inputs]!.values.subarray(id * E, (id + 1) * E));
    let x: number[];
    if (encoder.input === "concat") x = ids.flatMap(embedding);
    else {
      x = new Array<number>(E).fill(0);
      for (const [j, id] of ids.entries()) x = x.map((sum, d) => sum + weights[j]! * embedding(id)[d]!);
    }
    x = this.#drop(x, 0, row, step);
    const trace: Trace = { inputs: [], outputs: [], hidden: [] };
    layerShapes(encoder).forEach(({ inputs, outputs }, l) => {
      const A = this.tables[3 + 2 * l]!.values;
      const b = this.tables[4 + 2 * l]!.values;
      trace.inputs.push(x);
      const last = l >= encoder.hidden.length;
      const y = Array.from({ length: outputs }, (_, o) => {
        let sum = b[o]!;
        for (let i = 0; i < inputs; i++) sum += x[i]! * A[i * outputs + o]!;
        return last ? sum : encoder.activation === "tanh" ? Math.tanh(sum) : Math.max(0, sum);
      });
      trace.outputs.push(y);
      x = last ? y : this.#drop(y, l + 1, row, step);
    });
    trace.hidden.push(...x);
    return trace;
  }

  #backward(batch: Batch, row: number, step: number, trace: Trace, dH: number[], gradients: Float64Array[]): void {
    const { encoder } = this.spec;
    const shapes = layerShapes(encoder);
    let g = dH;
    for (let l = shapes.length - 1; l >= 0; l--) {
      const { inputs, outputs } = shapes[l]!;
      const A = this.tables[3 + 2 * l]!.values;
      const y = trace.outputs[l]!;
      if (l < encoder.hidden.length) {
        const slope = (v: number) => (encoder.activation === "tanh" ? 1 - v * v : v > 0 ? 1 : 0);
        g = this.#drop(g, l + 1, row, step).map((value, o) => value * slope(y[o]!));
      }
      const x = trace.inputs[l]!;
      const before = g;
      for (let o = 0; o < outputs; o++) {
        gradients[4 + 2 * l]![o]! += before[o]!;
        for (let i = 0; i < inputs; i++) gradients[3 + 2 * l]![i * outputs + o]! += x[i]! * before[o]!;
      }
      g = Array.from({ length: inputs }, (_, i) => {
        let sum = 0;
        for (let o = 0; o < outputs; o++) sum += before[o]! * A[i * outputs + o]!;
        return sum;
      });
    }
    g = this.#drop(g, 0, row, step);
    const { ids, weights } = batch.inputs[row]!;
    const E = encoder.embedding;
    for (const [j, id] of ids.entries()) {
      const from = encoder.input === "concat" ? j * E : 0;
      for (let d = 0; d < E; d++) gradients[this.#inputs]![id * E + d]! += weights[j]! * g[from + d]!;
    }
  }

  /** Inverted dropout of a row at a site, by the addresses that the kernels document. */
  #drop(x: number[], site: number, row: number, step: number): number[] {
    const { dropout } = this.spec.encoder;
    if (dropout === 0) return x;
    const words = new Uint32Array(4);
    return x.map((value, d) => {
      const block = Math.floor(d / 4) + site * 2 ** 24;
      philox(this.spec.key, block, row, stepLow(step), streamWord(STREAM.dropout, step), words);
      return words[d % 4]! < Math.round(dropout * 2 ** 32) ? 0 : value / (1 - dropout);
    });
  }

  #update(step: number, batch: Batch, gradients: readonly Float64Array[]): void {
    const { training } = this.spec;
    const { optimizer } = training!;
    const norm = Math.sqrt(gradients.reduce((sum, g) => sum + g.reduce((part, value) => part + value * value, 0), 0));
    const clip = optimizer.clipNorm > 0 && norm > optimizer.clipNorm ? optimizer.clipNorm / norm : 1;
    const rate = learningRate(training!, step);
    const { tree } = this.spec;
    const labels = batch.labels.flat();
    const drawn = batch.candidates && [...labels, ...batch.candidates.flat()];
    const classes = tree === undefined ? drawn : labels.flatMap((id) => nodesAbove(tree, id).map(({ node }) => node));
    const inputs = batch.inputs.flatMap(({ ids }) => ids);
    for (const [index, table] of this.tables.entries()) {
      if (table.rows === 0 || (index === 1 && !this.spec.bias)) continue;
      // A row of tied tables counts once, whichever side it was used on.
      const both = index === 0 && this.spec.tied && classes !== undefined;
      const used = both ? [...classes, ...inputs] : index <= 1 ? classes : index === 2 ? inputs : undefined;
      const own = index <= 2 ? rate : rate * optimizer.denseFactor;
      for (const row of touchedRows(table, used)) updateRow(table, row, gradients[index]!, optimizer, own, clip, step);
    }
  }
}

function startOf(spec: EngineSpec): number {
  const { name, initialAccumulator } = spec.training!.optimizer;
  return name === "adagrad" || name === "rowwise-adagrad" ? initialAccumulator : 0;
}
