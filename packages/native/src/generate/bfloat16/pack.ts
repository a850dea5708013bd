import type { Assembler } from "../../assembler/assembler.js";
import {
  at,
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
  RBX,
  RCX,
  RDX,
  type Register,
} from "../../assembler/operands.js";
import { argumentNumbers, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { Vectors } from "../vectors.js";
import { CHUNK, CHUNK_BYTES, MASKS, PAIR_BYTES, PANEL_COLUMNS } from "./layout.js";
import { setHalves } from "./masks.js";
import { interleave, loadMasked, loadPairing, narrow, turnSquare } from "./squares.js";

/** Arguments of both kernels. `ld` in bytes; `kMask` names the k of the last chunk, if that is not whole (0), `columnMask` the last panel's columns. */
const PACK_ARGUMENTS = ["packed", "source", "ld", "K", "N", "kMask", "columnMask"] as const;

export const PACK_ARGUMENT = argumentNumbers(PACK_ARGUMENTS);

const [PACKED, SOURCE, LD, COLUMNS, K] = [R8, R9, R10, R11, R12];

/** Packs a right operand (K, N) that is stored row by row: two rows at a time become pairs. */
export function generateBfloat16PackRight(asm: Assembler): void {
  const v = new Vectors(asm, "avx512");
  const [FROM, LEFT, PAIRS] = [RBX, RAX, RCX];
  const PAIRING = 8;
  packing(v, () => {
    loadPairing(v, PAIRING);
    eachPanel(v, () => {
      const [odd, zeros, done] = [new Label(), new Label(), new Label()];
      asm.mov(FROM, SOURCE);
      asm.mov(LEFT, K);
      pairsToChunks(asm, PAIRS);
      const loop = asm.here();
      asm.computeConstant("sub", LEFT, 2);
      asm.jumpIf("below", odd);
      for (const i of [0, 1]) loadMasked(v, i, at(FROM, 64 * i), MASKS.columns[i]!);
      asm.compute("add", FROM, LD);
      for (const i of [0, 1]) loadMasked(v, 2 + i, at(FROM, 64 * i), MASKS.columns[i]!);
      asm.compute("add", FROM, LD);
      storePairs(v, PAIRING);
      asm.computeConstant("sub", PAIRS, 1);
      asm.jumpIf("notEqual", loop);
      asm.jump(done);

      // The last row alone, if there is one; what remains of the chunk is zeros.
      asm.bind(odd);
      asm.computeConstant("add", LEFT, 2);
      for (let i = 0; i < 4; i++) v.zero(i);
      asm.jumpIf("equal", zeros);
      for (const i of [0, 1]) loadMasked(v, i, at(FROM, 64 * i), MASKS.columns[i]!);
      asm.bind(zeros);
      storePairs(v, PAIRING);
      for (const i of [0, 1]) v.zero(i);
      asm.computeConstant("sub", PAIRS, 1);
      asm.jumpIf("notEqual", zeros);
      asm.bind(done);
      asm.computeConstant("add", SOURCE, 4 * PANEL_COLUMNS);
    });
  });
}

/** Row k in v0 and v1, row k + 1 in v2 and v3: the next row of the panel. */
function storePairs(v: Vectors, pairing: number): void {
  for (const i of [0, 1]) {
    narrow(v, 4 + i, i, 2 + i);
    interleave(v, 4 + i, pairing);
    v.store(at(PACKED, 64 * i), 4 + i);
  }
  v.asm.computeConstant("add", PACKED, PAIR_BYTES);
}

/** pairs ← pairs of k in all chunks, the last one whole. */
function pairsToChunks(asm: Assembler, pairs: Register): void {
  asm.mov(pairs, K);
  asm.computeConstant("add", pairs, CHUNK - 1);
  asm.shiftRight(pairs, 5);
  asm.shiftLeft(pairs, 4);
}

/** Packs a right operand (K, N) whose transpose (N, K) is stored row by row: 16 of its rows by 16 pairs of k are turned in registers. */
export function generateBfloat16PackRightTransposed(asm: Assembler): void {
  const v = new Vectors(asm, "avx512");
  packing(v, () => {
    eachPanel(v, () => {
      for (let half = 0; half < 2; half++) {
        eachChunk(asm, (tail) => turnedChunk(v, half, tail));
        // So many rows further, and back to the panel's first pair.
        asm.mov(RAX, LD);
        asm.shiftLeft(RAX, 4);
        asm.compute("add", SOURCE, RAX);
        if (half === 0) asm.compute("sub", PACKED, RDX);
      }
    });
  });
}

/** Runs `chunk` for each chunk of k, the last one as a tail if it is not whole; R13 goes along SOURCE; RDX is then the bytes of a panel. */
function eachChunk(asm: Assembler, chunk: (tail: boolean) => void): void {
  const [FROM, LEFT] = [R13, R14];
  const [tail, done] = [new Label(), new Label()];
  asm.mov(FROM, SOURCE);
  asm.mov(LEFT, K);
  const loop = asm.here();
  asm.computeConstant("cmp", LEFT, CHUNK);
  asm.jumpIf("below", tail);
  chunk(false);
  asm.computeConstant("add", FROM, 4 * CHUNK);
  asm.computeConstant("sub", LEFT, CHUNK);
  asm.jump(loop);
  asm.bind(tail);
  asm.test(LEFT);
  asm.jumpIf("equal", done);
  chunk(true);
  asm.bind(done);
  pairsToChunks(asm, RDX);
  asm.shiftLeft(RDX, Math.log2(PAIR_BYTES));
}

/** Sixteen columns of the panel, one chunk of k: columns that are not there are zeros. */
function turnedChunk(v: Vectors, half: number, tail: boolean): void {
  const { asm } = v;
  const [FROM, ROW, COUNT] = [R13, R15, RCX];
  const [partial, turned] = [new Label(), new Label()];
  const row = (i: number): void => {
    for (const part of [0, 1]) {
      if (tail) loadMasked(v, 16 + part, at(ROW, 64 * part), MASKS.k[part]!);
      else v.load(16 + part, at(ROW, 64 * part));
    }
    narrow(v, i, 16, 17);
    if (i < 15) asm.compute("add", ROW, LD);
  };
  asm.mov(ROW, FROM);
  asm.mov(COUNT, COLUMNS);
  asm.computeConstant("sub", COUNT, 16 * half);
  asm.computeConstant("cmp", COUNT, 16);
  asm.jumpIf("less", partial);
  for (let i = 0; i < 16; i++) row(i);
  asm.jump(turned);
  asm.bind(partial);
  for (let i = 0; i < 16; i++) v.zero(i);
  for (let i = 0; i < 15; i++) {
    asm.computeConstant("cmp", COUNT, i);
    asm.jumpIf("lessOrEqual", turned);
    row(i);
  }
  asm.bind(turned);
  turnSquare(v);
  for (let p = 0; p < 16; p++) v.store(at(PACKED, PAIR_BYTES * p + 64 * half), p);
  asm.computeConstant("add", PACKED, CHUNK_BYTES);
}

/** A kernel's frame around `body`, with the arguments that both have in their registers. */
function packing(v: Vectors, body: () => void): void {
  const { asm } = v;
  framed(asm, () => {
    const none = new Label();
    loadAddress(asm, PACKED, PACK_ARGUMENT.packed);
    loadAddress(asm, SOURCE, PACK_ARGUMENT.source);
    loadArgument(asm, LD, PACK_ARGUMENT.ld);
    loadArgument(asm, COLUMNS, PACK_ARGUMENT.N);
    loadArgument(asm, K, PACK_ARGUMENT.K);
    asm.test(K);
    asm.jumpIf("equal", none);
    loadArgument(asm, RAX, PACK_ARGUMENT.kMask);
    setHalves(asm, MASKS.k, RAX);
    body();
    asm.bind(none);
  });
}

/** Runs `panel` for each panel, with the masks of its columns. */
function eachPanel({ asm }: Vectors, panel: () => void): void {
  const done = new Label();
  const next = asm.here();
  asm.computeConstant("cmp", COLUMNS, 0);
  asm.jumpIf("lessOrEqual", done);
  setColumns(asm);
  panel();
  asm.computeConstant("sub", COLUMNS, PANEL_COLUMNS);
  asm.jump(next);
  asm.bind(done);
}

function setColumns(asm: Assembler): void {
  const known = new Label();
  asm.movConstant(RAX, -1);
  asm.computeConstant("cmp", COLUMNS, PANEL_COLUMNS);
  asm.jumpIf("aboveOrEqual", known);
  loadArgument(asm, RAX, PACK_ARGUMENT.columnMask);
  asm.bind(known);
  setHalves(asm, MASKS.columns, RAX);
}
