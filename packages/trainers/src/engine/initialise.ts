import type { Key } from "@logq/core";
import { INITIAL_TABLE, type InitialRows, initialiseRows, initialiseTable } from "@logq/encoders";
import type { KernelMemory, Kernels } from "@logq/kernels";
import type { Team } from "../parallel/team.js";
import { narrowed } from "../table/bfloat16.js";
import { classesOfLane } from "../table/lanes.js";
import type { PlacedTable } from "../table/placed-table.js";
import { type AdaptiveTable, adaptiveTables } from "./adaptive/adaptive-space.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/** Rows that one unit fills. */
const ROWS_PER_UNIT = 4096;

/** One unit of work. */
interface InitialPiece {
  readonly kind: "classes" | "clusters" | "encoder" | "state";
  /** lane, index of the encoder's table or of the clusters', or address */
  readonly of: number;
  /** State: which memory it lies in. */
  readonly memory: number;
  readonly first: number;
  readonly count: number;
}

/** All pieces of work, a pure function of the layout. */
function initialPieces(spec: EngineSpec, layout: EngineLayout): InitialPiece[] {
  const list: InitialPiece[] = [];
  const cut = (kind: InitialPiece["kind"], of: number, total: number, size: number, memory = 0) => {
    for (let first = 0; first < total; first += size)
      list.push({ kind, of, memory, first, count: Math.min(size, total - first) });
  };
  const clusters = layout.adaptive === undefined ? [] : adaptiveTables(layout.adaptive);
  clusters.forEach(({ rows }, index) => {
    cut("clusters", index, rows, ROWS_PER_UNIT);
  });
  for (let lane = 0; lane < spec.table.lanes && layout.adaptive === undefined; lane++)
    cut("classes", lane, classesOfLane(spec.table, lane), ROWS_PER_UNIT);
  layout.encoder.tables.forEach((table, index) => {
    if (table.kind === "dense" || layout.embedding !== undefined) cut("encoder", index, table.rows, ROWS_PER_UNIT);
  });
  const optimizer = spec.training?.optimizer;
  // Velocities and moments start at 0 whatever this says.
  const accumulates = optimizer?.name === "adagrad" || optimizer?.name === "rowwise-adagrad";
  if (!accumulates || optimizer.initialAccumulator === 0) return list;
  // Adagrad's accumulators stand in the first state of every table.
  const size = ROWS_PER_UNIT * 64;
  for (const table of largeTables(layout)) {
    for (const { memory, state, rows } of table.pieces) cut("state", state, rows * table.stateLd, size, memory);
  }
  const sparse = layout.encoder.tables.findIndex((table) => table.kind === "sparse");
  const others = [
    ...clusters.map(({ state }) => state),
    ...layout.encoderStates.filter((_, index) => index !== sparse),
    ...(layout.temperature === undefined ? [] : [layout.temperature.state]),
  ];
  for (const state of [layout.table.biasState, ...others]) {
    if (state.state !== 0) cut("state", state.state, state.stateElements, size);
  }
  return list;
}

function largeTables({ table, embedding }: EngineLayout): PlacedTable[] {
  return embedding === undefined ? [table.placed] : [table.placed, embedding];
}

/** Fills every table, whoever is free. @param kernels over the main memory, then over the banks */
export function initialiseAll(
  team: Team,
  kernels: readonly Kernels[],
  spec: EngineSpec,
  layout: EngineLayout,
  scale: number,
): void {
  const memories = kernels.map(({ memory }) => memory);
  const pieces = initialPieces(spec, layout);
  team.phase("initialise", pieces.length, (unit) => initialise(pieces[unit], memories, spec, layout, scale));
}

/**
 * Class rows and embedding rows get values that depend on (key, table, id, element) alone, rounded to the nearest where they are stored as
 * bfloat16; what is not filled stays 0, as memory begins. Class biases are the main thread's to set.
 * @param memories the main memory, then the banks
 * @param scale class rows start uniform in [−scale, scale]
 */
function initialise(
  piece: InitialPiece,
  memories: readonly KernelMemory[],
  spec: EngineSpec,
  layout: EngineLayout,
  scale: number,
): void {
  const { kind, of, memory, first, count } = piece;
  if (kind === "state") {
    const at = (of >>> 2) + first;
    memories[memory].f32.fill(spec.training!.optimizer.initialAccumulator, at, at + count);
    return;
  }
  if (kind === "clusters") {
    initialiseCluster(memories[0], adaptiveTables(layout.adaptive!), of, first, count, scale, spec.key);
    return;
  }
  if (kind === "classes") {
    const { placed } = layout.table;
    fillRows(memories, placed, of * placed.rowsPerLane + first, count, of + first * placed.lanes, scale, spec.key);
    return;
  }
  const table = layout.encoder.tables[of];
  if (table.kind === "dense") initialiseTable(memories[0], table, spec.key, first, count);
  else fillRows(memories, layout.embedding!, first, count, first, table.initialLimit, spec.key);
}

/** Class rows as those of a class table, projections as dense matrices; biases are the main thread's. The tables' numbers follow all others. */
function initialiseCluster(
  memory: KernelMemory,
  tables: readonly AdaptiveTable[],
  index: number,
  firstId: number,
  rows: number,
  scale: number,
  key: Key,
): void {
  const { address, kind, ld, columns, rows: all } = tables[index];
  if (kind === "bias") return;
  const limit = kind === "rows" ? scale : Math.sqrt(6 / (all + columns));
  const table = INITIAL_TABLE.clusters + index;
  const at = address + 4 * ld * firstId;
  initialiseRows(memory, { address: at, ld, rows, columns, firstId, idStep: 1, table, limit }, key);
}

/** Rows [first, first + count) of a large table, of which the first has the id `firstId`; they may lie in several pieces. */
function fillRows(
  memories: readonly KernelMemory[],
  table: PlacedTable,
  first: number,
  count: number,
  firstId: number,
  limit: number,
  key: Key,
): void {
  const { pieces, rowsPerPiece, rowBytes, ld, columns, lanes, number } = table;
  for (let row = first; row < first + count; ) {
    const rows = Math.min(first + count - row, rowsPerPiece - (row % rowsPerPiece));
    const piece = pieces[Math.floor(row / rowsPerPiece)];
    const address = piece.address + rowBytes * (row - piece.firstRow);
    const id = firstId + (row - first) * lanes;
    const block = { address, ld, rows, columns, firstId: id, idStep: lanes, table: number, limit };
    if (table.type === "float32") initialiseRows(memories[piece.memory], block, key);
    else fillNarrow(memories[piece.memory], block, rowBytes, key);
    row += rows;
  }
}

function fillNarrow({ u8 }: KernelMemory, block: InitialRows, rowBytes: number, key: Key): void {
  const { address, ld, rows, columns } = block;
  const wide = new Float32Array(rows * ld);
  initialiseRows({ f32: wide }, { ...block, address: 0 }, key);
  for (let j = 0; j < rows; j++) {
    const stored = new Uint16Array(u8.buffer, address + rowBytes * j, columns);
    narrowed(wide.subarray(ld * j, ld * j + columns), stored);
  }
}
