/**
 * How bfloat16 operands lie, for tiles (AMX) and for vectors of pairs (AVX512_BF16) alike. Both sum products of pairs of neighbours along k, and K is
 * filled up with zeros to whole chunks.
 *
 * - A packed right operand: panels of 32 columns; in a panel a row of 128 bytes for each pair of k, which holds both values of column 0, of column 1 …
 * - A block of the left operand: for each chunk of k, 32 rows of 64 bytes each.
 *
 * So one chunk is 2048 bytes of either.
 */
export const CHUNK = 32;
export const PANEL_COLUMNS = 32;
export const BLOCK_ROWS = 32;

/** Bytes of one row of a panel: a pair of k. */
export const PAIR_BYTES = 4 * PANEL_COLUMNS;
/** Bytes of one row of a block's chunk. */
export const ROW_BYTES = 2 * CHUNK;
export const CHUNK_BYTES = BLOCK_ROWS * ROW_BYTES;

/** Most steps of k in a block: the left one then takes 16 KiB of the first-level cache, through which the right one's panels stream. */
export const BLOCK_K = 256;

/** Bytes of a kernel's stack for a block of the left operand. */
export const BLOCK_BYTES = CHUNK_BYTES * (BLOCK_K / CHUNK);

/** Lines that are asked for one after another: their number with each chunk is a multiple of it. */
export const LINES_AT_ONCE = 8;

/** Mask registers that a kernel sets once: the first and second 16 columns of a panel, and of k in the last chunk. k1 is a tail's, as ever. */
export const MASKS = { columns: [3, 4], k: [5, 6] } as const;
