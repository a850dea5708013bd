import { join } from "node:path";
import type { BackendChoice } from "@logq/blas";
import { NotFiniteError, OptionError, requireInteger } from "@logq/core";
import { type Names, NumberedNames } from "@logq/datasets";
import { allPaths, capped, NORM_EPSILON } from "@logq/losses";
import { type RunHead, readRun } from "../checkpoint/format.js";
import { loadParameters } from "../checkpoint/load.js";
import { readNames } from "../checkpoint/names.js";
import { adaptiveScores } from "../engine/adaptive/adaptive-scores.js";
import { EngineHost } from "../engine/host.js";
import type { EngineSpec } from "../engine/spec.js";
import { evaluationEngineSpec } from "../model/engine-spec.js";
import type { ListSourceSpec } from "../sources/source.js";
import { readClassTable, readScalars } from "../table/export.js";
import { rowOfClass } from "../table/lanes.js";
import { parameterArrays, readArray } from "../table/parameters.js";
import { RowArray } from "../table/row-array.js";
import { bestIds } from "./best.js";
import { idOf, MAX_INPUTS, type ModelInput, readInput } from "./model-input.js";

/** Which rows are asked for: those of classes, or the embeddings of inputs. */
export type TableChoice = "classes" | "inputs";

/** What one wants of a run, unless one says so: of a recipe of word2vec, and of a tree, the embeddings of the inputs, which are its vectors; else the class rows. */
export function usualTable(head: RunHead): TableChoice {
  return (head.options.recipe ?? null) === null && head.shape.tree === undefined ? "classes" : "inputs";
}

/** A class, its name and its score. */
export interface Scored {
  readonly id: number;
  readonly name: string;
  readonly score: number;
}

/** The longest ranking, and the most exclusions, that the engine has room for; beyond either, all scores are ranked here. */
const MAX_K = 1000;
const MAX_EXCLUDED = 65536;

/** What the names of the encoder's arrays begin with. */
const ENCODER = "encoder.";

/** And those of clusters. */
const ADAPTIVE = "adaptive.";

const NO_IDS = new Int32Array(0);

/**
 * Opens a saved run for serving: no workers, the caller's thread does the work.
 * @throws MissingFileError, FileFormatError, MemoryLimitError, BackendError
 */
export async function loadModel(
  directory: string,
  options: { readonly backend?: BackendChoice; readonly bankBytes?: number } = {},
): Promise<Model> {
  const head = await readRun(directory);
  const base = evaluationEngineSpec(head.shape, {}, MAX_K, 1);
  const capacity = { ...base.capacity, maxInputs: MAX_INPUTS, maxExcluded: MAX_EXCLUDED };
  const spec: EngineSpec = { ...base, capacity };
  const host = await EngineHost.create(spec, { ...options, workers: 0, backend: options.backend ?? "auto" });
  await loadParameters(host, directory, head);
  const classes = await readNames(join(directory, head.classNames), head.shape.classes);
  return new Model(host, head, classes, await inputNames(directory, head, classes));
}

async function inputNames(directory: string, head: RunHead, classes: Names): Promise<Names> {
  const { vocabulary } = head.shape.encoder;
  if (head.inputNames !== null) return readNames(join(directory, head.inputNames), vocabulary);
  return head.options.encoder === "context" ? new NumberedNames(vocabulary) : classes;
}

/** A trained model that answers questions. Not for use from several threads. */
export class Model {
  readonly head: RunHead;
  readonly classes: Names;
  /** Users, items, words or features: what inputs are ids of. */
  readonly inputs: Names;
  readonly #host: EngineHost;
  readonly #rows: RowArray;

  constructor(host: EngineHost, head: RunHead, classes: Names, inputs: Names) {
    this.#host = host;
    this.#rows = RowArray.of(host, host.layout.table.placed, "rows")!;
    this.head = head;
    this.classes = classes;
    this.inputs = inputs;
  }

  /**
   * The k classes with the highest logits (of an adaptive softmax or a tree: log p), best first, ties to the lower id. Fewer if not as many are left.
   * @param options.exclude ids of classes to leave out
   * @throws OptionError, ClassIdError, NotFiniteError
   */
  topK(input: ModelInput, k: number, options: { readonly exclude?: Iterable<number> } = {}): Scored[] {
    requireInteger("k", k, 1);
    const excluded = new Set(options.exclude);
    for (const id of excluded) idOf("classes", this.classes, id);
    const some = Math.min(k, this.classes.size);
    if (some > MAX_K || excluded.size > MAX_EXCLUDED) return this.#best(this.scores(input), some, excluded);
    this.#evaluate(input, some, Int32Array.from(excluded));
    const { memory, layout } = this.#host;
    const ids = memory.ints(layout.rankedIds, some);
    const scores = memory.floats(layout.rankedValues, some);
    const end = ids.indexOf(-1);
    return Array.from(ids.slice(0, end < 0 ? some : end), (id, i) => this.#scored(id, scores[i]!));
  }

  /** All logits (n), in id order, before any softmax; of an adaptive softmax or a tree all log p. A new array. @throws OptionError, ClassIdError, NotFiniteError */
  scores(input: ModelInput): Float32Array {
    const hidden = this.#hiddenOf(input);
    const { spec, layout } = this.#host;
    if (layout.adaptive !== undefined) return adaptiveScores(this.#host);
    const logits = new Float32Array(spec.table.n);
    this.#eachRow(hidden, (id, row, dot, length) => {
      logits[id] = this.#logit(row, dot, length);
    });
    if (spec.tree === undefined) return logits;
    const out = new Float32Array(spec.tree.n);
    allPaths(spec.tree, (node) => logits[node]!, out);
    return out;
  }

  /**
   * The logits of some classes, in their order, before any softmax: D products each, and no look at the others. Where the model was trained to be
   * normalised by itself (nce, or a z-loss) they are log probabilities, to within what `evaluate` calls log-partition. Of an adaptive softmax or a tree log p
   * itself, which takes all classes there. A new array.
   * @throws OptionError, ClassIdError, NotFiniteError
   */
  scoresOf(input: ModelInput, classes: readonly (number | string)[]): Float32Array {
    const ids = classes.map((idOrName) => idOf("classes", this.classes, idOrName));
    if (this.#host.spec.tree !== undefined || this.#host.spec.adaptive !== undefined) {
      const all = this.scores(input);
      return Float32Array.from(ids, (id) => all[id]!);
    }
    const hidden = this.#hiddenOf(input);
    const values = new Float32Array(hidden.length);
    return Float32Array.from(ids, (id) => {
      const row = rowOfClass(this.#host.spec.table, id);
      this.#rows.read(row, values);
      const { dot, length } = against(hidden, values);
      return this.#logit(row, dot, length);
    });
  }

  /** What logits of an input are products with: views of the engine's memory, until the next question. */
  #hiddenOf(input: ModelInput): Float32Array {
    this.#evaluate(input, 0, NO_IDS);
    const { spec, layout, memory } = this.#host;
    const { address } = layout.encoder.hidden;
    return memory.floats(spec.normalize ? layout.full.unitHidden : address, spec.table.D);
  }

  /** @param row a class's physical row @param dot its product with what `#hiddenOf` answers @param length the row's */
  #logit(row: number, dot: number, length: number): number {
    const { spec, layout, memory } = this.#host;
    const bias = layout.table.bias === 0 ? 0 : memory.f32[(layout.table.bias >>> 2) + row]!;
    const product = spec.normalize ? dot / Math.max(length, NORM_EPSILON) : dot;
    return capped(spec.scale * (product + bias), spec.softCap);
  }

  /** The hidden vector (D) of an input: a copy; of normalised models as it is before normalising. @throws OptionError, ClassIdError, NotFiniteError */
  hidden(input: ModelInput): Float32Array {
    this.#evaluate(input, 0, NO_IDS);
    const { spec, layout, memory } = this.#host;
    return memory.floats(layout.encoder.hidden.address, spec.table.D).slice();
  }

  /** A class's row (D): a copy. @throws OptionError (of an adaptive softmax or a tree: see `table`), ClassIdError */
  vector(classIdOrName: number | string): Float32Array {
    this.#requireClassRows();
    const vector = new Float32Array(this.#rows.columns);
    this.#rows.read(rowOfClass(this.#host.spec.table, idOf("classes", this.classes, classIdOrName)), vector);
    return vector;
  }

  /** A class's bias; 0 in a model without. @throws as `vector` */
  bias(classIdOrName: number | string): number {
    this.#requireClassRows();
    const { spec, layout, memory } = this.#host;
    const row = rowOfClass(spec.table, idOf("classes", this.classes, classIdOrName));
    return layout.table.bias === 0 ? 0 : memory.f32[(layout.table.bias >>> 2) + row]!;
  }

  /**
   * The k classes whose rows have the highest cosine with a class's row, itself left out; or, of the table of inputs, the k inputs whose
   * embeddings have; tied tables are one. Default: the table that `usualTable` names. @throws OptionError, ClassIdError
   */
  neighbours(idOrName: number | string, k: number, table: TableChoice = usualTable(this.head)): Scored[] {
    requireInteger("k", k, 1);
    return table === "classes" || this.#host.spec.tied
      ? this.#classNeighbours(idOrName, k)
      : this.#inputNeighbours(idOrName, k);
  }

  #inputNeighbours(idOrName: number | string, k: number): Scored[] {
    const rows = RowArray.of(this.#host, this.#host.layout.embedding!, "rows")!;
    const self = idOf("inputs", this.inputs, idOrName);
    const own = new Float32Array(rows.columns);
    const other = new Float32Array(rows.columns);
    rows.read(self, own);
    const ownLength = Math.hypot(...own);
    const cosines = new Float32Array(this.inputs.size);
    for (let id = 0; id < cosines.length; id++) {
      rows.read(id, other);
      const { dot, length } = against(own, other);
      cosines[id] = dot / Math.max(ownLength * length, Number.MIN_VALUE);
    }
    const best = bestIds(cosines, k, new Set([self]));
    return best.map((id) => ({ id, name: this.inputs.name(id), score: cosines[id]! }));
  }

  #classNeighbours(classIdOrName: number | string, k: number): Scored[] {
    const self = idOf("classes", this.classes, classIdOrName);
    const own = this.vector(self);
    const ownLength = Math.hypot(...own);
    const cosines = new Float32Array(this.classes.size);
    this.#eachRow(own, (id, _row, dot, length) => {
      cosines[id] = dot / Math.max(ownLength * length, Number.MIN_VALUE);
    });
    return this.#best(cosines, k, new Set([self]));
  }

  /** The class table (n, D) in id order: a copy. @throws OptionError: a tree has none, nor has an adaptive softmax, see `clusterTables` */
  table(): Float32Array {
    this.#requireClassRows();
    return readClassTable(this.#host);
  }

  /** The class biases (n) in id order: a copy; undefined in a model without. @throws as `table` */
  biases(): Float32Array | undefined {
    this.#requireClassRows();
    const { bias } = this.#host.layout.table;
    return bias === 0 ? undefined : readScalars(this.#host, bias);
  }

  /** The tables of an adaptive softmax by name, row-major: copies. head (h + K, D), head-bias, tail0 (size, width), tail0-projection (width, D), … */
  clusterTables(): { name: string; rows: number; columns: number; values: Float32Array }[] {
    return this.#tablesOf(ADAPTIVE);
  }

  /** The encoder's tables by name, row-major without padding: copies. Tied embeddings are `table()` and not among them. */
  encoderTables(): { name: string; rows: number; columns: number; values: Float32Array }[] {
    return this.#tablesOf(ENCODER);
  }

  #tablesOf(prefix: string): { name: string; rows: number; columns: number; values: Float32Array }[] {
    const own = parameterArrays(this.#host).filter(({ name }) => name.startsWith(prefix));
    return own.map((named) => ({
      name: named.name.slice(prefix.length),
      rows: named.ids,
      columns: named.array.columns,
      values: readArray(named),
    }));
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  #requireClassRows(): void {
    const { shape, options } = this.head;
    if (shape.adaptive !== undefined) {
      const { cutoffs } = shape.adaptive;
      throw new OptionError(
        `this model is an adaptive softmax with cutoffs ${cutoffs.join(", ")}: its class rows differ in width, so there is no table (n, D) of them`,
        { cutoffs },
      );
    }
    if (this.#host.spec.tree === undefined) return;
    const { loss, tree } = options;
    throw new OptionError(
      `${loss.name} has no rows of classes, but of the nodes of its tree: there is no vector of a class`,
      { loss: loss.name, tree },
    );
  }

  /** Leaves the hidden vector, and a ranking of k classes, in the engine's memory. */
  #evaluate(input: ModelInput, k: number, excluded: Int32Array): void {
    const { ids, weights } = readInput(this.head, this.inputs, input);
    const list: ListSourceSpec = {
      kind: "list",
      inputOffsets: Int32Array.of(0, ids.length),
      inputs: ids,
      weights,
      targetOffsets: Int32Array.of(0, 0),
      targets: NO_IDS,
      excludedOffsets: Int32Array.of(0, excluded.length),
      excluded,
    };
    const { sync, memory, layout, spec } = this.#host;
    const goals = { loss: false, k, maskExcluded: true };
    sync!.runSync({
      type: "evaluate",
      source: "",
      first: 0,
      count: 1,
      key: undefined,
      list,
      batch: 0,
      batches: 1,
      goals,
    });
    const bad = memory
      .floats(layout.encoder.hidden.address, spec.table.D)
      .findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new NotFiniteError(`element ${bad} of the input's hidden vector is not finite`, { index: bad });
  }

  /** Hands over each class with its physical row, the dot product of its row with `query` (D), and its row's length; sums are float64. */
  #eachRow(query: Float32Array, visit: (id: number, row: number, dot: number, length: number) => void): void {
    const { table } = this.#host.spec;
    const values = new Float32Array(table.D);
    for (let id = 0; id < table.n; id++) {
      const row = rowOfClass(table, id);
      this.#rows.read(row, values);
      const { dot, length } = against(query, values);
      visit(id, row, dot, length);
    }
  }

  #best(scores: Float32Array, k: number, excluded: ReadonlySet<number>): Scored[] {
    return bestIds(scores, k, excluded).map((id) => this.#scored(id, scores[id]!));
  }

  #scored(id: number, score: number): Scored {
    return { id, name: this.classes.name(id), score };
  }
}

/** The dot product of a row with `query`, and the row's length; sums are float64. */
function against(query: Float32Array, row: Float32Array): { dot: number; length: number } {
  let dot = 0;
  let squares = 0;
  for (let d = 0; d < row.length; d++) {
    dot += query[d]! * row[d]!;
    squares += row[d]! * row[d]!;
  }
  return { dot, length: Math.sqrt(squares) };
}
