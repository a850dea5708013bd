import type { Assembler } from "../../assembler/assembler.js";
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
  RDX,
  RSI,
} from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { addToDoubles } from "../doubles.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachBlock } from "./blocks.js";
import { nonzeroOf } from "./lanes.js";
import { eachForm, type Form, Logits } from "./logits.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip, type PlaceInClass } from "./walks.js";

/** Arguments of the kernels below, the first of them. The stride is in bytes. */
const ARGUMENT = { z: 0, ld: 1, C: 2, R: 3, scale: 4, add: 5, weight: 6, coefficient: 7, loss: 8 } as const;

/** The first argument that is a kernel's own. */
export const OWN_ARGUMENT = 9;

const [Z, ADD, COUNT, WEIGHT, LD, BLOCK, ROWS, AT] = [RSI, RDX, RCX, R8, R9, R10, R11, RBX];
const [CLASSES, DONE, COEFFICIENT, LOSS, TEMP, TEMP2] = [R12, R13, R14, R15, RAX, RBP];

/** Vector registers of a step: it gets Y, logits, and leaves VALUE and SLOPE; the others it may change. */
export const STEP = { Y: 0, VALUE: 1, SPARE: 2, SPARE2: 3, SPARE3: 4, SLOPE: 5 } as const;

const [ADDEND, W] = [3, 3];
const [FACTOR, ON, TOTAL, SCALE] = [6, 7, 8, 9];

/** From it on vector registers are a kernel's own: to 14, or to 31 with AVX-512. */
export const FIRST_OWN = 10;

/** What a kernel makes of a vector of logits. */
export interface ValueStep {
  /** Fills registers of the kernel's own, once. */
  readonly load: () => void;
  /** From the logits Y, the loss VALUE and its derivative SLOPE. */
  readonly step: () => void;
}

/**
 * A kernel that turns each logit of a tile into a value, which is added to the loss of its row, and a slope, which takes its place: value and gradient at
 * once (`TileKernels.logisticTile`, `hingeTile`). Strips of a vector, one block of classes: within it losses are summed in float32, across blocks in
 * float64.
 */
export function generateValueTile(asm: Assembler, set: InstructionSet, stepOf: (v: Vectors) => ValueStep): void {
  const v = new Vectors(asm, set);
  const step = stepOf(v);
  const [weighted, finished] = [new Label(), new Label()];
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    step.load();
    loadArgument(asm, TEMP, ARGUMENT.weight);
    asm.test(TEMP);
    asm.jumpIf("notEqual", weighted);
    for (const hasWeight of [false, true]) {
      if (hasWeight) asm.bind(weighted);
      eachForm(asm, ARGUMENT, TEMP, (form) => new ValueTile(v, step, form, hasWeight).generate());
      if (!hasWeight) asm.jump(finished);
    }
    asm.bind(finished);
  });
}

/** The whole tile, for logits of one form, with weights of the classes or without. */
class ValueTile {
  readonly #v: Vectors;
  readonly #values: ValueStep;
  readonly #logits: Logits;
  readonly #weighted: boolean;

  constructor(v: Vectors, values: ValueStep, form: Form, weighted: boolean) {
    this.#v = v;
    this.#values = values;
    this.#logits = new Logits(v, form, ARGUMENT, SCALE, ADDEND, ADD);
    this.#weighted = weighted;
  }

  generate(): void {
    const v = this.#v;
    this.#logits.loadScale();
    const block = { block: BLOCK, classes: CLASSES, done: DONE, ld: LD, scratch: TEMP };
    eachBlock(v.asm, block, ARGUMENT, () => {
      loadArgument(v.asm, ROWS, ARGUMENT.R);
      v.asm.movConstant(AT, 0);
      const walk = { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 };
      eachStrip(v, walk, [1], (_, tail) => this.#strip(tail));
    });
  }

  #strip(tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const spare = [STEP.Y, STEP.VALUE, STEP.SPARE] as const;
    asm.lea(Z, indexed(BLOCK, AT));
    this.#logits.begin(DONE);
    if (this.#weighted) {
      loadAddress(asm, WEIGHT, ARGUMENT.weight);
      asm.compute("add", WEIGHT, DONE);
    }
    loadAddress(asm, COEFFICIENT, ARGUMENT.coefficient);
    asm.compute("add", COEFFICIENT, AT);
    loadAddress(asm, LOSS, ARGUMENT.loss);
    for (let i = 0; i < 2; i++) asm.compute("add", LOSS, AT);
    v.loadPart(FACTOR, at(COEFFICIENT), tail);
    nonzeroOf(v, ON, FACTOR, spare);
    v.zero(TOTAL);
    asm.mov(COUNT, CLASSES);
    eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => this.#step(place, tail));
    v.op("vandps", TOTAL, TOTAL, ON);
    addToDoubles(v, LOSS, 0, tail, TOTAL, spare);
  }

  #step(place: PlaceInClass, tail: boolean): void {
    const v = this.#v;
    const { Y, VALUE, SLOPE } = STEP;
    this.#logits.nextClass();
    this.#logits.load(Y, place(0), tail);
    this.#values.step();
    v.op("vmulps", SLOPE, SLOPE, FACTOR);
    if (this.#weighted) {
      v.broadcast(W, at(WEIGHT));
      v.asm.computeConstant("add", WEIGHT, 4);
      v.op("vmulps", SLOPE, SLOPE, W);
      v.op("vfmadd231ps", TOTAL, VALUE, W);
    } else {
      v.op("vaddps", TOTAL, TOTAL, VALUE);
    }
    v.op("vandps", SLOPE, SLOPE, ON);
    storeLanes(v, place(0), SLOPE, tail, { count: ROWS, spare: VALUE });
  }
}
