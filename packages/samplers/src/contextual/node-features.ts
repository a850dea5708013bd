import type { Key } from "@logq/core";
import type { Address } from "@logq/kernels";
import type { BlockRows } from "./stored-rows.js";

/**
 * How classes and contexts become vectors whose inner products are (estimates of) the kernel. The mass of a node for a context is
 *
 *     max(⟨ψ(h), features⟩, floor·mass) + lift·mass
 *
 * up to a factor that all nodes share for that context; floor and lift make it positive wherever a class has mass, whatever rounding does.
 */
export interface NodeFeatures {
  readonly floor: number;
  readonly lift: number;
  /** Writes what `build` alone decides, frequencies for example. */
  prepare(key: Key): void;
  /**
   * Writes the features, the mass and the offset of a block's node from its rows and factors.
   * @param offset natural log of what the stored factors of the block are divided by
   */
  writeBlock(block: number, rows: BlockRows, offset: number): void;
  /** Writes ψ of a context h, or Ph. */
  writeContext(out: Address, hidden: Address, projected: Address): void;
}
