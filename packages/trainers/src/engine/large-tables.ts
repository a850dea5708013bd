import { type EncoderLayout, INITIAL_TABLE } from "@logq/encoders";
import { MAX_MEMORY_BYTES, type MemoryPlan } from "@logq/kernels";
import type { TableState } from "../optimize/optimizer.js";
import type { BankLayout, PlacedTable, TableSize } from "../table/placed-table.js";
import { placeAt, placeInBanks, placeInside, tableBytes } from "../table/placement.js";
import type { EngineSpec } from "./spec.js";

/** Which tables lie in banks of their own, of at most so many bytes each. No bit of a result depends on it. */
export interface Placement {
  readonly classes: boolean;
  readonly embedding: boolean;
  readonly bankBytes: number;
}

/**
 * What to try, one after the other: everything in one memory, the larger of the two large tables in banks, both. With `bankBytes` set, both at once.
 */
export function placements(spec: EngineSpec, bankBytes: number | undefined): Placement[] {
  const hasEmbedding = spec.encoder.input !== "external" && !spec.tied;
  // Tables of clusters stay in the main memory.
  const classes = spec.adaptive === undefined;
  const both = { classes, embedding: hasEmbedding, bankBytes: bankBytes ?? MAX_MEMORY_BYTES };
  if (bankBytes !== undefined) return [both];
  const optimizer = optimizerOf(spec);
  const embeddingIsLarger =
    hasEmbedding && tableBytes(embeddingSize(spec), optimizer) > tableBytes(classTableSize(spec), optimizer);
  const none = { ...both, classes: false, embedding: false };
  if (!classes) return hasEmbedding ? [none, both] : [none];
  return [none, { ...both, classes: !embeddingIsLarger, embedding: embeddingIsLarger }, both];
}

/** An engine that only evaluates keeps nothing for a table. */
export function optimizerOf({ training }: EngineSpec) {
  return training?.optimizer.name ?? "sgd";
}

/** The class table; of an adaptive softmax one without rows. */
export function classTableSize({ table, tableType, adaptive }: EngineSpec): TableSize {
  const { D, lanes, rowsPerLane } = table;
  const rows = adaptive === undefined ? table.rows : 0;
  return {
    name: "class table",
    number: INITIAL_TABLE.classes,
    type: tableType,
    rows,
    columns: D,
    unit: rowsPerLane,
    rowsPerLane,
    lanes,
  };
}

/** Ids are rows: one lane. */
function embeddingSize({ encoder, tableType }: EngineSpec): TableSize {
  const { vocabulary: rows, embedding: columns } = encoder;
  const shape = { rows, columns, unit: 1, rowsPerLane: rows, lanes: 1 };
  return { name: "encoder embedding", number: INITIAL_TABLE.embedding, type: tableType, ...shape };
}

/**
 * Where the embedding table lies: in banks, in the main memory as the encoder's plan has it, or, of another type, apart from that plan. undefined: there
 * is none, or the class table is it.
 */
export function placeEmbedding(
  plan: MemoryPlan,
  banks: BankLayout[],
  spec: EngineSpec,
  encoder: EncoderLayout,
  states: readonly TableState[],
  workers: number,
  placement: Placement,
): PlacedTable | undefined {
  if (spec.encoder.input === "external" || spec.tied) return undefined;
  const size = embeddingSize(spec);
  const optimizer = optimizerOf(spec);
  if (placement.embedding) return placeInBanks(banks, size, optimizer, workers, placement.bankBytes);
  const index = encoder.tables.findIndex((table) => table.kind === "sparse");
  const { address } = encoder.tables[index];
  if (address === 0) return placeInside(plan, size, optimizer);
  const { state, secondState } = states[index];
  return placeAt(size, optimizer, { memory: 0, address, state, secondState, firstRow: 0, rows: size.rows });
}
