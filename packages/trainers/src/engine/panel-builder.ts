import type { Key } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import { labelsNeedLogQ } from "@logq/losses";
import {
  type Draw,
  type MemorySampler,
  memorySamplerFrom,
  type Sampler,
  type StatefulSampler,
  samplerFrom,
  statefulSamplerFrom,
} from "@logq/samplers";
import type { ExampleOrder } from "../sources/order.js";
import type { Source } from "../sources/source.js";
import { rowOfClass, type TableShape } from "../table/lanes.js";
import { type BatchLayout, HEAD } from "./batch-layout.js";
import { firstNotBelow } from "./mask.js";
import type { CandidateSpec, EngineSpec } from "./spec.js";

/** Scratch in kernel memory for the two units that build a batch; they run at the same time, so each has its own. */
export interface BuilderScratch {
  readonly segments: Address;
  readonly keys: Address;
  readonly values: Address;
  readonly sort: Address;
  /** The sampler's table; 0 if it has none here. */
  readonly samplerTable: Address;
}

/** Candidates that the caller chose, in kernel memory: int32 ids (S) and float64 log Q (S). */
export interface GivenDraw {
  readonly ids: Address;
  readonly logQ: Address;
  readonly S: number;
}

function drawMark(step: number): number {
  return (step + 1) % 2 ** 31;
}

/**
 * From a batch's labels to the rows of the class table that the step needs, and who uses each: draws candidates, merges duplicates, sorts. The
 * labels of the batch have been written.
 */
export class PanelBuilder {
  readonly #kernels: Kernels;
  readonly #table: TableShape;
  readonly #key: Key;
  readonly #source: Source;
  readonly #order: ExampleOrder;
  readonly #scratch: BuilderScratch;
  readonly #candidates: CandidateSpec | undefined;
  readonly #sampler: Sampler | undefined;
  readonly #stateful: StatefulSampler | undefined;
  /** Draws of the batch without leaving kernel memory, for laws that can. */
  readonly #memorySampler: MemorySampler | undefined;
  readonly #request: { key: Key; step: number; item: number; S: number };
  readonly #removeHits: boolean;
  readonly #excludeSeen: boolean;
  /** Whether labels are corrected: only then is a sampler asked for the log Q of classes it may not know. */
  readonly #labelLogQ: boolean;
  readonly #rowIds: Int32Array;
  /** Rows' own candidates stand slot after slot, this many apart: B. */
  readonly #rowStride: number;
  readonly #drawn: Int32Array;
  readonly #drawnLogQ: Float64Array;
  /** The row that a candidate was masked in last: a class that a row names twice is masked once. */
  readonly #maskedIn: Int32Array;

  constructor(kernels: Kernels, spec: EngineSpec, source: Source, order: ExampleOrder, scratch: BuilderScratch) {
    const training = spec.training;
    this.#kernels = kernels;
    this.#table = spec.table;
    this.#key = spec.key;
    this.#source = source;
    this.#order = order;
    this.#scratch = scratch;
    this.#candidates = training?.candidates;
    const { state, stateful } = training?.candidates ?? {};
    this.#sampler = state === undefined ? undefined : samplerFrom(state);
    this.#stateful = stateful === undefined ? undefined : statefulSamplerFrom(stateful);
    this.#memorySampler =
      state === undefined ? undefined : memorySamplerFrom(state, kernels, scratch.samplerTable, scratch.sort);
    this.#request = { key: spec.key, step: 0, item: 0, S: this.#candidates?.S ?? 0 };
    this.#removeHits = training?.loss.accidentalHits === "remove";
    this.#excludeSeen = training?.loss.exclude === "seen";
    this.#labelLogQ = training !== undefined && labelsNeedLogQ(training.loss);
    this.#rowIds = new Int32Array(Math.max(1, source.maxExcluded));
    this.#rowStride = training?.B ?? 1;
    const S = this.#candidates?.S ?? 0;
    this.#drawn = new Int32Array(S);
    this.#drawnLogQ = new Float64Array(S);
    this.#maskedIn = new Int32Array(S);
  }

  /**
   * First, who is drawn: the candidates that the batch shares, their log Q and their rows of the table. Where a row's candidates are its own, or
   * there are none, that waits for `buildLabels`.
   */
  buildCandidates(step: number, batch: BatchLayout, given: GivenDraw | undefined): void {
    const { i32 } = this.#kernels.memory;
    const head = batch.head >>> 2;
    i32[head + HEAD.candidates] = 0;
    i32[head + HEAD.drawnFor] = 0;
    if (this.#candidates?.per !== "batch") return;
    let C: number;
    if (given !== undefined) C = this.#given(batch, given);
    else if (this.#stateful !== undefined) C = this.#drawByState(this.#stateful, step, batch);
    else if (this.#memorySampler !== undefined) C = this.#drawInMemory(this.#memorySampler, step, batch);
    else C = this.#draw(step, batch);
    i32[head + HEAD.candidates] = C;
    this.#findRows(batch, 0, C);
  }

  /** Then the labels: their places in the panel, who uses each row, who is masked. For losses over all classes, in the order in which tiles are walked. */
  buildLabels(step: number, rows: number, batch: BatchLayout, given: boolean): void {
    if (this.#candidates === undefined) {
      this.#sortByPhysicalRow(rows, batch);
      if (this.#excludeSeen) this.masksByClass(rows, batch);
    } else if (this.#candidates.contextual !== undefined) {
      // Nobody is drawn before hidden vectors are known: see `buildDrawn`.
    } else if (this.#candidates.per === "row") this.#perRow(step, rows, batch);
    else this.#finishPanel(rows, batch, given);
  }

  #given(batch: BatchLayout, { ids, logQ, S }: GivenDraw): number {
    const { i32, f32, f64 } = this.#kernels.memory;
    i32.copyWithin(this.#scratch.keys >>> 2, ids >>> 2, (ids >>> 2) + S);
    const C = this.#mergeNumbered(batch, S);
    const [first, values] = [batch.sortedPlaces >>> 2, this.#scratch.values >>> 2];
    const [from, to] = [logQ >>> 3, batch.candidateLogQ >>> 2];
    for (let c = 0; c < C; c++) f32[to + c] = f64[from + i32[values + i32[first + c]]];
    return C;
  }

  /** Full losses: labels in the order in which the tiles of the table are walked. */
  #sortByPhysicalRow(rows: number, batch: BatchLayout): void {
    const { i32 } = this.#kernels.memory;
    const count = i32[(batch.head >>> 2) + HEAD.positives];
    const place = batch.positivePlace >>> 2;
    i32.copyWithin(batch.sortedPlaces >>> 2, place, place + count);
    this.#numberEntries(batch.sortedEntries, count);
    this.#kernels.indices.sortPairs(
      batch.sortedPlaces,
      batch.sortedEntries,
      count,
      this.#table.rows - 1,
      this.#scratch.sort,
    );
    this.#writeRowOfSorted(rows, batch, count);
  }

  #numberEntries(address: Address, count: number): void {
    const { i32 } = this.#kernels.memory;
    const at = address >>> 2;
    for (let i = 0; i < count; i++) i32[at + i] = i;
  }

  /** sortedRows: which batch row a sorted label belongs to. Uses the scratch for the inverse of the offsets. */
  #writeRowOfSorted(rows: number, batch: BatchLayout, count: number): void {
    const { i32 } = this.#kernels.memory;
    const positives = this.#writeRowOfPositives(rows, batch);
    const entries = batch.sortedEntries >>> 2;
    const sortedRows = batch.sortedRows >>> 2;
    const rowOf = this.#scratch.sort >>> 2;
    const B = this.#rowStride;
    for (let k = 0; k < count; k++) {
      const entry = i32[entries + k];
      i32[sortedRows + k] = entry < positives ? i32[rowOf + entry] : (entry - positives) % B;
    }
  }

  #writeRowOfPositives(rows: number, batch: BatchLayout): number {
    const { i32 } = this.#kernels.memory;
    const offsets = batch.positiveOffsets >>> 2;
    const rowOf = this.#scratch.sort >>> 2;
    for (let row = 0; row < rows; row++) {
      for (let j = i32[offsets + row]; j < i32[offsets + row + 1]; j++) i32[rowOf + j] = row;
    }
    return i32[offsets + rows];
  }

  /** Whether candidates can be drawn before there is a batch: those that rows share, of a law that draws in kernel memory. */
  get drawsAhead(): boolean {
    return this.#candidates?.per === "batch" && this.#memorySampler !== undefined;
  }

  /** `buildCandidates` of a batch that is not there yet, where `drawsAhead`. Until then `hasDrawn`. */
  drawAhead(step: number, batch: BatchLayout): void {
    this.buildCandidates(step, batch, undefined);
    this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.drawnFor] = drawMark(step);
  }

  /** Whether the batch holds the candidates of `step` already. */
  hasDrawn(step: number, batch: BatchLayout): boolean {
    return this.#kernels.memory.i32[(batch.head >>> 2) + HEAD.drawnFor] === drawMark(step);
  }

  /** Draws, merges equals and finds their log Q; answers how many distinct ones there are. */
  #drawInMemory(sampler: MemorySampler, step: number, batch: BatchLayout): number {
    const { S } = this.#candidates!;
    const request = this.#request;
    request.step = step;
    sampler.draw(request, this.#scratch.keys);
    // The log Q of a draw is that of its id: who came first among equals does not matter, and the values that are sorted along mean nothing.
    const C = this.#mergeDraws(batch, S);
    sampler.logQ(batch.candidateLogQ, batch.panelIds, C, S);
    return C;
  }

  /** The same by a sampler that knows the log Q of labels after its draw only: theirs is written as well. */
  #draw(step: number, batch: BatchLayout): number {
    const request = this.#request;
    request.step = step;
    return this.#takeDraw(this.#sampler!.draw(request, this.#drawn, this.#drawnLogQ), batch);
  }

  /** The same by a sampler that has learned from the targets of all steps before, and may bring those of this batch. */
  #drawByState(sampler: StatefulSampler, step: number, batch: BatchLayout): number {
    const { i32 } = this.#kernels.memory;
    const { key, item } = this.#request;
    const from = batch.positiveIds >>> 2;
    const to = from + i32[(batch.head >>> 2) + HEAD.positives];
    const request = { key, step, item, S: this.#candidates!.draws!, labels: i32, from, to };
    return this.#takeDraw(sampler.draw(request, this.#drawn, this.#drawnLogQ), batch);
  }

  /** Shows the labels of `step` to a sampler that learns from them. Once a step, in order, while nobody draws. */
  observe(step: number, batch: BatchLayout): void {
    if (this.#stateful === undefined || step < this.#stateful.nextStep) return;
    const { i32 } = this.#kernels.memory;
    const from = batch.positiveIds >>> 2;
    this.#stateful.observe(step, i32, from, from + i32[(batch.head >>> 2) + HEAD.positives]);
  }

  /** Merges what stands in #drawn, and finds the log Q of the labels if they need it. */
  #takeDraw(draw: Draw, batch: BatchLayout): number {
    const { i32, f32 } = this.#kernels.memory;
    const { S } = draw;
    const P = this.#labelLogQ ? i32[(batch.head >>> 2) + HEAD.positives] : 0;
    const ids = batch.positiveIds >>> 2;
    for (let j = 0; j < P; j++) f32[(batch.positiveLogQ >>> 2) + j] = draw.targetLogQ(i32[ids + j]);
    const keys = this.#scratch.keys >>> 2;
    for (let i = 0; i < S; i++) i32[keys + i] = this.#drawn[i];
    const C = this.#mergeNumbered(batch, S);
    const first = batch.sortedPlaces >>> 2;
    const values = this.#scratch.values >>> 2;
    for (let c = 0; c < C; c++) {
      f32[(batch.candidateLogQ >>> 2) + c] = this.#drawnLogQ[i32[values + i32[first + c]]];
    }
    return C;
  }

  /** `mergeDraws`, with values that tell which draw was the first of each run. */
  #mergeNumbered(batch: BatchLayout, S: number): number {
    this.#numberEntries(this.#scratch.values, S);
    return this.#mergeDraws(batch, S);
  }

  /**
   * Sorts the S draws that stand in keys and writes the distinct ones to the panel, as ids, with their multiplicities: a class drawn c times stands
   * there once. Where the runs of equal draws begin stands in sortedPlaces until the labels take it. Answers how many there are.
   */
  #mergeDraws(batch: BatchLayout, S: number): number {
    const { memory, indices } = this.#kernels;
    const { i32 } = memory;
    const { keys, values, sort } = this.#scratch;
    indices.sortPairs(keys, values, S, this.#table.n - 1, sort);
    const C = indices.uniqueRuns(batch.panelIds, batch.sortedPlaces, keys, S);
    const first = batch.sortedPlaces >>> 2;
    const multiplicity = batch.candidateMultiplicity >>> 2;
    for (let c = 0; c < C; c++) i32[multiplicity + c] = i32[first + c + 1] - i32[first + c];
    return C;
  }

  /** The physical rows of the panel's classes [from, to). */
  #findRows(batch: BatchLayout, from: number, to: number): void {
    const { i32 } = this.#kernels.memory;
    const [ids, rows] = [batch.panelIds >>> 2, batch.panelRows >>> 2];
    for (let u = from; u < to; u++) i32[rows + u] = rowOfClass(this.#table, i32[ids + u]);
  }

  /** Brings the labels into a panel that holds its candidates in id order: those that were not drawn come behind them, in id order. */
  #finishPanel(rows: number, batch: BatchLayout, given: boolean): void {
    const { memory, indices } = this.#kernels;
    const { i32 } = memory;
    const { keys, values, sort } = this.#scratch;
    const P = i32[(batch.head >>> 2) + HEAD.positives];
    const C = i32[(batch.head >>> 2) + HEAD.candidates];
    if (this.#labelLogQ && !given)
      this.#memorySampler?.logQ(batch.positiveLogQ, batch.positiveIds, P, this.#candidates!.S);
    i32.copyWithin(keys >>> 2, batch.positiveIds >>> 2, (batch.positiveIds >>> 2) + P);
    this.#numberEntries(values, P);
    indices.sortPairs(keys, values, P, this.#table.n - 1, sort);
    const { panelIds, positivePlace, sortedEntries, sortedPlaces } = batch;
    const U = indices.mergeKeys(panelIds, C, keys, values, P, positivePlace, sortedEntries, sortedPlaces);
    this.#writeRowOfSorted(rows, batch, P);
    this.#writeMasks(rows, batch, C);
    this.#findRows(batch, C, U);
    i32[(batch.head >>> 2) + HEAD.panelRows] = U;
  }

  /** The (candidate, row) pairs that take no part. */
  #writeMasks(rows: number, batch: BatchLayout, C: number): void {
    if (batch.maskOffsets === 0) return;
    const { i32 } = this.#kernels.memory;
    const offsets = batch.maskOffsets >>> 2;
    const positions = batch.maskPositions >>> 2;
    const labels = batch.positiveOffsets >>> 2;
    const place = batch.positivePlace >>> 2;
    let count = 0;
    this.#maskedIn.fill(-1);
    for (let row = 0; row < rows; row++) {
      i32[offsets + row] = count;
      if (this.#removeHits) {
        for (let j = i32[labels + row]; j < i32[labels + row + 1]; j++) {
          const hit = i32[place + j];
          if (hit >= C || this.#maskedIn[hit] === row) continue;
          this.#maskedIn[hit] = row;
          i32[positions + count++] = hit;
        }
      }
      if (!this.#excludeSeen) continue;
      const length = this.#source.excluded(this.#order.example(row), this.#rowIds, 0);
      for (let i = 0; i < length; i++) {
        const found = this.#findCandidate(batch.panelIds >>> 2, C, this.#rowIds[i]);
        if (found < 0 || this.#maskedIn[found] === row) continue;
        this.#maskedIn[found] = row;
        i32[positions + count++] = found;
      }
    }
    i32[offsets + rows] = count;
  }

  /** Excluded (class, row) pairs in the order in which the tiles of the table are walked. */
  masksByClass(rows: number, batch: BatchLayout): void {
    const { i32 } = this.#kernels.memory;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const length = this.#source.excluded(this.#order.example(row), this.#rowIds, 0);
      for (let i = 0; i < length; i++) {
        i32[(batch.maskPositions >>> 2) + count] = rowOfClass(this.#table, this.#rowIds[i]);
        i32[(batch.maskRows >>> 2) + count] = row;
        count++;
      }
    }
    const { indices } = this.#kernels;
    indices.sortPairs(batch.maskPositions, batch.maskRows, count, this.#table.rows - 1, this.#scratch.sort);
    i32[(batch.head >>> 2) + HEAD.masks] = count;
  }

  /** Classes that take no part in a row, ascending, row after row: where classes are looked at one by one. */
  masksByRow(rows: number, batch: BatchLayout): void {
    const { i32 } = this.#kernels.memory;
    const [offsets, ids] = [batch.maskOffsets >>> 2, batch.maskPositions >>> 2];
    let count = 0;
    for (let row = 0; row < rows; row++) {
      i32[offsets + row] = count;
      const length = this.#source.excluded(this.#order.example(row), this.#rowIds, 0);
      for (let i = 0; i < length; i++) i32[ids + count + i] = this.#rowIds[i];
      i32.subarray(ids + count, ids + count + length).sort();
      count += length;
    }
    i32[offsets + rows] = count;
  }

  #findCandidate(panel: number, C: number, id: number): number {
    const { i32 } = this.#kernels.memory;
    const at = firstNotBelow(i32, panel, C, id);
    return at < C && i32[panel + at] === id ? at : -1;
  }

  /** One draw a row, by a law that knows nothing of it. The panel holds every class that some row needs, in id order. */
  #perRow(step: number, rows: number, batch: BatchLayout): void {
    const { i32, f32 } = this.#kernels.memory;
    const labels = batch.positiveOffsets >>> 2;
    const ids = batch.positiveIds >>> 2;
    const { S } = this.#candidates!;
    this.#beginEntries(batch);
    for (let row = 0; row < rows; row++) {
      const draw = this.#drawRow(step, row, i32.subarray(ids + i32[labels + row], ids + i32[labels + row + 1]), S);
      for (let j = i32[labels + row]; this.#labelLogQ && j < i32[labels + row + 1]; j++) {
        f32[(batch.positiveLogQ >>> 2) + j] = draw.targetLogQ(i32[ids + j]);
      }
      this.#enterRow(row, batch, this.#drawn, 0, this.#drawnLogQ, 0, 0);
    }
    this.#finishEntries(rows, batch);
  }

  /**
   * The panel of candidates that were drawn for each row from its hidden vector: int32 ids and float32 log Q, (rows, S). Hits are masked where they are
   * to be removed: draws stay as many as they are, so log Q does.
   */
  buildDrawn(rows: number, batch: BatchLayout, ids: Address, logQ: Address): void {
    const { i32, f32 } = this.#kernels.memory;
    const labels = batch.positiveOffsets >>> 2;
    const { S } = this.#candidates!;
    this.#beginEntries(batch);
    for (let row = 0; row < rows; row++) {
      const hits = this.#removeHits ? i32[labels + row + 1] - i32[labels + row] : 0;
      this.#enterRow(row, batch, i32, (ids >>> 2) + S * row, f32, (logQ >>> 2) + S * row, hits);
    }
    this.#finishEntries(rows, batch);
  }

  #entries = 0;

  /** Entries of the panel: the labels first, then each row's candidates. */
  #beginEntries(batch: BatchLayout): void {
    const { i32 } = this.#kernels.memory;
    const P = i32[(batch.head >>> 2) + HEAD.positives];
    i32.copyWithin(this.#scratch.keys >>> 2, batch.positiveIds >>> 2, (batch.positiveIds >>> 2) + P);
    this.#numberEntries(this.#scratch.values, P);
    this.#entries = P;
  }

  /** Enters a row's S candidates, ids[at …) with logQ[logQAt …). @param hits how many of the row's labels are masked among them */
  #enterRow(
    row: number,
    batch: BatchLayout,
    ids: Int32Array,
    at: number,
    logQ: Float32Array | Float64Array,
    logQAt: number,
    hits: number,
  ): void {
    const { i32, f32 } = this.#kernels.memory;
    const { S } = this.#candidates!;
    const B = this.#rowStride;
    const P = i32[(batch.head >>> 2) + HEAD.positives];
    const [keys, values] = [this.#scratch.keys >>> 2, this.#scratch.values >>> 2];
    const excluded = this.#excludeSeen ? this.#source.excluded(this.#order.example(row), this.#rowIds, 0) : 0;
    const label = (batch.positiveIds >>> 2) + i32[(batch.positiveOffsets >>> 2) + row];
    for (let slot = 0; slot < S; slot++) {
      const id = ids[at + slot];
      i32[keys + this.#entries] = id;
      i32[values + this.#entries] = P + slot * B + row;
      this.#entries++;
      let masked = excluded > 0 && this.#rowIds.subarray(0, excluded).includes(id);
      for (let j = 0; j < hits; j++) masked ||= i32[label + j] === id;
      f32[(batch.rowCandidateLogQ >>> 2) + slot * B + row] = masked ? Infinity : logQ[logQAt + slot];
    }
  }

  /** Sorts the entries and gives each its place in the panel. */
  #finishEntries(rows: number, batch: BatchLayout): void {
    const { memory, indices } = this.#kernels;
    const { i32 } = memory;
    const count = this.#entries;
    const P = i32[(batch.head >>> 2) + HEAD.positives];
    const [keys, values] = [this.#scratch.keys >>> 2, this.#scratch.values >>> 2];
    indices.sortPairs(this.#scratch.keys, this.#scratch.values, count, this.#table.n - 1, this.#scratch.sort);
    const panel = batch.panelRows >>> 2;
    const entries = batch.sortedEntries >>> 2;
    const offsets = batch.sortedPlaces >>> 2;
    let U = 0;
    for (let k = 0; k < count; k++) {
      if (k === 0 || i32[keys + k] !== i32[keys + k - 1]) {
        i32[offsets + U] = k;
        i32[panel + U] = rowOfClass(this.#table, i32[keys + k]);
        U++;
      }
      const entry = i32[values + k];
      i32[entries + k] = entry;
      if (entry < P) i32[(batch.positivePlace >>> 2) + entry] = U - 1;
      else i32[(batch.rowCandidatePlace >>> 2) + entry - P] = U - 1;
    }
    i32[offsets + U] = count;
    i32[(batch.head >>> 2) + HEAD.panelRows] = U;
    this.#writeRowOfSorted(rows, batch, count);
  }

  /** Labels of the row are drawn anew, by the law without them, when accidental hits are to be removed. */
  #drawRow(step: number, row: number, labels: Int32Array, S: number): Draw {
    const request = { key: this.#key, step, item: row + 1, S };
    if (!this.#removeHits || labels.length === 0) return this.#sampler!.draw(request, this.#drawn, this.#drawnLogQ);
    const sorted = labels.slice().sort();
    return this.#sampler!.drawExcluding(request, sorted, 0, sorted.length, this.#drawn, this.#drawnLogQ);
  }
}
