import { requireInteger } from "@logq/core";

/**
 * How the n rows of a class table are laid out. Classes are dealt to L lanes by `id mod L`; lanes stand one after another, each in id order:
 * physical row = (id mod L)·⌈n/L⌉ + ⌊id/L⌋. A row takes `ld` float32 elements, D rounded up to 16 bytes.
 * Lanes bound the number of owners and fix the tree in which partial sums are folded; they are part of a run's identity.
 */
export interface TableShape {
  /** number of classes */
  readonly n: number;
  /** width of a row */
  readonly D: number;
  /** elements from one row to the next */
  readonly ld: number;
  /** L, a power of two */
  readonly lanes: number;
  /** ⌈n/L⌉ */
  readonly rowsPerLane: number;
  /** L·⌈n/L⌉: physical rows, of which at most L − 1 belong to no class */
  readonly rows: number;
}

export const DEFAULT_LANES = 16;

/** @throws OptionError if n, D or lanes are out of range or lanes is not a power of two. */
export function tableShape(n: number, D: number, lanes = DEFAULT_LANES): TableShape {
  requireInteger("classes", n, 1, 2 ** 31 - 1);
  requireInteger("dim", D, 1, 65536);
  requireInteger("lanes", lanes, 1, 1024);
  requireInteger("log2(lanes)", Math.log2(lanes), 0);
  const rowsPerLane = Math.ceil(n / lanes);
  return { n, D, ld: Math.ceil(D / 4) * 4, lanes, rowsPerLane, rows: lanes * rowsPerLane };
}

/** The physical row of class `id`. */
export function rowOfClass(shape: TableShape, id: number): number {
  return (id & (shape.lanes - 1)) * shape.rowsPerLane + (id >>> (31 - Math.clz32(shape.lanes)));
}

/** The class that owns physical `row`; may be >= n for the padding rows at a lane's end. */
export function classOfRow(shape: TableShape, row: number): number {
  return (row % shape.rowsPerLane) * shape.lanes + Math.floor(row / shape.rowsPerLane);
}

/** How many classes a lane owns. */
export function classesOfLane(shape: TableShape, lane: number): number {
  return Math.max(0, Math.ceil((shape.n - lane) / shape.lanes));
}
