import { requireInteger, requireNumber } from "@logq/core";
import { DEFAULT_DIV_VALUE } from "./clusters.js";

/**
 * What the products of one step cost, in multiply-adds of a large product: the unit is only ever compared with itself. A product of `rows` hidden
 * vectors of `width` numbers with `classes` rows of a table, and the softmax of its logits, cost
 *
 *     overhead + max(least, max(rows, leastRows)·classes·(width + perLogit))
 *
 * which is constant at first and linear afterwards, like the model g(k, B) = max(c + λ·k₀·B₀, c + λ·k·B) of Grave, Joulin, Cissé, Grangier and
 * Jégou, "Efficient softmax approximation for GPUs" (2017), section 4, with the width beside k·B because tails are narrower. `overhead` is their c/λ,
 * `least` their k₀·B₀·D; with perLogit = 0 and leastRows = 0 it is their model.
 */
export interface AdaptiveCosts {
  /** Rows in a batch. */
  readonly B: number;
  /** Width of the hidden vector. */
  readonly D: number;
  /** As in AdaptiveSpec. Default 4. */
  readonly divValue?: number;
  /** What any product costs before it begins: calls, packing, gathering. Default 20,000, a few microseconds of one core. */
  readonly overhead?: number;
  /** Smaller products take as long as one of this size. Default 0: processors have no such floor; on a GPU try 50·B·D, as the paper measured. */
  readonly least?: number;
  /**
   * A class's row is read and its gradient written even if few hidden vectors meet it; that costs as much as this many of them. Default 16: a core that
   * multiplies 16 times as fast as it streams from memory.
   */
  readonly leastRows?: number;
  /**
   * What a logit costs beside its product, in numbers of width: exponentials, and passes over it in products too narrow to keep a core busy. Default 64:
   * with AVX-512 a logit of width 2 took about as long as one of 75 numbers. Without it tails look all but free once they are narrow.
   */
  readonly perLogit?: number;
  /**
   * Least classes of the head. Default 1: cost alone. Costs know nothing of accuracy: with a large divValue tails are so cheap that the cheapest head is
   * tiny, and frequent classes are then told apart by few numbers.
   */
  readonly leastHead?: number;
}

export type CheckedCosts = Required<AdaptiveCosts>;

/** Fills in what was left out. Throws OptionError. */
export function checkCosts(costs: AdaptiveCosts): CheckedCosts {
  return {
    B: requireInteger("B", costs.B, 1),
    D: requireInteger("D", costs.D, 1),
    divValue: requireNumber("divValue", costs.divValue ?? DEFAULT_DIV_VALUE, 1),
    overhead: requireNumber("overhead", costs.overhead ?? 20_000, 0),
    least: requireNumber("least", costs.least ?? 0, 0),
    leastRows: requireNumber("leastRows", costs.leastRows ?? 16, 0),
    perLogit: requireNumber("perLogit", costs.perLogit ?? 64, 0),
    leastHead: requireInteger("leastHead", costs.leastHead ?? 1, 1),
  };
}

/** The cost of one product without what logits cost. `rows` is an expectation and need not be whole. */
function productCost(
  { overhead, least, leastRows }: CheckedCosts,
  rows: number,
  classes: number,
  width: number,
): number {
  return overhead + Math.max(least, Math.max(rows, leastRows) * classes * width);
}

/** The head: B hidden vectors with h classes and K tails. */
export function headCost(costs: CheckedCosts, h: number, K: number): number {
  return productCost(costs, costs.B, h + K, costs.D + costs.perLogit);
}

/** A tail of `size` classes, met by a share `mass` of the batch: the projection and the table. */
export function tailCost(costs: CheckedCosts, size: number, mass: number, width: number): number {
  const rows = costs.B * mass;
  return productCost(costs, rows, width, costs.D) + productCost(costs, rows, size, width + costs.perLogit);
}
