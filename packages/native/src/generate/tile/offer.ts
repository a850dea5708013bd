import { at, indexed, Label, RAX, RBP, RBX, type Register, RSP } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/** What a kernel keeps on the stack while it walks over a strip of rows: bytes from RSP. Vectors for two vectors of rows. */
export const FRAME = {
  /** What a logit must reach to enter a row's list; NaN for lanes beyond a tail. */
  bounds: 0,
  /** The shared floors of the rows, or −∞. */
  floors: 128,
  /** Logits of one class and vector. */
  logits: 256,
  /** Address of the lists of values. */
  values: 320,
  bytes: 336,
} as const;

/** Registers of the lists. */
export interface Lists {
  /** Bytes of a list of values, or of ids. */
  readonly bytes: Register;
  /** What the address of an id is above that of its value. */
  readonly idDistance: Register;
  /** 4 times the first row of the strip. */
  readonly at: Register;
  /** The id of the class at hand. */
  readonly id: Register;
  /** The lanes whose logits are to be offered; none afterwards. */
  readonly bits: Register;
}

const [LIST, PLACE, TEMP] = [RBX, RBP, RAX];

/** Vector registers. */
const [VALUE, SPARE] = [0, 1];

/**
 * Puts each logit at `FRAME.logits` whose bit is set where it belongs in the list of its row, if it belongs, and brings the row's bound up to the
 * list's last entry. An empty place holds −∞; −∞ itself is never taken. `firstRow` is the row of lane 0 in the strip.
 */
export function offerLogits(v: Vectors, lists: Lists, firstRow: number): void {
  const { asm } = v;
  const [next, skip] = [new Label(), new Label()];
  asm.bind(next);
  asm.tzcnt(TEMP, lists.bits);
  asm.vex("vmovss", 16, VALUE, -1, indexed(RSP, TEMP, 4, FRAME.logits));
  asm.mov(LIST, lists.at);
  asm.shiftRight(LIST, 2);
  asm.lea(LIST, indexed(LIST, TEMP, 1, firstRow));
  asm.imul(LIST, lists.bytes);
  asm.compute("add", LIST, at(RSP, FRAME.values));
  asm.lea(PLACE, indexed(LIST, lists.bytes, 1, -4));
  asm.vex("vucomiss", 16, VALUE, -1, asm.float(-Infinity));
  asm.jumpIf("belowOrEqual", skip);
  insert(v, lists, skip);

  asm.tzcnt(TEMP, lists.bits);
  asm.vex("vmovss", 16, SPARE, -1, indexed(LIST, lists.bytes, 1, -4));
  asm.vex("vmaxss", 16, SPARE, SPARE, indexed(RSP, TEMP, 4, FRAME.floors + 4 * firstRow));
  asm.vex("vmovssStore", 16, SPARE, -1, indexed(RSP, TEMP, 4, FRAME.bounds + 4 * firstRow));
  asm.bind(skip);
  asm.lea(TEMP, at(lists.bits, -1));
  asm.compute("and", lists.bits, TEMP);
  asm.jumpIf("notEqual", next);
}

/** Moves the entries that are worse than (VALUE, id) down by one, from PLACE, the last one, on, and writes it; jumps to `skip` if none is worse. */
function insert(v: Vectors, { idDistance, id }: Lists, skip: Label): void {
  const { asm } = v;
  const [shift, put, walk] = [new Label(), new Label(), new Label()];
  asm.vex("vucomiss", 16, VALUE, -1, at(PLACE));
  asm.jumpIf("below", skip);
  asm.jumpIf("notEqual", walk);
  asm.compare32(id, indexed(PLACE, idDistance));
  asm.jumpIf("greater", skip);

  asm.bind(walk);
  asm.compute("cmp", PLACE, LIST);
  asm.jumpIf("equal", put);
  asm.vex("vucomiss", 16, VALUE, -1, at(PLACE, -4));
  asm.jumpIf("below", put);
  asm.jumpIf("notEqual", shift);
  asm.compare32(id, indexed(PLACE, idDistance, 1, -4));
  asm.jumpIf("greater", put);
  asm.bind(shift);
  asm.mov32(TEMP, at(PLACE, -4));
  asm.store32(at(PLACE), TEMP);
  asm.mov32(TEMP, indexed(PLACE, idDistance, 1, -4));
  asm.store32(indexed(PLACE, idDistance), TEMP);
  asm.computeConstant("sub", PLACE, 4);
  asm.jump(walk);
  asm.bind(put);
  asm.vex("vmovssStore", 16, VALUE, -1, at(PLACE));
  asm.store32(indexed(PLACE, idDistance), id);
}
