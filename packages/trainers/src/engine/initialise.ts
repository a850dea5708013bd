import { INITIAL_TABLE, initialiseRows, initialiseTable } from "@logq/encoders";
import type { Kernels } from "@logq/kernels";
import { classesOfLane } from "../table/lanes.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/** Rows that one unit fills. */
const ROWS_PER_UNIT = 4096;

interface Piece {
  readonly kind: "classes" | "encoder" | "state";
  /** lane, index of the encoder's table, or address */
  readonly of: number;
  readonly first: number;
  readonly count: number;
}

/** All pieces of work, a pure function of the layout. */
function pieces(spec: EngineSpec, layout: EngineLayout): Piece[] {
  const list: Piece[] = [];
  const cut = (kind: Piece["kind"], of: number, total: number, size: number) => {
    for (let first = 0; first < total; first += size)
      list.push({ kind, of, first, count: Math.min(size, total - first) });
  };
  for (let lane = 0; lane < spec.table.lanes; lane++)
    cut("classes", lane, classesOfLane(spec.table, lane), ROWS_PER_UNIT);
  layout.encoder.tables.forEach((table, index) => {
    cut("encoder", index, table.rows, ROWS_PER_UNIT);
  });
  const optimizer = spec.training?.optimizer;
  // Velocities and moments start at 0 whatever this says.
  const accumulates = optimizer?.name === "adagrad" || optimizer?.name === "rowwise-adagrad";
  if (!accumulates || optimizer.initialAccumulator === 0) return list;
  // Adagrad's accumulators stand in the first state of every table.
  for (const state of [layout.table.state, layout.table.biasState, ...layout.encoderStates]) {
    if (state.state !== 0) cut("state", state.state, state.stateElements, ROWS_PER_UNIT * 64);
  }
  return list;
}

export function initialiseUnits(spec: EngineSpec, layout: EngineLayout): number {
  return pieces(spec, layout).length;
}

/**
 * Class rows and embedding rows get values that depend on (key, table, id, element) alone; what is not filled stays 0, as memory begins. Class
 * biases are the main thread's to set. `scale`: class rows start uniform in [−scale, scale].
 */
export function initialise(
  unit: number,
  kernels: Kernels,
  spec: EngineSpec,
  layout: EngineLayout,
  scale: number,
): void {
  const { kind, of, first, count } = pieces(spec, layout)[unit];
  const { memory } = kernels;
  if (kind === "state") {
    const at = (of >>> 2) + first;
    memory.f32.fill(spec.training!.optimizer.initialAccumulator, at, at + count);
  } else if (kind === "encoder") {
    initialiseTable(memory, layout.encoder.tables[of], spec.key, first, count);
  } else {
    const { ld, D, lanes, rowsPerLane } = spec.table;
    const address = layout.table.address + 4 * ld * (of * rowsPerLane + first);
    const block = { address, ld, rows: count, columns: D, firstId: of + first * lanes, idStep: lanes };
    initialiseRows(memory, { ...block, table: INITIAL_TABLE.classes, limit: scale }, spec.key);
  }
}
