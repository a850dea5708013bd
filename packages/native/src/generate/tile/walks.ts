import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed, Label, type Memory, type Register } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/** Where a walk along the rows of the batch stands. */
export interface RowWalk {
  /** Rows that are left. */
  readonly left: Register;
  /** Byte offset of the next one in a vector of float32. */
  readonly at: Register;
  readonly scratch: Register;
  readonly scratch2: Register;
}

/**
 * Runs `body` for one strip of rows after another: as many vectors as the largest of `sizes` (descending, 1 the last) while there are rows for them,
 * and so on; in the end a vector of which only a tail is ours. `body` leaves the registers of the walk but the scratch ones alone.
 */
export function eachStrip(
  v: Vectors,
  walk: RowWalk,
  sizes: readonly number[],
  body: (vectors: number, tail: boolean) => void,
): void {
  const { asm } = v;
  const done = new Label();
  for (const vectors of sizes) {
    const next = new Label();
    const strip = asm.here();
    asm.computeConstant("cmp", walk.left, vectors * v.lanes);
    asm.jumpIf("below", next);
    body(vectors, false);
    asm.computeConstant("add", walk.at, vectors * v.bytes);
    asm.computeConstant("sub", walk.left, vectors * v.lanes);
    asm.jump(strip);
    asm.bind(next);
  }
  asm.test(walk.left);
  asm.jumpIf("equal", done);
  asm.mov(walk.scratch, walk.left);
  v.setTail(walk.scratch, walk.scratch2);
  body(1, true);
  asm.bind(done);
}

/** A walk down the classes of a strip. */
export interface ClassWalk {
  /** Classes that are left. */
  readonly left: Register;
  /** Address of the strip in the next class. */
  readonly at: Register;
  /** Bytes from class to class. */
  readonly ld: Register;
}

/** A place in the class at hand, `displacement` bytes from where the strip begins. */
export type PlaceInClass = (displacement: number) => Memory;

/** Runs `step` for each class that is left, also for none. Afterwards none is left, and `at` stands behind the last. */
export function eachClass(asm: Assembler, walk: ClassWalk, step: (place: PlaceInClass) => void): void {
  const done = new Label();
  asm.test(walk.left);
  asm.jumpIf("equal", done);
  asm.align(32);
  const loop = asm.here();
  step((displacement) => at(walk.at, displacement));
  asm.compute("add", walk.at, walk.ld);
  asm.computeConstant("sub", walk.left, 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(done);
}

/** The same two classes at a time: `step` is told whether it is the second, or the only one, of them. */
export function eachTwoClasses(
  asm: Assembler,
  walk: ClassWalk,
  step: (place: PlaceInClass, turn: 0 | 1) => void,
): void {
  const rest = new Label();
  const done = new Label();
  asm.computeConstant("sub", walk.left, 2);
  asm.jumpIf("below", rest);
  asm.align(32);
  const loop = asm.here();
  step((displacement) => at(walk.at, displacement), 0);
  step((displacement) => indexed(walk.at, walk.ld, 1, displacement), 1);
  asm.lea(walk.at, indexed(walk.at, walk.ld, 2));
  asm.computeConstant("sub", walk.left, 2);
  asm.jumpIf("aboveOrEqual", loop);
  asm.bind(rest);
  asm.computeConstant("add", walk.left, 2);
  asm.jumpIf("equal", done);
  step((displacement) => at(walk.at, displacement), 0);
  asm.compute("add", walk.at, walk.ld);
  asm.movConstant(walk.left, 0);
  asm.bind(done);
}
