import type { Assembler } from "../../assembler/assembler.js";
import { indexed, Label, R8, R9, R10, RAX, RBP, RBX, RCX, RDX, RSI, RSP } from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";

const ROUND_KEYS = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"] as const;

/** `last` is size − 1, `mask` has halfBits ones. */
export const PERMUTED = argumentNumbers(["out", "count", "last", "halfBits", "mask", "first", ...ROUND_KEYS]);

/** The finaliser of MurmurHash3, as in @logq/core. */
const SHIFTS = [16, 13, 16] as const;
const MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35] as const;

/** Walks at a time: they stand on the stack, first where each one is, then its position in `out`, int32. */
const WALKS = 512;
const POSITIONS = 4 * WALKS;

const [OUT, COUNT, LAST] = [R8, R9, R10];
const [UNDERWAY, LEFT, WALK] = [RBX, RSI, RAX];
const [VALUE, POSITION] = [RCX, RDX];

/** Vector registers. */
const [HIGH, LOW, MIXED, SHIFTED, HALF_BITS, MASK] = [0, 1, 2, 3, 4, 5];
const KEYS = 6;

/**
 * `DrawKernels.permuted`: all walks that are under way take a step, in vectors; then those that came back into range are done, without a branch on
 * which those are, and the others move together.
 */
export function generatePermuted(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    const end = new Label();
    asm.mov(RBP, RSP);
    asm.computeConstant("sub", RSP, 2 * POSITIONS);
    asm.computeConstant("and", RSP, -v.bytes);
    v.broadcast(HALF_BITS, argument(PERMUTED.halfBits));
    v.broadcast(MASK, argument(PERMUTED.mask));
    for (const [i, name] of ROUND_KEYS.entries()) v.broadcast(KEYS + i, argument(PERMUTED[name]));
    loadAddress(asm, OUT, PERMUTED.out);
    loadArgument(asm, COUNT, PERMUTED.count);
    loadArgument(asm, LAST, PERMUTED.last);
    asm.test(COUNT);
    asm.jumpIf("equal", end);
    const some = asm.here();
    beginWalks(v);
    const turn = asm.here();
    stepWalks(v);
    settleWalks(asm);
    asm.jumpIf("notEqual", turn);
    asm.computeConstant("add", OUT, 4 * WALKS);
    loadArgument(asm, WALK, PERMUTED.first);
    asm.computeConstant("add", WALK, WALKS);
    asm.store32(argument(PERMUTED.first), WALK);
    asm.computeConstant("sub", COUNT, WALKS);
    asm.jumpIf("above", some);
    asm.bind(end);
    asm.mov(RSP, RBP);
  }, [RBX, RBP]);
}

/** The first walks of those that are left, up to WALKS, each at its own position. */
function beginWalks(v: Vectors): void {
  const { asm, lanes } = v;
  asm.movConstant(UNDERWAY, WALKS);
  asm.compute("cmp", COUNT, UNDERWAY);
  asm.moveIf("below", UNDERWAY, COUNT);
  const [positions, values] = [LOW, HIGH];
  v.load(
    positions,
    v.words((lane) => lane),
  );
  v.broadcast(values, argument(PERMUTED.first));
  v.op("vpaddd", values, values, positions);
  eachVector(v, () => {
    v.store(indexed(RSP, WALK, 4), values);
    v.store(indexed(RSP, WALK, 4, POSITIONS), positions);
    for (const each of [values, positions]) v.op("vpaddd", each, each, v.wordInMemory(lanes));
  });
}

/** One pass through the network for all walks under way; lanes beyond them hold anything. */
function stepWalks(v: Vectors): void {
  eachVector(v, () => {
    v.load(LOW, indexed(RSP, WALK, 4));
    v.store(indexed(RSP, WALK, 4), step(v));
  });
}

/** The register of what one pass through the network makes of LOW. */
function step(v: Vectors): number {
  v.op("vpsrlvd", HIGH, LOW, HALF_BITS);
  v.op("vandps", LOW, LOW, MASK);
  let [left, right] = [HIGH, LOW];
  for (let round = 0; round < ROUND_KEYS.length; round++) {
    mix(v, right, KEYS + round);
    v.xorMasked(left, MIXED, MASK);
    [left, right] = [right, left];
  }
  v.op("vpsllvd", left, left, HALF_BITS);
  v.op("vorps", left, left, right);
  return left;
}

/** MIXED ← the mixed bits of value ^ key */
function mix(v: Vectors, value: number, key: number): void {
  v.op("vxorps", MIXED, value, key);
  for (const [i, by] of SHIFTS.entries()) {
    v.asm.vpsrld(v.bytes, SHIFTED, MIXED, by);
    v.op("vxorps", MIXED, MIXED, SHIFTED);
    if (i < MULTIPLIERS.length) v.op("vpmulld", MIXED, MIXED, v.wordInMemory(MULTIPLIERS[i]!));
  }
}

/** Runs `body` with WALK at every vector of walks under way, of which there are some. */
function eachVector({ asm, lanes }: Vectors, body: () => void): void {
  asm.movConstant(WALK, 0);
  asm.align(32);
  const again = asm.here();
  body();
  asm.computeConstant("add", WALK, lanes);
  asm.compute("cmp", WALK, UNDERWAY);
  asm.jumpIf("below", again);
}

/** Writes where each walk is to its position of `out`, and keeps those that are out of range: LEFT and UNDERWAY of them, and flags whether any. */
function settleWalks(asm: Assembler): void {
  asm.movConstant(WALK, 0);
  asm.movConstant(LEFT, 0);
  asm.align(32);
  const again = asm.here();
  asm.mov32(VALUE, indexed(RSP, WALK, 4));
  asm.mov32(POSITION, indexed(RSP, WALK, 4, POSITIONS));
  asm.store32(indexed(OUT, POSITION, 4), VALUE);
  asm.store32(indexed(RSP, LEFT, 4), VALUE);
  asm.store32(indexed(RSP, LEFT, 4, POSITIONS), POSITION);
  asm.compute("cmp", LAST, VALUE);
  asm.computeConstant("adc", LEFT, 0);
  asm.computeConstant("add", WALK, 1);
  asm.compute("cmp", WALK, UNDERWAY);
  asm.jumpIf("below", again);
  asm.mov(UNDERWAY, LEFT);
  asm.test(LEFT);
}
