import type { Assembler } from "../assembler/assembler.js";
import {
  at,
  indexed,
  Label,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15,
  RAX,
  RBP,
  RBX,
  RCX,
  type Register,
} from "../assembler/operands.js";
import { loadAddress, loadArgument } from "./arguments.js";
import { framed } from "./frame.js";
import { TILE } from "./multiply.js";
import type { InstructionSet } from "./vectors.js";
import { Vectors } from "./vectors.js";

/** Arguments of both kernels: packed, source, ld in bytes, and rows K and columns N of the right operand. */
const [PACKED, SOURCE, LD, COLUMNS] = [R8, R9, R10, R11];

/**
 * Packs a right operand (K, N) that is stored row by row: panels of as many columns as a tile has, each [k][column], the last one filled up with
 * zeros.
 */
export function generatePackRight(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const { columns, vectors } = TILE[set];
  packing(asm, () => {
    const panel = asm.here();
    const tail = new Label();
    const done = new Label();
    asm.test(COLUMNS);
    asm.jumpIf("equal", done);
    asm.mov(RBX, SOURCE);
    asm.computeConstant("cmp", COLUMNS, columns);
    asm.jumpIf("below", tail);
    eachRow(
      asm,
      () => {
        for (let i = 0; i < vectors; i++) v.load(i, at(RBX, v.bytes * i));
        for (let i = 0; i < vectors; i++) v.store(at(PACKED, v.bytes * i), i);
      },
      4 * columns,
    );
    asm.computeConstant("add", SOURCE, 4 * columns);
    asm.computeConstant("sub", COLUMNS, columns);
    asm.jump(panel);

    asm.bind(tail);
    const wide = new Label();
    asm.computeConstant("cmp", COLUMNS, v.lanes);
    asm.jumpIf("above", wide);
    v.setTail(COLUMNS, RAX);
    v.zero(1);
    eachRow(
      asm,
      () => {
        v.loadTail(0, at(RBX));
        v.store(at(PACKED), 0);
        v.store(at(PACKED, v.bytes), 1);
      },
      4 * columns,
    );
    asm.jump(done);
    asm.bind(wide);
    asm.computeConstant("sub", COLUMNS, v.lanes);
    v.setTail(COLUMNS, RAX);
    eachRow(
      asm,
      () => {
        v.load(0, at(RBX));
        v.loadTail(1, at(RBX, v.bytes));
        v.store(at(PACKED), 0);
        v.store(at(PACKED, v.bytes), 1);
      },
      4 * columns,
    );
    asm.bind(done);
  });
}

/** A kernel's frame around `body`, with the arguments that both have in their registers. */
function packing(asm: Assembler, body: () => void): void {
  framed(asm, () => {
    loadAddress(asm, PACKED, 0);
    loadAddress(asm, SOURCE, 1);
    loadArgument(asm, LD, 2);
    loadArgument(asm, COLUMNS, 4);
    body();
  });
}

/** Runs `copy` for each of the K rows, from RBX to PACKED. */
function eachRow(asm: Assembler, copy: () => void, packedBytes: number): void {
  const none = new Label();
  loadArgument(asm, RAX, 3);
  asm.test(RAX);
  asm.jumpIf("equal", none);
  const loop = asm.here();
  copy();
  asm.compute("add", RBX, LD);
  asm.computeConstant("add", PACKED, packedBytes);
  asm.computeConstant("sub", RAX, 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(none);
}

/**
 * Packs a right operand (K, N) whose transpose (N, K) is stored row by row: squares of 8 x 8 are turned in registers. Vectors of 8 in either
 * instruction set.
 */
export function generatePackRightTransposed(asm: Assembler, set: InstructionSet): void {
  const { columns } = TILE[set];
  const v = new Vectors(asm, "avx2");
  const [K, K_LEFT, PANEL, IN_PANEL, TEMP] = [R12, R13, R14, RBX, RAX];
  packing(asm, () => {
    loadArgument(asm, K, 3);
    const panel = asm.here();
    const done = new Label();
    asm.test(COLUMNS);
    asm.jumpIf("equal", done);
    asm.mov(PANEL, PACKED);
    asm.movConstant(IN_PANEL, columns);

    // Eight columns of the panel; a column that is not there is zeros.
    const eight = asm.here();
    const whole = new Label();
    const next = new Label();
    const zeros = new Label();
    asm.mov(RCX, PANEL);
    asm.mov(K_LEFT, K);
    asm.test(COLUMNS);
    asm.jumpIf("equal", zeros);
    asm.computeConstant("cmp", COLUMNS, 8);
    asm.jumpIf("aboveOrEqual", whole);
    strip(v, SOURCE, K_LEFT, RCX, columns, true);
    asm.movConstant(COLUMNS, 0);
    asm.jump(next);
    asm.bind(whole);
    strip(v, SOURCE, K_LEFT, RCX, columns, false);
    asm.lea(SOURCE, indexed(SOURCE, LD, 8));
    asm.computeConstant("sub", COLUMNS, 8);
    asm.jump(next);
    asm.bind(zeros);
    fillZeros(v, K_LEFT, RCX, columns);
    asm.bind(next);
    asm.computeConstant("add", PANEL, 32);
    asm.computeConstant("sub", IN_PANEL, 8);
    asm.jumpIf("notEqual", eight);
    // The next panel begins where this one's K rows end.
    asm.mov(TEMP, K);
    asm.shiftLeft(TEMP, Math.log2(4 * columns));
    asm.compute("add", PACKED, TEMP);
    asm.jump(panel);
    asm.bind(done);
  });
}

/** Up to 8 rows of the source, all k: turned and stored as 8 columns. With `partial` rows from COLUMNS on are zeros. */
function strip(v: Vectors, source: Register, left: Register, to: Register, columns: number, partial: boolean): void {
  const { asm } = v;
  const [ROW, TEMP, FROM] = [RAX, R15, RBP];
  const rest = new Label();
  const finished = new Label();
  asm.push(source);
  asm.mov(FROM, source);
  const blocks = asm.here();
  asm.computeConstant("cmp", left, 8);
  asm.jumpIf("below", rest);
  loadRows(v, FROM, ROW, partial, false);
  turn(v);
  for (let k = 0; k < 8; k++) asm.vex("vmovupsStore", 32, k, -1, at(to, 4 * columns * k));
  asm.computeConstant("add", FROM, 32);
  asm.computeConstant("add", to, 32 * columns);
  asm.computeConstant("sub", left, 8);
  asm.jump(blocks);

  asm.bind(rest);
  asm.test(left);
  asm.jumpIf("equal", finished);
  asm.mov(TEMP, left);
  v.setTail(TEMP, ROW);
  loadRows(v, FROM, ROW, partial, true);
  turn(v);
  for (let k = 0; k < 7; k++) {
    asm.vex("vmovupsStore", 32, k, -1, at(to, 4 * columns * k));
    asm.computeConstant("cmp", left, k + 1);
    asm.jumpIf("equal", finished);
  }
  asm.bind(finished);
  asm.pop(source);
}

/** v0 … v7 ← eight floats of each of eight rows from `from` on. */
function loadRows(v: Vectors, from: Register, row: Register, partial: boolean, tail: boolean): void {
  const { asm } = v;

  const loaded = new Label();
  asm.mov(row, from);
  if (partial) for (let i = 1; i < 8; i++) v.zero(i);
  for (let i = 0; i < 8; i++) {
    v.loadPart(i, at(row), tail);
    if (i === 7) break;
    if (partial) {
      asm.computeConstant("cmp", COLUMNS, i + 1);
      asm.jumpIf("equal", loaded);
    }
    asm.compute("add", row, LD);
  }
  asm.bind(loaded);
}

/** Turns the 8 x 8 square in v0 … v7; uses v8 … v14. */
function turn({ asm }: Vectors): void {
  const op = (name: "vunpcklps" | "vunpckhps", d: number, a: number, b: number) => asm.vex(name, 32, d, a, b);
  // Pairs: rows 2i and 2i+1 interleaved; two registers are done at a time, so that seven spare ones do.
  for (let i = 0; i < 4; i++) {
    op("vunpckhps", 8, 2 * i, 2 * i + 1);
    op("vunpcklps", 2 * i, 2 * i, 2 * i + 1);
    asm.vex("vmovups", 32, 2 * i + 1, -1, 8);
  }
  // Quadruples: rows 4i … 4i+3 of columns (0, 4), (1, 5), (2, 6), (3, 7).
  for (let i = 0; i < 2; i++) {
    const [low0, high0, low1, high1] = [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3];
    asm.vex("vshufps", 32, 8, low0, low1, 0x44);
    asm.vex("vshufps", 32, 9, low0, low1, 0xee);
    asm.vex("vshufps", 32, 10, high0, high1, 0x44);
    asm.vex("vshufps", 32, 11, high0, high1, 0xee);
    for (let j = 0; j < 4; j++) asm.vex("vmovups", 32, 4 * i + j, -1, 8 + j);
  }
  // Halves.
  for (let j = 0; j < 4; j++) {
    asm.vex("vperm2f128", 32, 8 + (j % 2), j, 4 + j, 0x31);
    asm.vex("vperm2f128", 32, j, j, 4 + j, 0x20);
    asm.vex("vmovups", 32, 4 + j, -1, 8 + (j % 2));
  }
}

/** Zeros for eight columns of all k. */
function fillZeros(v: Vectors, left: Register, to: Register, columns: number): void {
  const { asm } = v;
  const none = new Label();
  v.zero(0);
  asm.test(left);
  asm.jumpIf("equal", none);
  const loop = asm.here();
  asm.vex("vmovupsStore", 32, 0, -1, at(to));
  asm.computeConstant("add", to, 4 * columns);
  asm.computeConstant("sub", left, 1);
  asm.jumpIf("notEqual", loop);
  asm.bind(none);
}
