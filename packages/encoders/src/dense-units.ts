import type { Address, Kernels } from "@logq/kernels";
import { type EncoderLayout, GRADIENT_CHUNK_ROWS, type LayerLayout } from "./layout.js";

/** Rows of a matrix in one unit: enough products for each packed element of dy, few enough for several workers to share a layer. */
const UNIT_ROWS = 64;

/** A block of rows of one dense table, whose gradient is one unit of work. */
export interface DenseUnit {
  readonly layer: number;
  /** Index into the layout's tables. */
  readonly table: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
  /** Where the gradient of row `firstRow` lies; ldGradient is the table's own ld. */
  readonly gradient: Address;
  readonly ldGradient: number;
}

/** All units of the dense layers' gradients: every row of every dense table is in exactly one. */
export function denseUnits(layout: EncoderLayout): DenseUnit[] {
  return layout.layers.flatMap((layer, l) => [
    ...tableUnits(layout, l, layer.matrixTable, layer.matrixGradient),
    ...tableUnits(layout, l, layer.biasTable, layer.biasGradient),
  ]);
}

function tableUnits(layout: EncoderLayout, layer: number, table: number, gradient: Address): DenseUnit[] {
  const { rows, columns, ld } = layout.tables[table];
  const units: DenseUnit[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += UNIT_ROWS) {
    units.push({
      layer,
      table,
      firstRow,
      rows: Math.min(UNIT_ROWS, rows - firstRow),
      columns,
      gradient: gradient + 4 * ld * firstRow,
      ldGradient: ld,
    });
  }
  return units;
}

/**
 * dA[block] = Σ_i x_i[block]ᵀ · dy_i over the `batchRows` rows of the batch, chunk after chunk, in row order.
 * Each unit packs dy again: one pass over dy for UNIT_ROWS products with it, against a barrier more in every step.
 */
export function matrixGradient(
  kernels: Kernels,
  layer: LayerLayout,
  unit: DenseUnit,
  batchRows: number,
  scratch: Address,
): void {
  const { matrix } = kernels;
  const { input, outputGradient, outputs } = layer;
  for (let row = 0; row < batchRows; row += GRADIENT_CHUNK_ROWS) {
    const K = Math.min(GRADIENT_CHUNK_ROWS, batchRows - row);
    const dy = outputGradient.address + 4 * outputGradient.ld * row;
    const x = input.address + 4 * (input.ld * row + unit.firstRow);
    matrix.packRight(scratch, dy, outputGradient.ld, K, outputs);
    matrix.multiply(unit.gradient, unit.ldGradient, x, 1, input.ld, scratch, unit.rows, K, outputs, row > 0);
  }
}

/** db = Σ_i dy_i, in row order. */
export function biasGradient(kernels: Kernels, layer: LayerLayout, unit: DenseUnit, batchRows: number): void {
  const { address, ld } = layer.outputGradient;
  kernels.dense.columnSums(unit.gradient, address, ld, batchRows, layer.outputs);
}
