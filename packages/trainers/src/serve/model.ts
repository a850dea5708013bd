import { join } from "node:path";
import { ClassIdError, NotFiniteError, OptionError, requireInteger, ShapeError } from "@logq/core";
import type { Names } from "@logq/datasets";
import { inputWidth } from "@logq/encoders";
import type { BackendChoice } from "@logq/kernels";
import { readRun, type RunHead } from "../checkpoint/format.js";
import { loadParameters } from "../checkpoint/load.js";
import { ListedNames, readNames } from "../checkpoint/names.js";
import { readBlock } from "../checkpoint/save.js";
import { EngineHost } from "../engine/host.js";
import type { EngineSpec } from "../engine/spec.js";
import { evaluationEngineSpec } from "../model/engine-spec.js";
import type { ListSourceSpec } from "../sources/source.js";
import { readClassTable, readScalars } from "../table/export.js";
import { rowOfClass } from "../table/lanes.js";

/** One input, by names or ids; which form fits is a matter of the model's encoder. */
export type ModelInput =
  | { readonly user: string | number }
  | { readonly items: readonly (string | number)[] }
  | { readonly words: readonly (string | number)[] }
  | { readonly features: readonly (readonly [string | number, number])[] }
  | { readonly context: number };

/** A class, its name and its score. */
export interface Scored {
  readonly id: number;
  readonly name: string;
  readonly score: number;
}

/** The most entries of one input, and of one list of exclusions, of a model that serves. */
const MAX_INPUTS = 65536;
const MAX_EXCLUDED = 1 << 20;
/** Exclusions are offered to the engine in lists no longer than this; longer ones are filtered afterwards. */
const MAX_K = 1000;

/** Opens a saved run for serving: no workers, the caller's thread does the work. @throws MissingFileError, FileFormatError */
export async function loadModel(directory: string, options: { readonly backend?: BackendChoice } = {}): Promise<Model> {
  const head = await readRun(directory);
  const base = evaluationEngineSpec(head.shape, {}, MAX_K, 1);
  const spec: EngineSpec = { ...base, capacity: { maxInputs: MAX_INPUTS, maxTargets: 1, maxExcluded: MAX_EXCLUDED } };
  const host = await EngineHost.create(spec, { workers: 0, backend: options.backend ?? "auto" });
  await loadParameters(host, directory, head);
  const classes = await readNames(join(directory, head.classNames), head.shape.classes);
  const vocabulary = head.shape.encoder.vocabulary;
  const inputs = head.inputNames === null ? undefined : await readNames(join(directory, head.inputNames), vocabulary);
  const named = vocabulary === head.shape.classes ? classes : new ListedNames(Array.from({ length: vocabulary }, (_, id) => String(id)));
  return new Model(host, head, classes, inputs ?? named);
}

/** A trained model that answers questions. Not for use from several threads. */
export class Model {
  readonly head: RunHead;
  readonly classes: Names;
  /** Users, items, words or features: what inputs are ids of. */
  readonly inputs: Names;
  readonly #host: EngineHost;

  constructor(host: EngineHost, head: RunHead, classes: Names, inputs: Names) {
    this.#host = host;
    this.head = head;
    this.classes = classes;
    this.inputs = inputs;
  }

  /** The k classes with the highest logits, best first, ties to the lower id. Fewer if not as many are left. */
  topK(input: ModelInput, k: number, options: { readonly exclude?: Iterable<number> } = {}): Scored[] {
    requireInteger("k", k, 1);
    const excluded = Int32Array.from(new Set(options.exclude ?? []));
    for (const id of excluded) this.#requireClass(id);
    const some = Math.min(k, MAX_K, this.classes.size);
    if (k > MAX_K) return this.#topOfAll(input, k, new Set(excluded));
    this.#evaluate(input, some, excluded);
    const { memory, layout } = this.#host;
    const list: Scored[] = [];
    for (let i = 0; i < some; i++) {
      const id = memory.i32[(layout.rankedIds >>> 2) + i]!;
      if (id < 0) break;
      list.push({ id, name: this.classes.name(id), score: memory.f32[(layout.rankedValues >>> 2) + i]! });
    }
    return list;
  }

  /** All logits (n), in id order, before any softmax. A new array. */
  scores(input: ModelInput): Float32Array {
    this.#evaluate(input, 0, new Int32Array(0));
    const { spec, layout, memory } = this.#host;
    const { n, D, ld } = spec.table;
    const hidden = memory.floats(spec.normalize ? layout.full.unitHidden : layout.encoder.hidden.address, D);
    const out = new Float32Array(n);
    for (let id = 0; id < n; id++) {
      const row = rowOfClass(spec.table, id);
      const at = (layout.table.address >>> 2) + row * ld;
      let dot = 0;
      let squares = 0;
      for (let d = 0; d < D; d++) {
        const w = memory.f32[at + d]!;
        dot += hidden[d]! * w;
        squares += w * w;
      }
      const bias = layout.table.bias === 0 ? 0 : memory.f32[(layout.table.bias >>> 2) + row]!;
      out[id] = spec.scale * ((spec.normalize ? dot / Math.max(Math.sqrt(squares), 1e-12) : dot) + bias);
    }
    return out;
  }

  /** A class's row (D): a copy. */
  vector(classIdOrName: number | string): Float32Array {
    const { spec, layout, memory } = this.#host;
    const at = layout.table.address + 4 * spec.table.ld * rowOfClass(spec.table, this.#classId(classIdOrName));
    return memory.floats(at, spec.table.D).slice();
  }

  /** A class's bias; 0 in a model without. */
  bias(classIdOrName: number | string): number {
    const { spec, layout, memory } = this.#host;
    const row = rowOfClass(spec.table, this.#classId(classIdOrName));
    return layout.table.bias === 0 ? 0 : memory.f32[(layout.table.bias >>> 2) + row]!;
  }

  /** The k classes whose rows have the highest cosine with a class's row, itself left out. */
  neighbours(classIdOrName: number | string, k: number): Scored[] {
    requireInteger("k", k, 1);
    const self = this.#classId(classIdOrName);
    const table = this.table();
    const { n, D } = this.#host.spec.table;
    const length = (id: number) => Math.hypot(...table.subarray(id * D, id * D + D));
    const own = length(self);
    const scores = new Float32Array(n);
    for (let id = 0; id < n; id++) {
      let dot = 0;
      for (let d = 0; d < D; d++) dot += table[self * D + d]! * table[id * D + d]!;
      scores[id] = dot / Math.max(own * length(id), 1e-12);
    }
    return this.#best(scores, k, new Set([self]));
  }

  /** The class table (n, D) in id order: a copy. */
  table(): Float32Array {
    return readClassTable(this.#host);
  }

  /** The class biases (n) in id order: a copy; undefined in a model without. */
  biases(): Float32Array | undefined {
    const { bias } = this.#host.layout.table;
    return bias === 0 ? undefined : readScalars(this.#host, bias);
  }

  /** The encoder's tables by name, row-major without padding: copies. */
  encoderTables(): { name: string; rows: number; columns: number; values: Float32Array }[] {
    return this.#host.layout.encoder.tables.map(({ name, address, rows, columns, ld }) => ({
      name,
      rows,
      columns,
      values: readBlock(this.#host, address, rows, columns, ld),
    }));
  }

  async close(): Promise<void> {
    await this.#host.close();
  }

  #evaluate(input: ModelInput, k: number, excluded: Int32Array): void {
    const { ids, weights } = this.#read(input);
    const list: ListSourceSpec = {
      kind: "list",
      inputOffsets: Int32Array.of(0, ids.length),
      inputs: ids,
      weights,
      targetOffsets: Int32Array.of(0, 0),
      targets: new Int32Array(0),
      excludedOffsets: Int32Array.of(0, excluded.length),
      excluded,
    };
    const goals = { loss: false, k, maskExcluded: true };
    this.#host.inline!.runSync({ type: "evaluate", source: "", first: 0, count: 1, key: undefined, list, batch: 0, batches: 1, goals });
  }

  /** The ids and weights that an input stands for. */
  #read(input: ModelInput): { ids: Int32Array; weights: Float32Array } {
    const { encoder } = this.head.options;
    const wanted = { user: "user", history: "items", window: "words", features: "features", context: "context" }[encoder];
    const [form] = Object.keys(input);
    if (form !== wanted) {
      throw new OptionError(`a model with the encoder ${encoder} takes ${wanted}, not ${form}`, { encoder, wanted, form });
    }
    let ids: number[];
    let weights: number[] | undefined;
    if ("user" in input) ids = [this.#inputId(input.user)];
    else if ("items" in input) ids = input.items.slice(-this.head.options.window).map((item) => this.#inputId(item));
    else if ("words" in input) ids = this.#readWords(input.words);
    else if ("context" in input) ids = [this.#inputId(input.context)];
    else {
      ids = input.features.map(([feature]) => this.#inputId(feature));
      weights = input.features.map(([, weight]) => weight);
    }
    if (ids.length > MAX_INPUTS) throw new ShapeError(`an input has at most ${MAX_INPUTS} entries, not ${ids.length}`, { length: ids.length });
    const bad = weights?.find((weight) => !Number.isFinite(weight));
    if (bad !== undefined) throw new NotFiniteError(`a feature's weight is ${bad}; it must be finite`, { weight: bad });
    return { ids: Int32Array.from(ids), weights: weights === undefined ? new Float32Array(ids.length).fill(1) : Float32Array.from(weights) };
  }

  /** The last words of a context; unknown ones are the unknown class if there is one. A concatenated window is filled up on the left. */
  #readWords(words: readonly (string | number)[]): number[] {
    const { window } = this.head.options;
    const { unknown, eos, shape } = this.head;
    const known = words.slice(-window).map((word) => {
      const id = typeof word === "string" ? this.inputs.id(word) : word;
      return id === undefined && unknown >= 0 ? unknown : this.#inputId(word);
    });
    if (inputWidth(shape.encoder) === shape.encoder.embedding && shape.encoder.input === "bag") return known;
    return [...Array.from({ length: window - known.length }, () => Math.max(eos, 0)), ...known];
  }

  #inputId(idOrName: string | number): number {
    const id = typeof idOrName === "string" ? this.inputs.id(idOrName) : idOrName;
    if (id === undefined) throw new OptionError(`"${idOrName}" is not among the ${this.inputs.size} known inputs`, { name: idOrName });
    if (!Number.isInteger(id) || id < 0 || id >= this.inputs.size) {
      throw new ClassIdError(`input id ${id} lies outside [0, ${this.inputs.size})`, { id, n: this.inputs.size });
    }
    return id;
  }

  #classId(idOrName: number | string): number {
    const id = typeof idOrName === "string" ? this.classes.id(idOrName) : idOrName;
    if (id === undefined) throw new OptionError(`"${idOrName}" is not among the ${this.classes.size} classes`, { name: idOrName });
    this.#requireClass(id);
    return id;
  }

  #requireClass(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.classes.size) return;
    throw new ClassIdError(`class ${id} lies outside [0, ${this.classes.size})`, { id, n: this.classes.size });
  }

  #topOfAll(input: ModelInput, k: number, excluded: ReadonlySet<number>): Scored[] {
    return this.#best(this.scores(input), k, excluded);
  }

  #best(scores: Float32Array, k: number, excluded: ReadonlySet<number>): Scored[] {
    const ids = Array.from(scores.keys()).filter((id) => !excluded.has(id));
    ids.sort((a, b) => scores[b]! - scores[a]! || a - b);
    return ids.slice(0, k).map((id) => ({ id, name: this.classes.name(id), score: scores[id]! }));
  }
}
