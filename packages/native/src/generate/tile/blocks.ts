import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, type Register } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";

/** Classes of a block: what a strip of rows has read of it is still in the first-level cache for the next one. Sums in float32 run over no more. */
export const BLOCK_CLASSES = 64;

/** A walk over blocks of classes. */
export interface BlockWalk {
  /** Address of the block. */
  readonly block: Register;
  /** Classes of the block. */
  readonly classes: Register;
  /** 4 times the classes before it. */
  readonly done: Register;
  /** Bytes from class to class. */
  readonly ld: Register;
  readonly scratch: Register;
}

/** Runs `body` for each block of a tile's classes. It leaves the registers of the walk alone, but `scratch` and `classes`. */
export function eachBlock(
  asm: Assembler,
  walk: BlockWalk,
  args: { readonly z: number; readonly C: number },
  body: () => void,
): void {
  const [finished, whole] = [new Label(), new Label()];
  const { block, classes, done, ld, scratch } = walk;
  loadAddress(asm, block, args.z);
  asm.movConstant(done, 0);
  const loop = asm.here();
  loadArgument(asm, classes, args.C);
  asm.mov(scratch, done);
  asm.shiftRight(scratch, 2);
  asm.compute("sub", classes, scratch);
  asm.jumpIf("equal", finished);
  asm.computeConstant("cmp", classes, BLOCK_CLASSES);
  asm.jumpIf("belowOrEqual", whole);
  asm.movConstant(classes, BLOCK_CLASSES);
  asm.bind(whole);
  asm.push(classes);
  body();
  asm.pop(classes);
  asm.lea(done, indexed(done, classes, 4));
  asm.imul(classes, ld);
  asm.compute("add", block, classes);
  asm.jump(loop);
  asm.bind(finished);
}
