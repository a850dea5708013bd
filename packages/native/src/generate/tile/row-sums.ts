import type { Assembler } from "../../assembler/assembler.js";
import {
  at,
  indexed,
  Label,
  type Memory,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  RAX,
  RBX,
  RCX,
  RDX,
  RSI,
} from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";

const ARGUMENT = { out: 0, z: 1, ld: 2, C: 3, R: 4, step: 5, rows: 6, weight: 7 } as const;

/** Classes that are summed at a time. */
const CLASSES = 4;

const [OUT, Z, LD, CLASSES_LEFT, ROWS, WEIGHT] = [R8, RSI, R9, R10, RCX, RDX];
/** Bytes from a class of the four to the next one, and to the one three further. */
const [STEP, STEP3] = [R11, RBX];
/** The next tile and its weights, and how many rows are left from there on. */
const [TILE, TILE_WEIGHT, LEFT] = [R12, R13, R14];
const TEMP = RAX;

/** Sums of even and odd vectors of the four classes. */
const sum = (i: number, odd: 0 | 1): number => 2 * i + odd;
const [FIRST_WEIGHT, SECOND_WEIGHT, SPARE] = [8, 9, 10];

/** `TileKernels.sumOverTiles` without weights. Strides are in bytes. */
export function generateSumOverTiles(asm: Assembler, set: InstructionSet): void {
  sumRows(new Vectors(asm, set), false);
}

/** `TileKernels.sumOverTiles` with weights. Strides are in bytes. */
export function generateWeightedSumOverTiles(asm: Assembler, set: InstructionSet): void {
  sumRows(new Vectors(asm, set), true);
}

/**
 * Four classes at a time. What is left in the end goes one class at a time through the same code, as four classes on top of each other: so that the
 * order of a class's sum does not depend on where it stands.
 */
function sumRows(v: Vectors, weighted: boolean): void {
  const { asm } = v;
  const [rest, single, done] = [new Label(), new Label(), new Label()];
  framed(asm, () => {
    loadAddress(asm, OUT, ARGUMENT.out);
    loadAddress(asm, Z, ARGUMENT.z);
    loadArgument(asm, LD, ARGUMENT.ld);
    loadArgument(asm, CLASSES_LEFT, ARGUMENT.C);
    asm.mov(STEP, LD);
    asm.lea(STEP3, indexed(LD, LD, 2));

    asm.computeConstant("sub", CLASSES_LEFT, CLASSES);
    asm.jumpIf("below", rest);
    const four = asm.here();
    sumFour(v, weighted);
    asm.vex("vmovupsStore", 16, 0, -1, at(OUT));
    asm.computeConstant("add", OUT, 4 * CLASSES);
    asm.lea(Z, indexed(Z, LD, 4));
    asm.computeConstant("sub", CLASSES_LEFT, CLASSES);
    asm.jumpIf("aboveOrEqual", four);

    asm.bind(rest);
    asm.computeConstant("add", CLASSES_LEFT, CLASSES);
    asm.jumpIf("equal", done);
    asm.movConstant(STEP, 0);
    asm.movConstant(STEP3, 0);
    asm.bind(single);
    sumFour(v, weighted);
    asm.vex("vmovssStore", 16, 0, -1, at(OUT));
    asm.computeConstant("add", OUT, 4);
    asm.compute("add", Z, LD);
    asm.computeConstant("sub", CLASSES_LEFT, 1);
    asm.jumpIf("notEqual", single);
    asm.bind(done);
  }, [RBX, R12, R13, R14]);
}

/** The first four lanes of v0 ← the sums of four classes. Keeps Z. */
function sumFour(v: Vectors, weighted: boolean): void {
  const { asm } = v;
  const done = new Label();
  for (let i = 0; i < 2 * CLASSES; i++) v.zero(i);
  if (weighted) loadAddress(asm, TILE_WEIGHT, ARGUMENT.weight);
  loadArgument(asm, LEFT, ARGUMENT.rows);
  asm.push(Z);
  asm.mov(TILE, Z);
  asm.test(LEFT);
  asm.jumpIf("equal", done);
  const tile = asm.here();
  nextTile(asm, weighted);
  addTile(v, weighted);
  asm.test(LEFT);
  asm.jumpIf("notEqual", tile);
  asm.bind(done);
  asm.pop(Z);
  for (let i = 0; i < CLASSES; i++) v.op("vaddps", i, sum(i, 0), sum(i, 1));
  sumLanesOfFour(v);
}

/** Z, WEIGHT and ROWS ← those of the next tile. */
function nextTile(asm: Assembler, weighted: boolean): void {
  const whole = new Label();
  asm.mov(Z, TILE);
  loadArgument(asm, TEMP, ARGUMENT.step);
  asm.compute("add", TILE, TEMP);
  loadArgument(asm, ROWS, ARGUMENT.R);
  if (weighted) {
    asm.mov(WEIGHT, TILE_WEIGHT);
    asm.lea(TILE_WEIGHT, indexed(TILE_WEIGHT, ROWS, 4));
  }
  asm.compute("cmp", LEFT, ROWS);
  asm.jumpIf("aboveOrEqual", whole);
  asm.mov(ROWS, LEFT);
  asm.bind(whole);
  asm.compute("sub", LEFT, ROWS);
}

/** Adds ROWS rows of one tile to the sums of four classes. */
function addTile(v: Vectors, weighted: boolean): void {
  const { asm } = v;
  const [one, tail, finished] = [new Label(), new Label(), new Label()];
  asm.computeConstant("sub", ROWS, 2 * v.lanes);
  asm.jumpIf("below", one);
  asm.align(32);
  const loop = asm.here();
  addVector(v, weighted, 0, 0);
  addVector(v, weighted, 1, v.bytes);
  asm.computeConstant("add", Z, 2 * v.bytes);
  if (weighted) asm.computeConstant("add", WEIGHT, 2 * v.bytes);
  asm.computeConstant("sub", ROWS, 2 * v.lanes);
  asm.jumpIf("aboveOrEqual", loop);

  asm.bind(one);
  asm.computeConstant("add", ROWS, v.lanes);
  asm.jumpIf("less", tail);
  addVector(v, weighted, 0, 0);
  asm.computeConstant("add", Z, v.bytes);
  if (weighted) asm.computeConstant("add", WEIGHT, v.bytes);
  asm.computeConstant("sub", ROWS, v.lanes);
  asm.bind(tail);
  asm.computeConstant("add", ROWS, v.lanes);
  asm.jumpIf("equal", finished);
  v.setTail(ROWS, TEMP);
  addTail(v, weighted);
  asm.bind(finished);
}

/** Where class i of the four stands. */
function place(i: number, displacement: number): Memory {
  if (i === 0) return at(Z, displacement);
  return i === 3 ? indexed(Z, STEP3, 1, displacement) : indexed(Z, STEP, i as 1 | 2, displacement);
}

function addVector(v: Vectors, weighted: boolean, odd: 0 | 1, displacement: number): void {
  const weight = odd === 0 ? FIRST_WEIGHT : SECOND_WEIGHT;
  if (weighted) v.load(weight, at(WEIGHT, displacement));
  for (let i = 0; i < CLASSES; i++) {
    if (weighted) v.op("vfmadd231ps", sum(i, odd), weight, place(i, displacement));
    else v.op("vaddps", sum(i, odd), sum(i, odd), place(i, displacement));
  }
}

function addTail(v: Vectors, weighted: boolean): void {
  if (weighted) v.loadTail(FIRST_WEIGHT, at(WEIGHT));
  for (let i = 0; i < CLASSES; i++) {
    v.loadTail(SPARE, place(i, 0));
    if (weighted) v.op("vfmadd231ps", sum(i, 1), FIRST_WEIGHT, SPARE);
    else v.op("vaddps", sum(i, 1), sum(i, 1), SPARE);
  }
}

/** The first four lanes of v0 ← the sums of the lanes of v0, v1, v2 and v3. */
function sumLanesOfFour(v: Vectors): void {
  const { asm } = v;
  if (v.set === "avx512") {
    for (let i = 0; i < CLASSES; i++) {
      asm.evex("vextractf64x4", 64, i, -1, SPARE, { immediate: 1 });
      asm.vex("vaddps", 32, i, i, SPARE);
    }
  }
  // Pairs of sums, interleaved: (0, 1, 0, 1) and (2, 3, 2, 3) of each half.
  for (const [a, b] of [
    [0, 1],
    [2, 3],
  ] as const) {
    asm.vex("vunpckhps", 32, SPARE, a, b);
    asm.vex("vunpcklps", 32, a, a, b);
    asm.vex("vaddps", 32, a, a, SPARE);
  }
  asm.vex("vshufps", 32, 1, 0, 2, 0xee);
  asm.vex("vshufps", 32, 0, 0, 2, 0x44);
  asm.vex("vaddps", 32, 0, 0, 1);
  asm.vex("vextractf128", 32, 0, -1, 1, 1);
  asm.vex("vaddps", 16, 0, 0, 1);
}
