import type { Address } from "@logq/kernels";
import type { WalkScratch } from "./cluster-walk.js";
import type { AdaptiveClusters } from "./clusters.js";

/** What a thread's scratch must have room for. */
export interface WalkSizes {
  /** Rows of a block. */
  readonly R: number;
  /** Rows whose table or projection gradients are made at once: at least R. */
  readonly gradientRows: number;
  /** Classes of a tile. */
  readonly tileClasses: number;
}

/**
 * Lays out what a walk over clusters needs in each thread.
 * @param take reserves so many bytes, on a cache line, and answers their address
 * @param packedBytes of a right operand (K, N), by the back-end that will run
 */
export function planWalkScratch(
  take: (name: string, bytes: number) => Address,
  clusters: AdaptiveClusters,
  { R, gradientRows, tileClasses }: WalkSizes,
  packedBytes: (K: number, N: number) => number,
): WalkScratch {
  const { D } = clusters;
  const widths = [D, ...clusters.tails.map(({ width }) => width)];
  const largest = (shape: (width: number) => readonly [number, number]) =>
    Math.max(...widths.map((width) => packedBytes(...shape(width))));
  return {
    gathered: take("gathered rows", 4 * gradientRows * D),
    decay: take("decays", 4 * R),
    factor: take("factors", 4 * R),
    spareSum: take("spare sums", 8 * R),
    packedProjection: take(
      "packed projection",
      Math.max(
        largest((width) => [D, width]),
        largest((width) => [width, D]),
      ),
    ),
    packedInput: take(
      "packed input",
      largest((width) => [width, R]),
    ),
    packedRows: take(
      "packed rows",
      largest((width) => [gradientRows, width]),
    ),
    packedTable: take(
      "packed table",
      largest((width) => [tileClasses, width]),
    ),
  };
}

/** The width of the widest tail; 1 if there is none. */
export function widestTail({ tails }: AdaptiveClusters): number {
  return Math.max(1, ...tails.map(({ width }) => width));
}
