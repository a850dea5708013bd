import type { Assembler } from "../../assembler/assembler.js";
import { Label, RAX, RBP, RCX, type Register, RSP } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { Vectors } from "../vectors.js";
import { convertColumns, convertRows } from "./convert.js";
import { BLOCK_BYTES, BLOCK_ROWS, MASKS, PANEL_COLUMNS } from "./layout.js";
import { setHalves } from "./masks.js";
import { ARGUMENT, COLUMNS, LD_OUT, NEXT_LINE, OUT, OUT_AT, PANEL, ROWS } from "./shared.js";

/** What an instruction set brings to the product of a block of left rows with one panel. */
export interface BlockProduct {
  /** Bytes on the stack behind the block. */
  readonly scratchBytes: number;
  begin(v: Vectors): void;
  /** Sums of ROWS (up to 32) by COLUMNS (up to 32), at OUT_AT. */
  panel(v: Vectors): void;
  end(v: Vectors): void;
}

/**
 * out (M, N) (+)= left (M, K) · packed (K, N), K of all segments at most BLOCK_K: 32 rows of the left operand at a time are rounded to bfloat16, onto the
 * stack, and pass over all panels. So the left operand is read and converted once, while the packed right one stays in the second-level cache.
 */
export function generateProduct(asm: Assembler, product: BlockProduct): void {
  const v = new Vectors(asm, "avx512");
  framed(asm, () => {
    asm.mov(RBP, RSP);
    asm.computeConstant("sub", RSP, BLOCK_BYTES + product.scratchBytes);
    asm.computeConstant("and", RSP, -64);
    loadAddress(asm, OUT, ARGUMENT.out);
    loadArgument(asm, LD_OUT, ARGUMENT.ldOut);
    loadArgument(asm, ROWS, ARGUMENT.M);
    loadArgument(asm, RAX, ARGUMENT.kMask);
    setHalves(asm, MASKS.k, RAX);
    product.begin(v);
    const [last, turned, converted] = [new Label(), new Label(), new Label()];
    const block = asm.here();
    loadArgument(asm, RAX, ARGUMENT.turned);
    asm.test(RAX);
    asm.jumpIf("notEqual", turned);
    convertRows(v);
    asm.jump(converted);
    asm.bind(turned);
    convertColumns(v);
    asm.bind(converted);
    eachPanel(v, product);
    asm.computeConstant("cmp", ROWS, BLOCK_ROWS);
    asm.jumpIf("belowOrEqual", last);
    asm.computeConstant("sub", ROWS, BLOCK_ROWS);
    advance(asm);
    asm.jump(block);
    asm.bind(last);
    product.end(v);
    asm.mov(RSP, RBP);
  });
}

/** To the next block of rows. The address of the left operand is kept among the arguments. */
function advance(asm: Assembler): void {
  asm.mov(RAX, LD_OUT);
  asm.shiftLeft(RAX, Math.log2(BLOCK_ROWS));
  asm.compute("add", OUT, RAX);
  loadArgument(asm, RAX, ARGUMENT.rowStride);
  asm.shiftLeft(RAX, Math.log2(BLOCK_ROWS));
  loadArgument(asm, RCX, ARGUMENT.left);
  asm.compute("add", RCX, RAX);
  asm.store32(argument(ARGUMENT.left), RCX);
}

function eachPanel(v: Vectors, product: BlockProduct): void {
  const { asm } = v;
  const [known, done] = [new Label(), new Label()];
  loadAddress(asm, PANEL, ARGUMENT.packed);
  loadArgument(asm, COLUMNS, ARGUMENT.N);
  asm.mov(OUT_AT, OUT);
  loadAddress(asm, NEXT_LINE, ARGUMENT.left);
  loadArgument(asm, RAX, ARGUMENT.rowStride);
  asm.shiftLeft(RAX, Math.log2(BLOCK_ROWS));
  asm.compute("add", NEXT_LINE, RAX);
  const loop = asm.here();
  asm.movConstant(RAX, -1);
  asm.computeConstant("cmp", COLUMNS, PANEL_COLUMNS);
  asm.jumpIf("aboveOrEqual", known);
  loadArgument(asm, RAX, ARGUMENT.columnMask);
  asm.bind(known);
  setHalves(asm, MASKS.columns, RAX);
  product.panel(v);
  asm.computeConstant("cmp", COLUMNS, PANEL_COLUMNS);
  asm.jumpIf("belowOrEqual", done);
  asm.computeConstant("sub", COLUMNS, PANEL_COLUMNS);
  loadArgument(asm, RAX, ARGUMENT.panelBytes);
  asm.compute("add", PANEL, RAX);
  asm.computeConstant("add", OUT_AT, 4 * PANEL_COLUMNS);
  asm.jump(loop);
  asm.bind(done);
}

/**
 * Runs `chunks`, which goes along the chunks of a panel at `panel`, for each segment. `scratch` is left as it was.
 */
export function eachSegment(asm: Assembler, panel: Register, scratch: Register, chunks: () => void): void {
  asm.push(scratch);
  loadArgument(asm, scratch, ARGUMENT.segments);
  asm.store32(argument(ARGUMENT.segmentsLeft), scratch);
  asm.pop(scratch);
  const segment = asm.here();
  chunks();
  asm.push(scratch);
  loadArgument(asm, scratch, ARGUMENT.packedGap);
  asm.compute("add", panel, scratch);
  loadArgument(asm, scratch, ARGUMENT.segmentsLeft);
  asm.computeConstant("sub", scratch, 1);
  asm.store32(argument(ARGUMENT.segmentsLeft), scratch);
  asm.pop(scratch);
  asm.jumpIf("notEqual", segment);
}
