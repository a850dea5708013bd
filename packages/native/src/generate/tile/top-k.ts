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
  RSP,
} from "../../assembler/operands.js";
import { loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { eachForm, type Form, Logits } from "./logits.js";
import { FRAME, type Lists, offerLogits } from "./offer.js";
import { eachStrip } from "./walks.js";

const ARGUMENT = {
  values: 0,
  ids: 1,
  k: 2,
  z: 3,
  ld: 4,
  C: 5,
  R: 6,
  scale: 7,
  add: 8,
  floor: 9,
  firstId: 10,
  idStep: 11,
} as const;

/** Classes whose greatest logits meet the bounds together: most are far below them. */
const GROUP = 8;

const [Z, ADD, COUNT, ID, LD, ROWS, AT, GROUP_START] = [RSI, RDX, RCX, R8, R9, R10, R11, R12];
/** Classes of a group that are to be looked at one by one. */
const CAREFUL = GROUP_START;
const LISTS: Lists = { bytes: R13, idDistance: R14, at: AT, id: ID, bits: R15 };
const [LIST, TEMP, TEMP2] = [RBX, RAX, RBP];

/** Vector registers; of BEST and BOUNDS each vector of a strip has its own. */
const [X, SPARE, ADDEND, SCALE, NOTHING] = [0, 1, 2, 3, 4];
const BEST = [5, 6] as const;
const BOUNDS = [7, 8] as const;

/** Offers a tile's logits to each row's list of its k best classes (`TileKernels.topK`), k > 0. The stride is in bytes. */
export function generateTopK(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    asm.computeConstant("sub", RSP, FRAME.bytes);
    loadArgument(asm, LISTS.bytes, ARGUMENT.k);
    asm.shiftLeft(LISTS.bytes, 2);
    loadAddress(asm, TEMP, ARGUMENT.values);
    asm.store(at(RSP, FRAME.values), TEMP);
    loadAddress(asm, LISTS.idDistance, ARGUMENT.ids);
    asm.compute("sub", LISTS.idDistance, TEMP);
    loadArgument(asm, LD, ARGUMENT.ld);
    loadArgument(asm, ROWS, ARGUMENT.R);
    asm.movConstant(AT, 0);
    v.constant(NOTHING, -Infinity);
    eachForm(asm, ARGUMENT, TEMP, (form) => {
      const strip = new Strip(v, form);
      const walk = { left: ROWS, at: AT, scratch: TEMP, scratch2: TEMP2 };
      eachStrip(v, walk, set === "avx512" ? [1] : [2, 1], (vectors, tail) => strip.generate(vectors, tail));
    });
    asm.computeConstant("add", RSP, FRAME.bytes);
  });
}

/** The work on one strip of rows, for logits of one form. */
class Strip {
  readonly #v: Vectors;
  readonly #logits: Logits;

  constructor(v: Vectors, form: Form) {
    this.#v = v;
    this.#logits = new Logits(v, form, ARGUMENT, SCALE, ADDEND, ADD);
    this.#logits.loadScale();
  }

  generate(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const [group, rest, careful] = [new Label(), new Label(), new Label()];
    this.#findBounds(vectors, tail);
    loadAddress(asm, Z, ARGUMENT.z);
    asm.compute("add", Z, AT);
    this.#logits.begin();
    loadArgument(asm, COUNT, ARGUMENT.C);
    loadArgument(asm, ID, ARGUMENT.firstId);

    asm.align(32);
    asm.bind(group);
    asm.computeConstant("cmp", COUNT, GROUP);
    asm.jumpIf("below", rest);
    this.#scanGroup(vectors, tail);
    asm.computeConstant("sub", COUNT, GROUP);
    asm.test(TEMP);
    asm.jumpIf("notEqual", careful);
    loadArgument(asm, TEMP, ARGUMENT.idStep);
    asm.lea(ID, indexed(ID, TEMP, GROUP));
    asm.jump(group);

    asm.bind(careful);
    asm.mov(Z, GROUP_START);
    if (this.#logits.form === "added") asm.computeConstant("sub", ADD, 4 * GROUP);
    asm.movConstant(CAREFUL, GROUP);
    const one = asm.here();
    this.#offerClass(vectors, tail);
    asm.computeConstant("sub", CAREFUL, 1);
    asm.jumpIf("notEqual", one);
    asm.jump(group);

    asm.bind(rest);
    asm.mov(CAREFUL, COUNT);
    asm.movConstant(COUNT, 0);
    asm.test(CAREFUL);
    asm.jumpIf("notEqual", one);
    this.#raiseFloors(vectors, tail);
  }

  /** TEMP ← 0 unless a logit of the next GROUP classes reaches its row's bound. Z and ADD stand behind them then, GROUP_START where Z was. */
  #scanGroup(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    asm.mov(GROUP_START, Z);
    for (let c = 0; c < GROUP; c++) {
      this.#logits.nextClass();
      for (let i = 0; i < vectors; i++) {
        const displacement = i * v.bytes;
        this.#logits.load(X, c % 2 === 0 ? at(Z, displacement) : indexed(Z, LD, 1, displacement), tail);
        // Of a NaN and another number the maximum is its second operand.
        v.op("vmaxps", BEST[i]!, X, c === 0 ? NOTHING : BEST[i]!);
      }
      if (c % 2 === 1) asm.lea(Z, indexed(Z, LD, 2));
    }
    v.compareBits(TEMP, "greaterOrEqual", BEST[0], BOUNDS[0], SPARE, tail);
    if (vectors === 1) return;
    v.compareBits(TEMP2, "greaterOrEqual", BEST[1], BOUNDS[1], SPARE, tail);
    asm.compute("or", TEMP, TEMP2);
  }

  /** Offers the logits of the class at Z that reach their bounds, and goes on to the next class. */
  #offerClass(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    this.#logits.nextClass();
    for (let i = 0; i < vectors; i++) {
      const none = new Label();
      this.#logits.load(X, at(Z, i * v.bytes), tail);
      v.compareBits(LISTS.bits, "greaterOrEqual", X, BOUNDS[i]!, SPARE, tail);
      asm.test(LISTS.bits);
      asm.jumpIf("equal", none);
      v.store(at(RSP, FRAME.logits), X);
      offerLogits(v, LISTS, i * v.lanes);
      v.load(BOUNDS[i]!, at(RSP, FRAME.bounds + i * v.bytes));
      asm.bind(none);
    }
    asm.compute("add", Z, LD);
    loadArgument(asm, TEMP, ARGUMENT.idStep);
    asm.compute("add", ID, TEMP);
  }

  /** Writes floors and bounds of the strip's rows to the stack, the bounds to BOUNDS too. */
  #findBounds(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    asm.mov(LIST, AT);
    asm.shiftRight(LIST, 2);
    asm.imul(LIST, LISTS.bytes);
    asm.compute("add", LIST, at(RSP, FRAME.values));
    asm.movConstant(COUNT, vectors * v.lanes);
    if (tail) {
      v.broadcast(X, asm.bits(0xffffffff));
      v.store(at(RSP, FRAME.bounds), X);
      asm.mov(COUNT, ROWS);
    }
    asm.movConstant(TEMP, 0);
    const row = asm.here();
    asm.vex("vmovss", 16, X, -1, indexed(LIST, LISTS.bytes, 1, -4));
    asm.vex("vmovssStore", 16, X, -1, indexed(RSP, TEMP, 4, FRAME.bounds));
    asm.compute("add", LIST, LISTS.bytes);
    asm.computeConstant("add", TEMP, 1);
    asm.compute("cmp", TEMP, COUNT);
    asm.jumpIf("notEqual", row);
    this.#loadFloors(vectors, tail);
    for (let i = 0; i < vectors; i++) {
      v.load(BOUNDS[i]!, at(RSP, FRAME.bounds + i * v.bytes));
      // The second operand is what stays of a NaN, and a lane that is not ours has one.
      v.op("vmaxps", BOUNDS[i]!, BEST[i]!, BOUNDS[i]!);
      v.store(at(RSP, FRAME.bounds + i * v.bytes), BOUNDS[i]!);
    }
  }

  /** BEST and the stack ← the floors of the strip's rows, −∞ where there are none. */
  #loadFloors(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const absent = new Label();
    for (let i = 0; i < vectors; i++) v.move(BEST[i]!, NOTHING);
    loadArgument(asm, TEMP, ARGUMENT.floor);
    asm.test(TEMP);
    asm.jumpIf("equal", absent);
    loadAddress(asm, TEMP, ARGUMENT.floor);
    asm.compute("add", TEMP, AT);
    for (let i = 0; i < vectors; i++) v.loadPart(BEST[i]!, at(TEMP, i * v.bytes), tail);
    asm.bind(absent);
    for (let i = 0; i < vectors; i++) v.store(at(RSP, FRAME.floors + i * v.bytes), BEST[i]!);
  }

  /** Floors that are below the bounds rise to them. They are read again: another thread may have raised them. */
  #raiseFloors(vectors: number, tail: boolean): void {
    const v = this.#v;
    const { asm } = v;
    const absent = new Label();
    loadArgument(asm, TEMP, ARGUMENT.floor);
    asm.test(TEMP);
    asm.jumpIf("equal", absent);
    loadAddress(asm, TEMP, ARGUMENT.floor);
    asm.compute("add", TEMP, AT);
    for (let i = 0; i < vectors; i++) {
      v.loadPart(X, at(TEMP, i * v.bytes), tail);
      v.op("vmaxps", X, BOUNDS[i]!, X);
      v.storePart(at(TEMP, i * v.bytes), X, tail);
    }
    asm.bind(absent);
  }
}
