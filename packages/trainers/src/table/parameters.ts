import { adaptiveTables } from "../engine/adaptive/adaptive-space.js";
import type { EngineHost } from "../engine/host.js";
import type { TableState } from "../optimize/optimizer.js";
import { rowOfClass } from "./lanes.js";
import type { PlacedTable } from "./placed-table.js";
import { RowArray, type RowField } from "./row-array.js";

/** One array that a model is made of, or that its optimizer keeps, by the name it has on disk. */
export interface NamedArray {
  readonly name: string;
  readonly array: RowArray;
  /** The physical row of id `id`: ids are what files are ordered by. */
  rowOf(id: number): number;
  /** Rows that belong to an id. */
  readonly ids: number;
}

/**
 * Every table of a model: class rows and class biases, or those of clusters or of the nodes of a tree, then the encoder's, then what a learned temperature is
 * made of. One that is both classes' and the encoder's stands there once, as that of the classes.
 */
function tables(host: EngineHost): { name: string; placed: PlacedTable; ofClasses: boolean }[] {
  const { table, encoder, encoderStates, embedding, adaptive, temperature } = host.layout;
  const { rows } = host.spec.table;
  const [rowsName, biasName] = host.spec.tree === undefined ? ["classes", "class-bias"] : ["nodes", "node-bias"];
  const list = adaptive === undefined ? [{ name: rowsName, placed: table.placed, ofClasses: true }] : [];
  for (const own of adaptive === undefined ? [] : adaptiveTables(adaptive))
    list.push({
      name: `adaptive.${own.name}`,
      placed: inMainMemory(own.address, own.state, own),
      ofClasses: false,
    });
  if (table.bias !== 0) {
    const bias = inMainMemory(table.bias, table.biasState, { name: biasName, rows, columns: 1, ld: 1 });
    list.push({ name: biasName, placed: bias, ofClasses: true });
  }
  encoder.tables.forEach((t, index) => {
    const placed = t.kind === "sparse" ? embedding : inMainMemory(t.address, encoderStates[index]!, t);
    if (placed !== undefined) list.push({ name: `encoder.${t.name}`, placed, ofClasses: false });
  });
  if (temperature !== undefined) {
    const { logScale, state } = temperature;
    const placed = inMainMemory(logScale, state, { name: "log-scale", rows: 1, columns: 1, ld: 1 });
    list.push({ name: "log-scale", placed, ofClasses: false });
  }
  return list;
}

/** A float32 table of the main memory that is no large one. */
function inMainMemory(
  address: number,
  { state, secondState, stateElements, secondStateElements }: TableState,
  { name, rows, columns, ld }: { name: string; rows: number; columns: number; ld: number },
): PlacedTable {
  return {
    name,
    number: 0,
    type: "float32",
    rows,
    columns,
    unit: 1,
    rowsPerLane: rows,
    lanes: 1,
    ld,
    rowBytes: 4 * ld,
    stateLd: stateElements / rows,
    secondStateLd: secondStateElements / rows,
    rowsPerPiece: rows,
    pieces: [{ memory: 0, address, state, secondState, firstRow: 0, rows }],
  };
}

function arraysOf(host: EngineHost, field: RowField, suffix: string): NamedArray[] {
  return tables(host).flatMap(({ name, placed, ofClasses }) => {
    const array = RowArray.of(host, placed, field);
    if (array === undefined) return [];
    const { table } = host.spec;
    const rowOf = ofClasses ? (id: number) => rowOfClass(table, id) : (id: number) => id;
    return [{ name: `${name}${suffix}`, array, rowOf, ids: ofClasses ? table.n : placed.rows }];
  });
}

/** What a model is made of: class rows and biases, or those of clusters, then the encoder's tables. */
export function parameterArrays(host: EngineHost): NamedArray[] {
  return arraysOf(host, "rows", "");
}

/** What the optimizer keeps, table by table, the first state before the second. */
export function stateArrays(host: EngineHost): NamedArray[] {
  const first = arraysOf(host, "state", ".state");
  const second = arraysOf(host, "secondState", ".second-state");
  return first.flatMap((state) => [state, ...second.filter(({ name }) => name === secondOf(state.name))]);
}

function secondOf(name: string): string {
  return name.replace(/\.state$/, ".second-state");
}

/** All rows in id order without padding: a copy. */
export function readArray({ array, rowOf, ids }: NamedArray): Float32Array {
  const out = new Float32Array(ids * array.columns);
  for (let id = 0; id < ids; id++) array.read(rowOf(id), out, id * array.columns);
  return out;
}

/** The same in pieces of about a megabyte. Each is good until the next is asked for. */
export function* readInPieces({ array, rowOf, ids }: NamedArray): Generator<Float32Array> {
  const { columns } = array;
  const some = Math.max(1, Math.floor(2 ** 18 / columns));
  const buffer = new Float32Array(Math.min(some, ids) * columns);
  for (let first = 0; first < ids; first += some) {
    const count = Math.min(some, ids - first);
    for (let i = 0; i < count; i++) array.read(rowOf(first + i), buffer, i * columns);
    yield buffer.subarray(0, count * columns);
  }
}

/** Writes rows (count, columns) of ids from `first` on. */
export function writeRows({ array, rowOf }: NamedArray, first: number, rows: Float32Array): void {
  const { columns } = array;
  const count = rows.length / columns;
  for (let i = 0; i < count; i++) array.write(rowOf(first + i), rows.subarray(i * columns, (i + 1) * columns));
}
