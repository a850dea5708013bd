import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import { NORM_EPSILON } from "@logq/losses";
import { type ClassReader, type ContextualSampler, contextualFrom, requireContextualFits } from "@logq/samplers";
import { rowOfClass } from "../table/lanes.js";
import type { TableRows } from "../table/table-rows.js";
import type { BatchLayout } from "./batch-layout.js";
import type { EngineLayout } from "./layout.js";
import type { RowMatrix } from "./shared-candidates.js";
import type { EngineSpec } from "./spec.js";

/** Where the sampler's structure lies, and what was drawn. */
export interface ContextualSpace {
  /** What all threads share. */
  readonly table: Address;
  /** The first worker's scratch; each has scratchBytes: the sampler's own, then what reading class rows needs. */
  readonly scratch: Address;
  readonly scratchBytes: number;
  readonly samplerScratchBytes: number;
  /** int32 (B, S) class ids and float32 (B, S) log Q, row after row */
  readonly ids: Address;
  readonly logQ: Address;
  /** int32: whether the structure was built. */
  readonly built: Address;
}

/** Class rows that are read at a time. */
const READ_ROWS = 512;

/** @throws OptionError, MemoryLimitError if the structure alone is more than one memory holds */
export function planContextualSpace(
  plan: MemoryPlan,
  { table, training }: EngineSpec,
  workers: number,
): ContextualSpace | undefined {
  const { candidates, B } = training ?? {};
  if (candidates?.contextual === undefined) return undefined;
  const bytes = requireContextualFits(candidates.contextual.spec, table.n, table.D);
  const scratchBytes = bytes.scratchBytes + 8 * READ_ROWS;
  const drawn = 4 * candidates.S * B!;
  return {
    table: plan.reserve("sampler structure", bytes.tableBytes),
    scratch: plan.reserve("sampler scratch", scratchBytes * Math.max(1, workers)),
    scratchBytes,
    samplerScratchBytes: bytes.scratchBytes,
    ids: plan.reserve("drawn candidates", drawn),
    logQ: plan.reserve("drawn log Q", drawn),
    built: plan.reserve("sampler state", 64),
  };
}

/**
 * Candidates that depend on a row's hidden vector, in one thread. A step refreshes a share of the structure while nobody writes the class table, then draws
 * block by block of rows, once their hidden vectors are known.
 */
export class ContextualDraws {
  readonly #kernels: Kernels;
  readonly #space: ContextualSpace;
  readonly #sampler: ContextualSampler;
  readonly #reader: ClassReader;
  readonly #request: { readonly key: EngineSpec["key"]; step: number; firstRow: number; readonly S: number };

  constructor(kernels: Kernels, spec: EngineSpec, layout: EngineLayout, table: TableRows, worker: number) {
    const space = layout.contextual!;
    const candidates = spec.training!.candidates!;
    const { spec: sampler, unigram } = candidates.contextual!;
    const { n, D } = spec.table;
    const scratch = space.scratch + worker * space.scratchBytes;
    this.#kernels = kernels;
    this.#space = space;
    const inputs = { key: spec.key, scale: spec.scale, hasBiases: spec.bias };
    this.#sampler = contextualFrom(sampler, n, D, kernels, space.table, scratch, {
      ...inputs,
      ...(unigram === undefined ? {} : { unigram }),
    });
    this.#reader = classReader(kernels, spec, layout, table, scratch + space.samplerScratchBytes);
    this.#request = { key: spec.key, step: 0, firstRow: 0, S: candidates.S };
  }

  /** Builds the structure if it was not built since the tables were last replaced. One thread, while nobody writes the class table. */
  build(): void {
    const { i32 } = this.#kernels.memory;
    const built = this.#space.built >>> 2;
    if (i32[built] !== 0) return;
    this.#sampler.build(this.#reader);
    i32[built] = 1;
  }

  refreshUnits(step: number): number {
    return this.#sampler.refreshUnits(step);
  }

  refresh(unit: number, step: number): void {
    this.#sampler.refresh(unit, step, this.#reader);
  }

  settle(step: number): void {
    this.#sampler.settle(step);
  }

  /** Draws for rows [first, first + R), whose hidden vectors are known, and finds the log Q of their labels. */
  draw(step: number, first: number, R: number, hidden: RowMatrix, batch: BatchLayout): void {
    const { S } = this.#request;
    this.#request.step = step;
    this.#request.firstRow = first;
    const contexts = { R, hidden: hidden.address + 4 * hidden.ld * first, ld: hidden.ld };
    const at = 4 * S * first;
    this.#sampler.draw(this.#request, contexts, this.#space.ids + at, this.#space.logQ + at);
    const { i32 } = this.#kernels.memory;
    const offsets = (batch.positiveOffsets >>> 2) + first;
    for (let r = 0; r < R; r++) {
      const from = i32[offsets + r]!;
      const count = i32[offsets + r + 1]! - from;
      if (count > 0) this.#sampler.logQ(r, batch.positiveIds + 4 * from, count, batch.positiveLogQ + 4 * from);
    }
  }
}

/** @param indices room for READ_ROWS int32 and as many float32 */
function classReader(
  { memory, rows }: Kernels,
  spec: EngineSpec,
  layout: EngineLayout,
  table: TableRows,
  indices: Address,
): ClassReader {
  const { n, D } = spec.table;
  const { bias } = layout.table;
  /** Calls `use` with physical rows of a few classes at a time. */
  const inParts = (first: number, count: number, use: (offset: number, part: number) => void): void => {
    for (let offset = 0; offset < count; offset += READ_ROWS) {
      const part = Math.min(READ_ROWS, count - offset);
      for (let i = 0; i < part; i++) memory.i32[(indices >>> 2) + i] = rowOfClass(spec.table, first + offset + i);
      use(offset, part);
    }
  };
  return {
    n,
    D,
    readRows(first, count, out, ld) {
      inParts(first, count, (offset, part) => {
        const at = out + 4 * ld * offset;
        table.gather(at, ld, indices, part);
        if (spec.normalize) rows.normalizeRows(at, ld, at, ld, indices + 4 * READ_ROWS, part, D, NORM_EPSILON);
      });
    },
    readBiases(first, count, out) {
      if (bias === 0) memory.f32.fill(0, out >>> 2, (out >>> 2) + count);
      else inParts(first, count, (offset, part) => rows.gatherRows(out + 4 * offset, 1, bias, 1, indices, part, 1));
    },
  };
}
