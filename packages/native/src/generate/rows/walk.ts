import { Label, type Memory, type Register } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/** What is done to some vectors of a row: `vectors` whole ones (1 in a tail) from `offset` on. */
export type Part = (vectors: number, tail: boolean) => void;

/** How a row is walked through: in bytes. */
export interface Walk {
  /** Where in the row the walk is; set by the caller, and at the row's end afterwards, but for the tail. */
  readonly offset: Register;
  /** Changed. */
  readonly left: Register;
  /** Bytes of a row, 32 bits. */
  readonly width: Memory;
}

/**
 * Does `part` to all of a row: `unroll` vectors at a time, then one at a time, then the tail, whose lanes have been set. `part` keeps `offset` and
 * `left`.
 */
export function walkRow(v: Vectors, { offset, left, width }: Walk, unroll: number, part: Part): void {
  const { asm, bytes } = v;
  const rest = new Label();
  const tail = new Label();
  const done = new Label();
  const loop = (vectors: number, end: Label): void => {
    asm.computeConstant("sub", left, vectors * bytes);
    asm.jumpIf("below", end);
    const again = asm.here();
    part(vectors, false);
    asm.computeConstant("add", offset, vectors * bytes);
    asm.computeConstant("sub", left, vectors * bytes);
    asm.jumpIf("aboveOrEqual", again);
    asm.bind(end);
    asm.computeConstant("add", left, vectors * bytes);
  };
  asm.mov32(left, width);
  if (unroll > 1) loop(unroll, rest);
  loop(1, tail);
  asm.jumpIf("equal", done);
  part(1, true);
  asm.bind(done);
}

/** Vectors of the widest strip: as many additions as are under way at a time. */
const WIDEST = 8;

/** Cuts rows into strips, whose vectors stay in registers while rows pass: `part` for strips of 8, 4, 2 and 1 vectors, then for the tail. */
export function eachStrip(v: Vectors, { offset, left, width }: Walk, part: Part): void {
  const { asm, bytes } = v;
  const done = new Label();
  asm.mov32(left, width);
  for (let vectors = WIDEST; vectors >= 1; vectors /= 2) {
    const narrower = new Label();
    const again = asm.here();
    asm.computeConstant("cmp", left, vectors * bytes);
    asm.jumpIf("below", narrower);
    part(vectors, false);
    asm.computeConstant("add", offset, vectors * bytes);
    asm.computeConstant("sub", left, vectors * bytes);
    // Of narrower strips there is one at most.
    if (vectors === WIDEST) asm.jump(again);
    asm.bind(narrower);
  }
  asm.test(left);
  asm.jumpIf("equal", done);
  part(1, true);
  asm.bind(done);
}

/** Sets the tail to what rows of `width` bytes have beyond whole vectors. Changes `count` and `scratch`. */
export function setRowTail(v: Vectors, width: Memory, count: Register, scratch: Register): void {
  const { asm } = v;
  asm.mov32(count, width);
  asm.shiftRight(count, 2);
  asm.computeConstant("and", count, v.lanes - 1);
  v.setTail(count, scratch);
}
