import { Label, type Memory, type Register } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/** Where the lanes of a tail go in a loop over classes. */
export interface TailStore {
  /** How many lanes are ours. */
  readonly count: Register;
  /** A register below 16. */
  readonly spare: number;
}

/**
 * Stores a vector, or the lanes of a tail alone. For loops: AVX2 has a store with a mask, but AMD's processors take some thirty cycles over it, so
 * that a few jumps that go the same way every time are much faster.
 */
export function storeLanes(v: Vectors, place: Memory, x: number, tail: boolean, store: TailStore): void {
  if (tail && v.set === "avx2") storeFirst(v, place, x, store);
  else v.storePart(place, x, tail);
}

/** Stores the first 1 to 7 lanes. */
function storeFirst(v: Vectors, place: Memory, x: number, { count, spare }: TailStore): void {
  const { asm } = v;
  const [few, done] = [new Label(), new Label()];
  asm.computeConstant("cmp", count, 4);
  asm.jumpIf("below", few);
  asm.vex("vmovupsStore", 16, x, -1, place);
  asm.vex("vextractf128", 32, x, -1, spare, 1);
  storeUpTo3(v, further(place, 16), spare, spare, count, 4, done);
  asm.bind(few);
  storeUpTo3(v, place, x, spare, count, 0, done);
  asm.bind(done);
}

/** Stores the first count − `before` lanes, 0 to 3, and jumps to `done`. */
function storeUpTo3(
  { asm }: Vectors,
  place: Memory,
  x: number,
  spare: number,
  count: Register,
  before: number,
  done: Label,
): void {
  const two = new Label();
  asm.computeConstant("cmp", count, before + 1);
  asm.jumpIf("below", done);
  asm.jumpIf("above", two);
  asm.vex("vmovssStore", 16, x, -1, place);
  asm.jump(done);
  asm.bind(two);
  asm.vex("vmovsdStore", 16, x, -1, place);
  asm.computeConstant("cmp", count, before + 2);
  asm.jumpIf("equal", done);
  asm.vex("vpermilps", 16, spare, -1, x, 0xee);
  asm.vex("vmovssStore", 16, spare, -1, further(place, 8));
  asm.jump(done);
}

function further(place: Memory, bytes: number): Memory {
  return { ...place, displacement: place.displacement + bytes };
}
