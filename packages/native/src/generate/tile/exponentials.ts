import type { Assembler } from "../../assembler/assembler.js";
import { at, Label, RAX } from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { addToDoubles } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { BLOCK_CLASSES } from "./blocks.js";
import { Exponential } from "./exponential.js";
import {
  ADD,
  ADDEND,
  ARGUMENT,
  AT,
  BEST,
  BLOCKS,
  COUNT,
  LD,
  LEFT,
  MOVED,
  PLACE,
  REFERENCE,
  ROWS,
  SHIFT,
  SPARE,
  SPARE2,
  SUM,
  SUMS,
  TEMP,
  TEMP2,
  X,
  Z,
} from "./exponentials-layout.js";
import { eachForm, type Form, Logits } from "./logits.js";
import { keepReferences, loadShift } from "./references.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip, eachTwoClasses } from "./walks.js";

const [SCALE, FIRST_CONSTANT] = [8, 9];

/**
 * The softmax in one walk (`TileKernels.softmaxExponentials`). Strips of a cache line of rows, all classes: what the search for the maximum has read
 * is in the first-level cache when the exponentials are written. Strides in bytes; answers how many references moved.
 */
export function generateSoftmaxExponentials(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const last = set === "avx512" ? 31 : 14;
  const registers = Array.from({ length: last + 1 - FIRST_CONSTANT }, (_, i) => FIRST_CONSTANT + i);
  const exponential = new Exponential(v, registers);
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    loadArgument(asm, ROWS, ARGUMENT.R);
    asm.movConstant(AT, 0);
    asm.movConstant(MOVED, 0);
    exponential.loadConstants();
    eachForm(asm, ARGUMENT, TEMP, (form) => {
      const strip = new Strip(v, exponential, form);
      const walk = { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 };
      eachStrip(v, walk, set === "avx512" ? [1] : [2, 1], (vectors, tail) => strip.generate(vectors, tail));
    });
    asm.mov(RAX, MOVED);
  });
}

/** The work on one strip of rows, for logits of one form. */
class Strip {
  readonly #v: Vectors;
  readonly #exponential: Exponential;
  readonly #logits: Logits;

  constructor(v: Vectors, exponential: Exponential, form: Form) {
    this.#v = v;
    this.#exponential = exponential;
    this.#logits = new Logits(v, form, ARGUMENT, SCALE, ADDEND, ADD);
    this.#logits.loadScale();
  }

  generate(vectors: number, tail: boolean): void {
    this.#begin();
    this.#findBest(vectors, tail);
    loadAddress(this.#v.asm, REFERENCE, ARGUMENT.reference);
    this.#v.asm.compute("add", REFERENCE, AT);
    this.#address(SUM, ARGUMENT.sum, 2);
    keepReferences(this.#v, this.#exponential, vectors, tail);
    for (let i = 0; i < vectors; i++) loadShift(this.#v, i, tail);
    this.#begin();
    this.#blocks(vectors, tail);
  }

  /** The strip's first class. */
  #begin(): void {
    this.#address(Z, ARGUMENT.z, 1);
    this.#logits.begin();
  }

  /** register ← an address and the strip's place in what stands there, `width` times 4 bytes a row */
  #address(register: number, index: number, width: 1 | 2): void {
    const { asm } = this.#v;
    loadAddress(asm, register, index);
    for (let i = 0; i < width; i++) asm.compute("add", register, AT);
  }

  /** BEST[0] ← the greatest logits of all classes, passing over NaN. */
  #findBest(vectors: number, tail: boolean): void {
    const v = this.#v;
    for (let i = 0; i < vectors; i++) {
      v.constant(BEST[0][i]!, -Infinity);
      v.move(BEST[1][i]!, BEST[0][i]!);
    }
    loadArgument(v.asm, COUNT, ARGUMENT.C);
    eachTwoClasses(v.asm, { left: COUNT, at: Z, ld: LD }, (place, turn) => {
      this.#logits.nextClass();
      for (let i = 0; i < vectors; i++) {
        const best = BEST[turn][i]!;
        this.#logits.load(X, place(i * v.bytes), tail);
        // Of a NaN and another number the maximum is its second operand.
        v.op("vmaxps", best, X, best);
      }
    });
    for (let i = 0; i < vectors; i++) v.op("vmaxps", BEST[0][i]!, BEST[1][i]!, BEST[0][i]!);
  }

  /** Exponentials and sums, block by block. */
  #blocks(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const [finished, unwanted] = [new Label(), new Label()];
    this.#address(BLOCKS, ARGUMENT.blocks, 1);
    loadArgument(asm, LEFT, ARGUMENT.C);
    asm.test(LEFT);
    asm.jumpIf("equal", finished);
    const block = asm.here();
    this.#addLogits(vectors, tail);
    this.#countBlock();
    for (let i = 0; i < vectors; i++) v.zero(SUMS[i]!);
    eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
      this.#logits.nextClass();
      for (let i = 0; i < vectors; i++) {
        this.#logits.load(X, place(i * v.bytes), tail);
        v.op("vsubps", X, X, SHIFT[i]!);
        this.#exponential.apply(X, SPARE, SPARE2);
        storeLanes(v, place(i * v.bytes), X, tail, { count: ROWS, spare: SPARE });
        v.op("vaddps", SUMS[i]!, SUMS[i]!, X);
      }
    });
    for (let i = 0; i < vectors; i++) {
      addToDoubles(v, SUM, 2 * i * v.bytes, tail, SUMS[i]!, [X, SPARE, SPARE2]);
    }
    loadArgument(asm, TEMP, ARGUMENT.blocks);
    asm.test(TEMP);
    asm.jumpIf("equal", unwanted);
    for (let i = 0; i < vectors; i++) v.storePart(at(BLOCKS, i * v.bytes), SUMS[i]!, tail);
    loadArgument(asm, TEMP, ARGUMENT.ldBlocks);
    asm.compute("add", BLOCKS, TEMP);
    asm.bind(unwanted);
    asm.computeConstant("sub", LEFT, BLOCK_CLASSES);
    asm.jumpIf("above", block);
    asm.bind(finished);
  }

  /** COUNT ← the classes of the block that begins where LEFT are left. */
  #countBlock(): void {
    const { asm } = this.#v;
    const partial = new Label();
    asm.mov(COUNT, LEFT);
    asm.computeConstant("cmp", LEFT, BLOCK_CLASSES);
    asm.jumpIf("belowOrEqual", partial);
    asm.movConstant(COUNT, BLOCK_CLASSES);
    asm.bind(partial);
  }

  /** Adds the block's logits to `total`, if that is wanted: a pass of its own, for the few losses that ask for it. */
  #addLogits(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const unwanted = new Label();
    loadArgument(asm, TEMP, ARGUMENT.total);
    asm.test(TEMP);
    asm.jumpIf("equal", unwanted);
    this.#address(PLACE, ARGUMENT.total, 2);
    this.#countBlock();
    asm.push(Z);
    asm.push(ADD);
    for (let i = 0; i < vectors; i++) v.zero(SUMS[i]!);
    eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => {
      this.#logits.nextClass();
      for (let i = 0; i < vectors; i++) {
        this.#logits.load(X, place(i * v.bytes), tail);
        v.op("vaddps", SUMS[i]!, SUMS[i]!, X);
      }
    });
    asm.pop(ADD);
    asm.pop(Z);
    for (let i = 0; i < vectors; i++) {
      addToDoubles(v, PLACE, 2 * i * v.bytes, tail, SUMS[i]!, [X, SPARE, SPARE2]);
    }
    asm.bind(unwanted);
  }
}
