import type { Assembler } from "../../assembler/assembler.js";
import { argument, argumentNumbers } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import type { PhiloxWords } from "./philox.js";
import { DRAWN_WORDS, writeDrawn } from "./turn.js";
import { cutWords, FACTOR, floorsOfUniforms, halfOfUniforms, REGISTERS, ULP } from "./uniforms.js";

/** Of `uniformIds` also range·ULP, a float64. */
export const UNIFORM_PAIRS = argumentNumbers(DRAWN_WORDS);
export const UNIFORM_IDS = argumentNumbers(["factor", "factorHigh", ...DRAWN_WORDS]);

/** `DrawKernels.uniformPairs`. A turn makes as many pairs as there are lanes, which are four vectors of float64. */
export function generateUniformPairs(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => writeDrawn(v, UNIFORM_PAIRS, pairedBlocks(v.lanes), (draw) => vectorsOfPairs(v, draw("all"))), []);
}

/** `DrawKernels.uniformIds`. A turn makes one vector. */
export function generateUniformIds(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    v.op("vbroadcastsd", FACTOR, -1, argument(UNIFORM_IDS.factor));
    writeDrawn(
      v,
      UNIFORM_IDS,
      (lane) => lane,
      (draw) => {
        const { words, free } = draw("first");
        const [ids, ...rest] = free as [number, number, number];
        floorsOfUniforms(v, ids, [words[0], words[1]], rest);
        return [ids];
      },
    );
  }, []);
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
