import type { Assembler } from "../../assembler/assembler.js";
import { at, indexed } from "../../assembler/operands.js";
import { framed } from "../frame.js";
import { unlessZero } from "../rows/addresses.js";
import { walkRow } from "../rows/walk.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { type Constant, G, W } from "./rules.js";
import {
  constantPlace,
  eachUpdatedRow,
  GRADIENT,
  INDICES,
  J,
  LEFT,
  loadConstants,
  loadGradient,
  OFFSET,
  ROW_BYTES,
  SHIFTED,
  STATES,
  TABLE,
  TEMP,
  tablesFinder,
  WIDTH,
} from "./update.js";

/** Sums of squares, one after another used. */
const SUMS = [2, 3, 4, 5];
const RATE = 6;

/** Row-wise adagrad: the row is read for the mean of its squared gradients, and again, now cached, to be updated. One state a row. */
export function updateRowwiseAdagrad(inPieces: boolean): (asm: Assembler, set: InstructionSet) => void {
  return (asm, set) => generate(new Vectors(asm, set), inPieces);
}

function generate(v: Vectors, inPieces: boolean): void {
  const { asm } = v;
  const walk = { offset: OFFSET, left: LEFT, width: WIDTH };
  const named = {
    tables: [TABLE],
    toWrite: true,
    indices: INDICES,
    rowBytes: ROW_BYTES,
    width: WIDTH,
    perRow: STATES,
    find: tablesFinder(asm, 1, inPieces),
  };
  framed(asm, () => {
    const constant = loadConstants(v, ["gradientScale", "weightDecay"]);
    eachUpdatedRow(v, 1, named, () => {
      asm.mov(SHIFTED, GRADIENT);
      asm.compute("sub", SHIFTED, OFFSET);
      asm.push(OFFSET);
      for (const sum of SUMS) v.zero(sum);
      walkRow(v, walk, SUMS.length, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) {
          v.loadPart(W, indexed(TABLE, OFFSET, 1, v.bytes * i), tail);
          loadGradient(v, i, tail, constant);
          v.op("vfmadd231ps", SUMS[i]!, G, G);
        }
      });
      rateOfRow(v);
      asm.pop(OFFSET);
      walkRow(v, walk, 2, (vectors, tail) => {
        for (let i = 0; i < vectors; i++) {
          const place = indexed(TABLE, OFFSET, 1, v.bytes * i);
          v.loadPart(W, place, tail);
          loadGradient(v, i, tail, constant);
          v.op("vfnmadd231ps", W, G, RATE);
          v.storePart(place, W, tail);
        }
      });
    });
  });
}

/** The row's state ← itself + the mean of the squares; RATE ← the learning rate over its root. */
function rateOfRow(v: Vectors): void {
  const { asm } = v;
  const [sum, other, third, fourth] = SUMS as [number, number, number, number];
  const scalar = (name: "vaddss" | "vdivss", d: number, a: number, constant: Constant) =>
    asm.vex(name, 16, d, a, constantPlace(constant));
  v.op("vaddps", sum, sum, other);
  v.op("vaddps", third, third, fourth);
  v.op("vaddps", sum, sum, third);
  v.sumLanes(sum, other);
  scalar("vdivss", sum, sum, "width");
  asm.mov(TEMP, J);
  unlessZero(asm, INDICES, () => asm.mov32(TEMP, indexed(INDICES, J, 4)));
  asm.lea(TEMP, indexed(STATES, TEMP, 4));
  asm.vex("vaddss", 16, sum, sum, at(TEMP));
  asm.vex("vmovssStore", 16, sum, -1, at(TEMP));
  asm.vex("vsqrtss", 16, sum, sum, sum);
  scalar("vaddss", sum, sum, "epsilon");
  asm.vex("vmovss", 16, other, -1, constantPlace("rate"));
  asm.vex("vdivss", 16, sum, other, sum);
  v.op("vbroadcastss", RATE, -1, sum);
}
