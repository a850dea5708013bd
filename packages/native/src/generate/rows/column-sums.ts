import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, R8, R9, R10, R11, RAX, RCX, RDX, RSI } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachStrip, setRowTail } from "./walk.js";

/** Stride and width in bytes. */
const ARGUMENT = { out: 0, source: 1, sourceBytes: 2, rows: 3, width: 4 };

const [OUT, SOURCE, SOURCE_BYTES, ROWS, OFFSET, LEFT, ROW, I] = [R8, R9, R10, R11, RAX, RCX, RDX, RSI];
const PART = 8;

/** out[d] = Σ_i source[i][d], rows in ascending order. */
export function generateColumnSums(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const width = argument(ARGUMENT.width);
  framed(asm, () => {
    setRowTail(v, width, RAX, RCX);
    loadAddress(asm, OUT, ARGUMENT.out);
    loadAddress(asm, SOURCE, ARGUMENT.source);
    loadArgument(asm, SOURCE_BYTES, ARGUMENT.sourceBytes);
    loadArgument(asm, ROWS, ARGUMENT.rows);
    asm.movConstant(OFFSET, 0);
    eachStrip(v, { offset: OFFSET, left: LEFT, width }, (vectors, tail) => {
      const none = new Label();
      for (let i = 0; i < vectors; i++) v.zero(i);
      asm.mov(ROW, SOURCE);
      asm.mov(I, ROWS);
      asm.test(I);
      asm.jumpIf("equal", none);
      asm.align(32);
      const loop = asm.here();
      for (let i = 0; i < vectors; i++) {
        const place = indexed(ROW, OFFSET, 1, v.bytes * i);
        if (tail) v.loadTail(PART, place);
        v.op("vaddps", i, i, tail ? PART : place);
      }
      asm.compute("add", ROW, SOURCE_BYTES);
      asm.computeConstant("sub", I, 1);
      asm.jumpIf("notEqual", loop);
      asm.bind(none);
      for (let i = 0; i < vectors; i++) v.storePart(indexed(OUT, OFFSET, 1, v.bytes * i), i, tail);
    });
  });
}
