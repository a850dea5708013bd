/** A general register, by its number. */
export type Register = number;

/** The general registers, by the names of the processor's manual. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;

/** A place in the code, known when the label is bound. */
export class Label {
  /** Offset from the start of the code; −1: not bound yet. */
  offset = -1;
  /** Offsets of 32-bit distances that wait for it. */
  readonly waiting: number[] = [];
}

/** What stands in memory at base + scale·index + displacement (bytes), or at a label of the code itself. */
export interface Memory {
  readonly base: Register;
  /** −1: none. Never RSP. */
  readonly index: Register;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
  readonly label: Label | undefined;
}

/** [base + displacement] */
export function at(base: Register, displacement = 0): Memory {
  return { base, index: -1, scale: 1, displacement, label: undefined };
}

/** [base + scale·index + displacement] */
export function indexed(base: Register, index: Register, scale: 1 | 2 | 4 | 8 = 1, displacement = 0): Memory {
  if (index === RSP) throw new RangeError("rsp cannot be an index");
  return { base, index, scale, displacement, label: undefined };
}

/** The bytes at a label, addressed from where the instruction stands. */
export function atLabel(label: Label): Memory {
  return { base: RBP, index: -1, scale: 1, displacement: 0, label };
}
