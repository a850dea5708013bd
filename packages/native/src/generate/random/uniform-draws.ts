import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, R8, RAX, RCX } from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress } from "../arguments.js";
import { framed } from "../frame.js";
import { setRowTail } from "../rows/walk.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { ADDRESS_WORDS, type PhiloxWords, philoxOf, setOddLanes } from "./philox.js";
import { nextVector } from "./turn.js";
import { BLOCKS, cutWords, FACTOR, floorsOfUniforms, halfOfUniforms, REGISTERS, ULP } from "./uniforms.js";

/** Bytes to be written; of `uniformIds` also range·ULP, a float64. */
export const UNIFORM_PAIRS = argumentNumbers(["out", "width", "first", ...ADDRESS_WORDS]);
export const UNIFORM_IDS = argumentNumbers(["factor", "factorHigh", "out", "width", "first", ...ADDRESS_WORDS]);

type Numbers = typeof UNIFORM_PAIRS;

const [OUT, OFFSET, LEFT] = [R8, RAX, RCX];

/** `DrawKernels.uniformPairs`. A turn makes as many pairs as there are lanes, which are four vectors of float64. */
export function generateUniformPairs(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => writeTurns(v, UNIFORM_PAIRS, pairedBlocks(v.lanes), (words) => vectorsOfPairs(v, words)), []);
}

/** `DrawKernels.uniformIds`. A turn makes one vector. */
export function generateUniformIds(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    v.op("vbroadcastsd", FACTOR, -1, argument(UNIFORM_IDS.factor));
    writeTurns(
      v,
      UNIFORM_IDS,
      (lane) => lane,
      ({ words, free }) => {
        const [ids, ...rest] = free as [number, number, number];
        floorsOfUniforms(v, ids, [words[0], words[1]], rest);
        return [ids];
      },
    );
  }, []);
}

/** Writes what `make` makes of the words of blocks, one vector after the other; lane l of a turn has block number `blockOfLane(l)` of it. */
function writeTurns(
  v: Vectors,
  numbers: Numbers,
  blockOfLane: (lane: number) => number,
  make: (words: PhiloxWords) => readonly number[],
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
  const outputs = make(philoxOf(v, REGISTERS, BLOCKS, numbers));
  for (const [j, output] of outputs.entries()) {
    const place = indexed(OUT, OFFSET, 1, j * bytes);
    nextVector(v, LEFT, end, (tail) => v.storePart(place, output, tail));
  }
  v.op("vpaddd", BLOCKS, BLOCKS, v.wordInMemory(lanes));
  asm.computeConstant("add", OFFSET, outputs.length * bytes);
  asm.test(LEFT);
  asm.jumpIf("notEqual", turn);
  asm.bind(end);
}

/** Both uniforms of all lanes as pairs, in the order of `pairedBlocks`. */
function vectorsOfPairs(v: Vectors, { words: [x0, x1, x2, x3], free }: PhiloxWords): readonly number[] {
  const [a, b, c] = free as [number, number, number];
  const [first, second] = [
    [x0, x1],
    [x2, x3],
  ] as const;
  // Keys are free behind the last round.
  const [d] = REGISTERS.key;
  const ulp = v.doubleInMemory(ULP);
  cutWords(v, first);
  cutWords(v, second);
  halfOfUniforms(v, 0, a, first, c, ulp);
  halfOfUniforms(v, 0, b, second, c, ulp);
  v.op("vunpcklpd", d, a, b);
  v.op("vunpckhpd", a, a, b);
  halfOfUniforms(v, 1, b, first, c, ulp);
  halfOfUniforms(v, 1, x0, second, c, ulp);
  v.op("vunpcklpd", c, b, x0);
  v.op("vunpckhpd", x0, b, x0);
  return [d, a, c, x0];
}

/** Blocks of lanes so that interleaving within 128 bits puts pairs in order: of each half the even lanes, then the odd ones. */
function pairedBlocks(lanes: number): (lane: number) => number {
  const half = lanes / 2;
  return (lane) => half * Math.floor(lane / half) + (half / 2) * (lane % 2) + Math.floor((lane % half) / 2);
}
