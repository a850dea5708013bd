import type { Assembler } from "../../assembler/assembler.js";
import { indexed, R8, R9, R10, R11, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { changeDoubles, widenHalf } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachStrip, eachTwoClasses } from "./walks.js";

const ARGUMENT = { out: 0, z: 1, ld: 2, C: 3, R: 4 } as const;

const [Z, COUNT, OUT, LD, ROWS, AT, TEMP, TEMP2] = [RSI, RCX, R8, R9, R10, R11, RAX, RDX];

/** Vector registers. */
const [X, WIDE, MASK] = [0, 1, 2];
/** Sums of one half of a vector of a strip, of every other class. */
const sum = (vector: number, half: 0 | 1, turn: 0 | 1): number => 4 + 4 * vector + 2 * half + turn;

/** out[r] += Σ_c z[c][r], float64 (`TileKernels.sumOverClasses`). The stride is in bytes. */
export function generateSumOverClasses(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const halves = [0, 1] as const;
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    loadArgument(asm, ROWS, ARGUMENT.R);
    asm.movConstant(AT, 0);
    eachStrip(v, { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 }, [2, 1], (vectors, tail) => {
      for (let i = 0; i < 4 * vectors; i++) v.zero(sum(0, 0, 0) + i);
      loadAddress(asm, Z, ARGUMENT.z);
      asm.compute("add", Z, AT);
      loadArgument(asm, COUNT, ARGUMENT.C);
      eachTwoClasses(asm, { left: COUNT, at: Z, ld: LD }, (place, turn) => {
        for (let i = 0; i < vectors; i++) {
          if (tail) v.loadTail(X, place(i * v.bytes));
          for (const half of halves) {
            if (tail) widenHalf(v, half, WIDE, X);
            else v.op("vcvtps2pd", WIDE, -1, place(i * v.bytes + (half * v.bytes) / 2));
            v.op("vaddpd", sum(i, half, turn), sum(i, half, turn), WIDE);
          }
        }
      });
      loadAddress(asm, OUT, ARGUMENT.out);
      asm.lea(OUT, indexed(OUT, AT, 2));
      for (let i = 0; i < vectors; i++) {
        for (const half of halves) v.op("vaddpd", sum(i, half, 0), sum(i, half, 0), sum(i, half, 1));
        changeDoubles(v, OUT, 2 * i * v.bytes, tail, WIDE, MASK, (half, doubles) => {
          v.op("vaddpd", doubles, doubles, sum(i, half, 0));
        });
      }
    });
  }, []);
}
