import { at, Label } from "../../assembler/operands.js";
import { loadAddress } from "../arguments.js";
import { changeDoubles, widenHalf } from "../doubles.js";
import type { Vectors } from "../vectors.js";
import type { Exponential } from "./exponential.js";
import {
  ARGUMENT,
  AT,
  BEST,
  MOVED,
  PLACE,
  REFERENCE,
  SHIFT,
  SPARE,
  SPARE2,
  SUM,
  TEMP,
  TEMP2,
  X,
} from "./exponentials-layout.js";
import { finiteOf } from "./lanes.js";

/** How far above its reference a logit may be: e^32 and sums of it are far from overflow, and a reference that fits moves seldom. */
const HEADROOM = 32;

/** Writes the decays, and where a logit is too far above its reference the reference and the sum that it is for. */
export function keepReferences(v: Vectors, exponential: Exponential, vectors: number, tail: boolean): void {
  const { asm } = v;
  const kept = new Label();
  loadAddress(asm, PLACE, ARGUMENT.decay);
  asm.compute("add", PLACE, AT);
  v.constant(SHIFT[0], 1);
  for (let i = 0; i < vectors; i++) v.storePart(at(PLACE, i * v.bytes), SHIFT[0], tail);
  for (let i = 0; i < vectors; i++) {
    const bits = [TEMP, TEMP2][i]!;
    v.loadPart(X, at(REFERENCE, i * v.bytes), tail);
    v.constant(SPARE, HEADROOM);
    v.op("vaddps", X, X, SPARE);
    v.compareBits(bits, "greater", BEST[0][i]!, X, SPARE2, tail);
    asm.popcnt(bits, bits);
  }
  if (vectors === 2) asm.compute("add", TEMP, TEMP2);
  asm.test(TEMP);
  asm.jumpIf("equal", kept);
  asm.compute("add", MOVED, TEMP);
  for (let i = 0; i < vectors; i++) moveReferences(v, exponential, i, tail);
  asm.bind(kept);
}

/** For vector i of the strip, of which some reference moves: each goes to its row's greatest logit. */
function moveReferences(v: Vectors, exponential: Exponential, i: number, tail: boolean): void {
  const best = BEST[0][i]!;
  const [old, raised] = [SHIFT[0], SHIFT[1]];
  v.loadPart(old, at(REFERENCE, i * v.bytes), tail);
  v.constant(SPARE, HEADROOM);
  v.op("vaddps", raised, old, SPARE);
  v.move(X, old);
  v.whereMove("greater", X, best, best, raised, SPARE);
  v.storePart(at(REFERENCE, i * v.bytes), X, tail);
  v.op("vsubps", old, old, X);
  exponential.apply(old, SPARE, SPARE2, true);
  // BEST and `raised` are as they were, and tell once more which rows have moved.
  v.constant(X, 1);
  v.whereMove("greater", X, old, best, raised, SPARE);
  v.storePart(at(PLACE, i * v.bytes), X, tail);
  changeDoubles(v, SUM, 2 * i * v.bytes, tail, SPARE, SPARE2, (half, doubles) => {
    widenHalf(v, half, SHIFT[0], X);
    v.op("vmulpd", doubles, doubles, SHIFT[0]);
  });
}

/** SHIFT ← what to take from each logit of vector i of the strip. */
export function loadShift(v: Vectors, i: number, tail: boolean): void {
  v.loadPart(SHIFT[i]!, at(REFERENCE, i * v.bytes), tail);
  finiteOf(v, SHIFT[i]!, [X, SPARE, SPARE2]);
}
