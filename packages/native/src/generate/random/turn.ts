import { indexed, Label, R8, RAX, RCX, type Register } from "../../assembler/operands.js";
import { argument, loadAddress } from "../arguments.js";
import { setRowTail } from "../rows/walk.js";
import type { Vectors } from "../vectors.js";
import { ADDRESS_WORDS, type PhiloxWords, philoxOf, setOddLanes, type Wanted } from "./philox.js";
import { BLOCKS, REGISTERS } from "./uniforms.js";

/** Arguments of a generator that writes what it draws: bytes to be written, and the number of the first block. */
export const DRAWN_WORDS = ["out", "width", "first", ...ADDRESS_WORDS] as const;

type Numbers = Readonly<Record<(typeof DRAWN_WORDS)[number], number>>;

const [OUT, OFFSET, LEFT] = [R8, RAX, RCX];

/** Draws the next blocks, as many as there are lanes. */
export type Draw = (wanted: Wanted) => PhiloxWords;

/**
 * Writes what `make` makes of blocks, one vector after the other, `make` being one turn. It draws as often as it likes; lane l has block number
 * `blockOfLane(l)` of those that are drawn together.
 */
export function writeDrawn(
  v: Vectors,
  numbers: Numbers,
  blockOfLane: (lane: number) => number,
  make: (draw: Draw) => readonly number[],
): void {
  const { asm, lanes, bytes } = v;
  const end = new Label();
  setRowTail(v, argument(numbers.width), RAX, RCX);
  setOddLanes(v);
  v.broadcast(BLOCKS, argument(numbers.first));
  v.op("vpaddd", BLOCKS, BLOCKS, v.words(blockOfLane));
  loadAddress(asm, OUT, numbers.out);
  asm.movConstant(OFFSET, 0);
  asm.mov32(LEFT, argument(numbers.width));
  asm.test(LEFT);
  asm.jumpIf("equal", end);
  asm.align(32);
  const turn = asm.here();
  const outputs = make((wanted) => {
    const drawn = philoxOf(v, REGISTERS, BLOCKS, numbers, wanted);
    v.op("vpaddd", BLOCKS, BLOCKS, v.wordInMemory(lanes));
    return drawn;
  });
  for (const [j, output] of outputs.entries()) {
    const place = indexed(OUT, OFFSET, 1, j * bytes);
    nextVector(v, LEFT, end, (tail) => v.storePart(place, output, tail));
  }
  asm.computeConstant("add", OFFSET, outputs.length * bytes);
  asm.test(LEFT);
  asm.jumpIf("notEqual", turn);
  asm.bind(end);
}

/**
 * Does `part` to a whole vector and takes its bytes off `left`; or to the tail, which has been set, or to nothing, and goes to `end`. A turn of
 * a generator makes several vectors, of which the last turn may want fewer.
 */
export function nextVector(v: Vectors, left: Register, end: Label, part: (tail: boolean) => void): void {
  const { asm, bytes } = v;
  const whole = new Label();
  asm.computeConstant("cmp", left, bytes);
  asm.jumpIf("aboveOrEqual", whole);
  asm.test(left);
  asm.jumpIf("equal", end);
  part(true);
  asm.jump(end);
  asm.bind(whole);
  part(false);
  asm.computeConstant("sub", left, bytes);
}
