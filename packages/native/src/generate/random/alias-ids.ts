import type { Assembler } from "../../assembler/assembler.js";
import {
  at,
  indexed,
  Label,
  type Memory,
  R8,
  R9,
  R10,
  R11,
  RAX,
  RBP,
  RBX,
  RCX,
  RDX,
  RSI,
} from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";
import { ADDRESS_WORDS, philoxOf, setOddLanes } from "./philox.js";
import { BLOCKS, cutWords, FACTOR, floorsOfUniforms, halfOfUniforms, REGISTERS, ULP } from "./uniforms.js";

/** `factor` is n·ULP, a float64. */
export const ALIAS_IDS = argumentNumbers([
  "factor",
  "factorHigh",
  "ids",
  "count",
  "table",
  "scratch",
  "first",
  ...ADDRESS_WORDS,
]);

/** Where what stands in a record, of 24 bytes. */
const [THRESHOLD, ALIAS] = [0, 16];

/** Draws whose records are asked for together: walks of page tables overlap where nothing else stands between them. */
const GROUP = 32;

/**
 * Two groups: while the records of one come, the next one is made. Of each draw the scratch holds its second uniform and, behind those of all
 * others, its column.
 */
const SLOTS = 2 * GROUP;
const COLUMNS = 8 * SLOTS;
export const ALIAS_SCRATCH_BYTES = COLUMNS + 4 * SLOTS;

const [IDS, TABLE, SCRATCH, COUNT, MADE, DONE, LIMIT] = [R8, R9, R10, R11, RSI, RBX, RBP];
const [SLOT, RECORD, WORD] = [RDX, RCX, RAX];

/** `DrawKernels.aliasIds`: columns and second uniforms in vectors, a group ahead, and without a branch on how a draw ends. */
export function generateAliasIds(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    const end = new Label();
    setOddLanes(v);
    v.op("vbroadcastsd", FACTOR, -1, argument(ALIAS_IDS.factor));
    v.broadcast(BLOCKS, argument(ALIAS_IDS.first));
    v.op(
      "vpaddd",
      BLOCKS,
      BLOCKS,
      v.words((lane) => lane),
    );
    loadAddress(asm, IDS, ALIAS_IDS.ids);
    loadAddress(asm, TABLE, ALIAS_IDS.table);
    loadAddress(asm, SCRATCH, ALIAS_IDS.scratch);
    loadArgument(asm, COUNT, ALIAS_IDS.count);
    asm.movConstant(MADE, 0);
    asm.movConstant(DONE, 0);
    asm.test(COUNT);
    asm.jumpIf("equal", end);
    const [turn, made] = [asm.here(), new Label()];
    asm.compute("cmp", MADE, COUNT);
    asm.jumpIf("aboveOrEqual", made);
    makeGroup(v);
    askForGroup(asm);
    asm.computeConstant("add", MADE, GROUP);
    // Behind the first group the second is made at once.
    asm.computeConstant("cmp", MADE, GROUP);
    asm.jumpIf("equal", turn);
    asm.bind(made);
    choose(asm);
    asm.compute("cmp", DONE, COUNT);
    asm.jumpIf("below", turn);
    asm.bind(end);
  }, [RBX, RBP]);
}

/** Columns and second uniforms of a whole group, also where fewer draws are left: scratch has room for them. */
function makeGroup(v: Vectors): void {
  const { asm, lanes, bytes } = v;
  asm.mov(SLOT, MADE);
  asm.computeConstant("and", SLOT, SLOTS - 1);
  asm.align(32);
  const again = asm.here();
  const { words, free } = philoxOf(v, REGISTERS, BLOCKS, ALIAS_IDS);
  const [a, b, c] = free as [number, number, number];
  const second = [words[2], words[3]] as const;
  cutWords(v, second);
  for (const half of [0, 1] as const) {
    halfOfUniforms(v, half, a, second, b, v.doubleInMemory(ULP));
    v.store(indexed(SCRATCH, SLOT, 8, half * bytes), a);
  }
  floorsOfUniforms(v, a, [words[0], words[1]], [b, c]);
  v.store(indexed(SCRATCH, SLOT, 4, COLUMNS), a);
  v.op("vpaddd", BLOCKS, BLOCKS, v.wordInMemory(lanes));
  asm.computeConstant("add", SLOT, lanes);
  whileInGroup(asm, again);
}

/** Asks for both ends of the records of the group that ends at SLOT: a record may lie across two lines. */
function askForGroup(asm: Assembler): void {
  asm.computeConstant("sub", SLOT, GROUP);
  const again = asm.here();
  const unroll = 4;
  for (let i = 0; i < unroll; i++) {
    asm.mov32(RECORD, indexed(SCRATCH, SLOT, 4, COLUMNS + 4 * i));
    asm.lea(RECORD, indexed(RECORD, RECORD, 2));
    for (const place of [THRESHOLD, ALIAS]) asm.prefetch(1, inRecord(place));
  }
  asm.computeConstant("add", SLOT, unroll);
  whileInGroup(asm, again);
}

/** Goes back until SLOT has come to the end of a group. */
function whileInGroup(asm: Assembler, again: Label): void {
  asm.mov(WORD, SLOT);
  asm.computeConstant("and", WORD, GROUP - 1);
  asm.jumpIf("notEqual", again);
}

/** Writes the ids of a group, or of what there is of it: the column where the second uniform is below its threshold, or else its alias. */
function choose(asm: Assembler): void {
  asm.lea(LIMIT, at(DONE, GROUP));
  asm.compute("cmp", LIMIT, COUNT);
  asm.moveIf("above", LIMIT, COUNT);
  asm.mov(SLOT, DONE);
  asm.computeConstant("and", SLOT, SLOTS - 1);
  asm.align(32);
  const again = asm.here();
  asm.mov32(WORD, indexed(SCRATCH, SLOT, 4, COLUMNS));
  asm.lea(RECORD, indexed(WORD, WORD, 2));
  asm.vex("vmovsd", 16, 0, -1, indexed(SCRATCH, SLOT, 8));
  asm.vex("vucomisd", 16, 0, -1, inRecord(THRESHOLD));
  asm.moveIf("aboveOrEqual", WORD, inRecord(ALIAS));
  asm.store32(indexed(IDS, DONE, 4), WORD);
  asm.computeConstant("add", SLOT, 1);
  asm.computeConstant("add", DONE, 1);
  asm.compute("cmp", DONE, LIMIT);
  asm.jumpIf("below", again);
}

/** What stands in a record, of whose class RECORD has three times the number. */
function inRecord(place: number): Memory {
  return indexed(TABLE, RECORD, 8, place);
}
