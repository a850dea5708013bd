import type { Assembler } from "../../assembler/assembler.js";
import { at, Label, type Memory, type Register } from "../../assembler/operands.js";
import { argument, loadAddress, loadArgument } from "../arguments.js";
import type { Vectors } from "../vectors.js";

/** How a logit comes from what stands in the tile: z itself, scale·z, or scale·z + add of its class, rounded once. */
export type Form = "plain" | "scaled" | "added";

const ONE = 0x3f800000;

/** Where a kernel's arguments `scale` and `add` are. */
export interface LogitArguments {
  readonly scale: number;
  readonly add: number;
}

/** Writes `body` for each form and, before them, the choice among them by the arguments. Changes `scratch`. */
export function eachForm(asm: Assembler, args: LogitArguments, scratch: Register, body: (form: Form) => void): void {
  const [added, plain, done] = [new Label(), new Label(), new Label()];
  loadArgument(asm, scratch, args.add);
  asm.test(scratch);
  asm.jumpIf("notEqual", added);
  loadArgument(asm, scratch, args.scale);
  asm.computeConstant("cmp", scratch, ONE);
  asm.jumpIf("equal", plain);
  body("scaled");
  asm.jump(done);
  asm.bind(plain);
  body("plain");
  asm.jump(done);
  asm.bind(added);
  body("added");
  asm.bind(done);
}

/** Logits of one form, class by class. */
export class Logits {
  readonly form: Form;
  readonly #v: Vectors;
  readonly #args: LogitArguments;
  readonly #scale: number;
  readonly #add: number;
  readonly #addAt: Register;

  /** `scale` and `add` are vector registers, for all lanes; `addAt` walks along the classes' add. */
  constructor(v: Vectors, form: Form, args: LogitArguments, scale: number, add: number, addAt: Register) {
    this.form = form;
    this.#v = v;
    this.#args = args;
    this.#scale = scale;
    this.#add = add;
    this.#addAt = addAt;
  }

  loadScale(): void {
    if (this.form !== "plain") this.#v.broadcast(this.#scale, argument(this.#args.scale));
  }

  /** To the first class, or to the one that `before` stands for: 4 times the classes before it. */
  begin(before?: Register): void {
    if (this.form !== "added") return;
    loadAddress(this.#v.asm, this.#addAt, this.#args.add);
    if (before !== undefined) this.#v.asm.compute("add", this.#addAt, before);
  }

  /** The next class. Before its logits are loaded. */
  nextClass(): void {
    if (this.form !== "added") return;
    this.#v.broadcast(this.#add, at(this.#addAt));
    this.#v.asm.computeConstant("add", this.#addAt, 4);
  }

  /** x ← the logits of the class at hand that stand at `place`. Lanes beyond a tail are finite, or what `add` is. */
  load(x: number, place: Memory, tail: boolean): void {
    const v = this.#v;
    if (this.form === "scaled" && !tail) {
      v.op("vmulps", x, this.#scale, place);
      return;
    }
    v.loadPart(x, place, tail);
    if (this.form === "scaled") v.op("vmulps", x, x, this.#scale);
    if (this.form === "added") v.op("vfmadd213ps", x, this.#scale, this.#add);
  }
}
