import { R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDX, RSI } from "../../assembler/operands.js";

/** Arguments of softmaxExponentials, in order. Strides are in bytes. */
export const ARGUMENT = {
  z: 0,
  ld: 1,
  C: 2,
  R: 3,
  scale: 4,
  add: 5,
  reference: 6,
  sum: 7,
  decay: 8,
  total: 9,
  blocks: 10,
  ldBlocks: 11,
} as const;

/** General registers. REFERENCE, SUM, PLACE and BLOCKS are addresses of the strip's rows there. */
export const [Z, ADD, COUNT, LEFT, LD, SUM, ROWS, AT] = [RSI, RDX, RCX, R8, R9, R10, R11, RBX];
export const [BLOCKS, REFERENCE, MOVED, PLACE, TEMP, TEMP2] = [R12, R13, R14, R15, RAX, RBP];

/** Vector registers. X to ADDEND are for one class; of SHIFT, SUMS and BEST each vector of a strip has its own. */
export const [X, SPARE, SPARE2, ADDEND] = [0, 1, 2, 3];
export const SHIFT = [4, 5] as const;
export const SUMS = [6, 7] as const;
/** Maxima of every other class. */
export const BEST = [SUMS, SHIFT] as const;
