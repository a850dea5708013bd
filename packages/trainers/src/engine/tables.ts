import type { EmbeddingRows } from "@logq/encoders";
import type { Kernels } from "@logq/kernels";
import { bankArea, mainAreas, type TableAccess } from "../table/areas.js";
import { BankedRows } from "../table/banked-rows.js";
import { PieceRows } from "../table/piece-rows.js";
import { isBanked, type PlacedTable } from "../table/placed-table.js";
import { LocalRows, type TableRows } from "../table/table-rows.js";
import type { EngineLayout } from "./layout.js";
import type { EngineSpec } from "./spec.js";

/** The two tables that can be large, as one thread reaches them. */
export interface EngineTables {
  readonly classes: TableRows;
  /** undefined: the encoder has none. Of tied tables the class table itself */
  readonly embedding: TableRows | undefined;
  /** The embedding table again, if the encoder's kernels cannot read it in place. */
  readonly embeddingApart: EmbeddingRows | undefined;
}

/**
 * @param banks kernels over every bank, in order; they need no matrix products
 * @param worker whose areas to use
 */
export function openTables(
  kernels: Kernels,
  banks: readonly Kernels[],
  spec: EngineSpec,
  layout: EngineLayout,
  worker: number,
): EngineTables {
  const open = (table: PlacedTable, access: TableAccess | undefined): TableRows => {
    const { exchange, wide, sums } = mainAreas(table, access, worker);
    if (!isBanked(table)) {
      return new LocalRows(table, new PieceRows(kernels, table, table.pieces[0], wide, spec.key), sums);
    }
    const pieces = table.pieces.map((piece) => {
      const { area: first, areaBytes } = layout.banks[piece.memory - 1];
      const area = bankArea(first + areaBytes * worker, table);
      return { piece: new PieceRows(banks[piece.memory - 1], table, piece, area.wide, spec.key), area };
    });
    return new BankedRows(kernels, table, pieces, exchange, sums);
  };
  const classes = open(layout.table.placed, layout.classAccess);
  if (spec.tied) return { classes, embedding: classes, embeddingApart: classes };
  const { embedding: table, embeddingAccess: access } = layout;
  const embedding = table === undefined ? undefined : open(table, access);
  return { classes, embedding, embeddingApart: access === undefined ? undefined : embedding };
}
