import type { Memory } from "../../assembler/operands.js";
import { atLabel } from "../../assembler/operands.js";
import type { VectorOpName } from "../../assembler/vector-ops.js";
import type { Vectors } from "../vectors.js";

/** Two vectors of floats as one of bfloat16, to the nearest, ties to even: `low` in its lower half. */
export function narrow(v: Vectors, destination: number, low: number, high: number): void {
  v.op("vcvtne2ps2bf16", destination, high, low);
}

/** destination ← numbers for `interleave`: of 32 halves the first, the 17th, the second, the 18th … */
export function loadPairing(v: Vectors, destination: number): void {
  const words = Array.from({ length: 16 }, (_, i) => i | ((i + 16) << 16));
  v.load(destination, atLabel(v.asm.table(words)));
}

/** The lower and the upper half of a vector of bfloat16 become pairs. */
export function interleave(v: Vectors, register: number, pairing: number): void {
  v.op("vpermw", register, pairing, register);
}

/** Turns the 16 x 16 square of 32-bit words in v0 … v15. Uses all the others. */
export function turnSquare(v: Vectors): void {
  const op = (name: VectorOpName, d: number, a: number, b: number) => v.op(name, d, a, b);
  // Pairs of rows interleaved, then quadruples: v(4g + j) has, in its l-th 128 bits, column 4l + j of rows 4g … 4g + 3.
  for (let i = 0; i < 8; i++) {
    op("vunpcklps", 16 + 2 * i, 2 * i, 2 * i + 1);
    op("vunpckhps", 17 + 2 * i, 2 * i, 2 * i + 1);
  }
  for (let g = 0; g < 16; g += 4) {
    for (let j = 0; j < 2; j++) {
      op("vunpcklpd", g + 2 * j, 16 + g + j, 18 + g + j);
      op("vunpckhpd", g + 2 * j + 1, 16 + g + j, 18 + g + j);
    }
  }
  // 128 bits at a time: even ones of two vectors, or odd ones; twice.
  for (let j = 0; j < 4; j++) {
    const to = 16 + 4 * j;
    v.op("vshuff32x4", to, j, 4 + j, 0x88);
    v.op("vshuff32x4", to + 1, 8 + j, 12 + j, 0x88);
    v.op("vshuff32x4", to + 2, j, 4 + j, 0xdd);
    v.op("vshuff32x4", to + 3, 8 + j, 12 + j, 0xdd);
  }
  for (let j = 0; j < 4; j++) {
    const from = 16 + 4 * j;
    v.op("vshuff32x4", j, from, from + 1, 0x88);
    v.op("vshuff32x4", 8 + j, from, from + 1, 0xdd);
    v.op("vshuff32x4", 4 + j, from + 2, from + 3, 0x88);
    v.op("vshuff32x4", 12 + j, from + 2, from + 3, 0xdd);
  }
}

/**
 * Turns eight vectors, v0 … v7, of whose halves the l-th eight are row i + 8l of 32 rows, eight columns of each: v8 … v15 become the columns, 32 halves
 * each.
 */
export function turnHalves(v: Vectors): void {
  for (let p = 0; p < 4; p++) {
    v.op("vpunpcklwd", 8 + 2 * p, 2 * p, 2 * p + 1);
    v.op("vpunpckhwd", 9 + 2 * p, 2 * p, 2 * p + 1);
  }
  for (let q = 0; q < 2; q++) {
    for (let part = 0; part < 2; part++) {
      const [to, a, b] = [4 * q + 2 * part, 8 + 4 * q + part, 10 + 4 * q + part];
      v.op("vunpcklps", to, a, b);
      v.op("vunpckhps", to + 1, a, b);
    }
  }
  for (let q = 0; q < 4; q++) {
    v.op("vunpcklpd", 8 + 2 * q, q, 4 + q);
    v.op("vunpckhpd", 9 + 2 * q, q, 4 + q);
  }
}

/** destination ← lanes of a vector in memory that a mask names, the others 0. */
export function loadMasked(v: Vectors, destination: number, source: Memory, mask: number): void {
  v.asm.evex("vmovups", 64, destination, -1, source, { mask, zeroing: true });
}

export function storeMasked(v: Vectors, destination: Memory, source: number, mask: number): void {
  v.asm.evex("vmovupsStore", 64, source, -1, destination, { mask });
}
