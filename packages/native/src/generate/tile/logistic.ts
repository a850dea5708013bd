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
import { Exponential } from "./exponential.js";
import { nonzeroOf } from "./lanes.js";
import { addLog1p } from "./logarithm.js";
import { eachForm, type Form, Logits } from "./logits.js";
import { storeLanes } from "./tails.js";
import { eachClass, eachStrip, type PlaceInClass } from "./walks.js";

const ARGUMENT = { z: 0, ld: 1, C: 2, R: 3, scale: 4, add: 5, weight: 6, coefficient: 7, loss: 8 } as const;

const [Z, ADD, COUNT, WEIGHT, LD, BLOCK, ROWS, AT] = [RSI, RDX, RCX, R8, R9, R10, R11, RBX];
const [CLASSES, DONE, COEFFICIENT, LOSS, TEMP, TEMP2] = [R12, R13, R14, R15, RAX, RBP];

/** Vector registers. */
const [Y, SPARE, SPARE2, ADDEND, E, SIGMOID, W] = [0, 1, 2, 3, 4, 5, 3];
const [FACTOR, ON, TOTAL, SCALE, FIRST_CONSTANT] = [6, 7, 8, 9, 10];

/**
 * The logistic losses, value and gradient at once (`TileKernels.logisticTile`). Strips of a vector, one block of classes: within it losses are
 * summed in float32, across blocks in float64. The stride is in bytes.
 */
export function generateLogisticTile(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  const last = set === "avx512" ? 31 : 14;
  const registers = Array.from({ length: last + 1 - FIRST_CONSTANT }, (_, i) => FIRST_CONSTANT + i);
  const exponential = new Exponential(v, registers);
  const [weighted, finished] = [new Label(), new Label()];
  framed(asm, () => {
    loadArgument(asm, LD, ARGUMENT.ld);
    exponential.loadConstants();
    loadArgument(asm, TEMP, ARGUMENT.weight);
    asm.test(TEMP);
    asm.jumpIf("notEqual", weighted);
    for (const hasWeight of [false, true]) {
      if (hasWeight) asm.bind(weighted);
      eachForm(asm, ARGUMENT, TEMP, (form) => new LogisticTile(v, exponential, form, hasWeight).generate());
      if (!hasWeight) asm.jump(finished);
    }
    asm.bind(finished);
  });
}

/** The whole tile, for logits of one form, with weights of the classes or without. */
class LogisticTile {
  readonly #v: Vectors;
  readonly #exponential: Exponential;
  readonly #logits: Logits;
  readonly #weighted: boolean;

  constructor(v: Vectors, exponential: Exponential, form: Form, weighted: boolean) {
    this.#v = v;
    this.#exponential = exponential;
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
    nonzeroOf(v, ON, FACTOR, [Y, SPARE, SPARE2]);
    v.zero(TOTAL);
    asm.mov(COUNT, CLASSES);
    eachClass(asm, { left: COUNT, at: Z, ld: LD }, (place) => this.#step(place, tail));
    v.op("vandps", TOTAL, TOTAL, ON);
    addToDoubles(v, LOSS, 0, tail, TOTAL, [Y, SPARE, SPARE2]);
  }

  #step(place: PlaceInClass, tail: boolean): void {
    const v = this.#v;
    this.#logits.nextClass();
    this.#logits.load(Y, place(0), tail);
    v.op("vorps", E, Y, v.inMemory(-0));
    this.#exponential.apply(E, SPARE, SPARE2, true);
    // σ(y) = 1 or e^y over 1 + e^−|y|
    v.zero(SPARE);
    v.load(SIGMOID, v.inMemory(1));
    v.op("vaddps", W, SIGMOID, E);
    v.whereMove("less", SIGMOID, E, Y, SPARE, SPARE2);
    v.op("vdivps", SIGMOID, SIGMOID, W);
    // softplus(y) = max(y, 0) + log(1 + e^−|y|); the maximum of 0 and NaN is NaN.
    v.op("vmaxps", Y, SPARE, Y);
    addLog1p(v, SPARE, Y, E, [SPARE2, W]);
    v.op("vmulps", SIGMOID, SIGMOID, FACTOR);
    if (this.#weighted) {
      v.broadcast(W, at(WEIGHT));
      v.asm.computeConstant("add", WEIGHT, 4);
      v.op("vmulps", SIGMOID, SIGMOID, W);
      v.op("vfmadd231ps", TOTAL, SPARE, W);
    } else {
      v.op("vaddps", TOTAL, TOTAL, SPARE);
    }
    v.op("vandps", SIGMOID, SIGMOID, ON);
    storeLanes(v, place(0), SIGMOID, tail, { count: ROWS, spare: SPARE });
  }
}
