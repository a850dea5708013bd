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
  type Register,
  RSI,
  RSP,
} from "../../assembler/operands.js";
import { argument, argumentNumbers, loadAddress, loadArgument } from "../arguments.js";
import { framed } from "../frame.js";
import { type InstructionSet, Vectors } from "../vectors.js";

const ROUND_KEYS = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"] as const;

/** `last` is size − 1, `mask` has halfBits ones. */
export const PERMUTED = argumentNumbers(["out", "count", "last", "halfBits", "mask", "first", ...ROUND_KEYS]);

/** The finaliser of MurmurHash3, as in @logq/core. */
const SHIFTS = [16, 13, 16] as const;
const MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35] as const;

/**
 * Vectors of walks that take a step together. In one, each instruction waits for the one before, and a processor that looks for work sees hardly more
 * than the instructions of one.
 */
const TOGETHER = { avx2: 3, avx512: 4 } as const;

/**
 * Walks at a time. They stand on the stack, int32: where each one is that is under way, then their positions in `out`; with AVX-512 then the same of
 * those that have arrived. Behind each list is room for the rest of vectors that step together, behind all of them the keys, a vector each.
 */
const WALKS = 512;
const LIST_BYTES = 4 * WALKS + 256;
const ARRIVED_LISTS = 2 * LIST_BYTES;
const KEYS = 4 * LIST_BYTES;
const KEY_BYTES = 64;
const STACK_BYTES = KEYS + ROUND_KEYS.length * KEY_BYTES;

const [OUT, COUNT, LAST, ARRIVED] = [R8, R9, R10, R11];
const [UNDERWAY, LEFT, WALK] = [RBX, RSI, RAX];
const [VALUE, POSITION] = [RCX, RDX];

/** Mask register of what moves into a list. */
const PARTED = 2;

/** Vector registers: four for each of the vectors that step together, from 2 on. */
const [HALF_BITS, MASK] = [0, 1];
const FIRST = 2;

/** The registers of one of them: both halves of where its walks are, and what a round works with. */
interface Step {
  readonly high: number;
  readonly low: number;
  readonly mixed: number;
  readonly shifted: number;
}

/**
 * `DrawKernels.permuted`: all walks that are under way take a step, in vectors; then those that came back into range are done, without a branch on
 * which those are, and the others move together.
 */
export function generatePermuted(asm: Assembler, set: InstructionSet): void {
  const v = new Vectors(asm, set);
  framed(asm, () => {
    const end = new Label();
    asm.mov(RBP, RSP);
    asm.computeConstant("sub", RSP, STACK_BYTES);
    asm.computeConstant("and", RSP, -KEY_BYTES);
    v.broadcast(HALF_BITS, argument(PERMUTED.halfBits));
    v.broadcast(MASK, argument(PERMUTED.mask));
    for (const [i, name] of ROUND_KEYS.entries()) {
      v.broadcast(FIRST, argument(PERMUTED[name]));
      v.store(at(RSP, KEYS + KEY_BYTES * i), FIRST);
    }
    loadAddress(asm, OUT, PERMUTED.out);
    loadArgument(asm, COUNT, PERMUTED.count);
    loadArgument(asm, LAST, PERMUTED.last);
    asm.test(COUNT);
    asm.jumpIf("equal", end);
    const some = asm.here();
    beginWalks(v);
    asm.movConstant(ARRIVED, 0);
    const turn = asm.here();
    stepWalks(v);
    asm.movConstant(LEFT, 0);
    if (set === "avx512") eachVector(v, 1, () => partWalks(v));
    else settleWalks(asm);
    asm.mov(UNDERWAY, LEFT);
    asm.test(LEFT);
    asm.jumpIf("notEqual", turn);
    if (set === "avx512") writeArrived(asm);
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
  const [positions, values] = [FIRST, FIRST + 1];
  v.load(
    positions,
    v.words((lane) => lane),
  );
  v.broadcast(values, argument(PERMUTED.first));
  v.op("vpaddd", values, values, positions);
  eachVector(v, 1, () => {
    v.store(indexed(RSP, WALK, 4), values);
    v.store(indexed(RSP, WALK, 4, LIST_BYTES), positions);
    for (const each of [values, positions]) v.op("vpaddd", each, each, v.wordInMemory(lanes));
  });
}

/** One pass through the network for all walks under way; lanes beyond them hold anything. */
function stepWalks(v: Vectors): void {
  const steps = Array.from({ length: TOGETHER[v.set] }, (_, i): Step => {
    const high = FIRST + 4 * i;
    return { high, low: high + 1, mixed: high + 2, shifted: high + 3 };
  });
  const each = (work: (step: Step, place: Memory) => void) => {
    for (const [i, step] of steps.entries()) work(step, indexed(RSP, WALK, 4, v.bytes * i));
  };
  eachVector(v, steps.length, () => {
    each(({ low }, place) => v.load(low, place));
    each(({ high, low }) => v.op("vpsrlvd", high, low, HALF_BITS));
    each(({ low }) => v.op("vandps", low, low, MASK));
    for (let round = 0; round < ROUND_KEYS.length; round++) {
      // Halves take turns, an even number of times.
      const [left, right] = round % 2 === 0 ? (["high", "low"] as const) : (["low", "high"] as const);
      each((step) => v.op("vxorps", step.mixed, step[right], at(RSP, KEYS + KEY_BYTES * round)));
      mix(v, each);
      each((step) => v.xorMasked(step[left], step.mixed, MASK));
    }
    each(({ high }) => v.op("vpsllvd", high, high, HALF_BITS));
    each(({ high, low }) => v.op("vorps", high, high, low));
    each(({ high }, place) => v.store(place, high));
  });
}

/** Mixes the bits of `mixed`. */
function mix(v: Vectors, each: (work: (step: Step) => void) => void): void {
  for (const [i, by] of SHIFTS.entries()) {
    each(({ mixed, shifted }) => v.asm.vpsrld(v.bytes, shifted, mixed, by));
    each(({ mixed, shifted }) => v.op("vxorps", mixed, mixed, shifted));
    if (i < MULTIPLIERS.length) each(({ mixed }) => v.op("vpmulld", mixed, mixed, v.wordInMemory(MULTIPLIERS[i]!)));
  }
}

/** Runs `body` with WALK at every vector of walks under way, of which there are some, or at the first of every few. */
function eachVector({ asm, lanes }: Vectors, few: number, body: () => void): void {
  asm.movConstant(WALK, 0);
  asm.align(32);
  const again = asm.here();
  body();
  asm.computeConstant("add", WALK, few * lanes);
  asm.compute("cmp", WALK, UNDERWAY);
  asm.jumpIf("below", again);
}

/** AVX-512: the walks of a vector that are out of range move on in their lists, the others to those of the walks that have arrived. */
function partWalks(v: Vectors): void {
  const { asm, lanes } = v;
  const [values, positions, moved, largest] = [FIRST, FIRST + 1, FIRST + 2, FIRST + 3];
  asm.mov(VALUE, UNDERWAY);
  asm.compute("sub", VALUE, WALK);
  asm.movConstant(POSITION, lanes);
  asm.compute("cmp", VALUE, POSITION);
  asm.moveIf("above", VALUE, POSITION);
  v.setTail(VALUE, POSITION);
  v.broadcast(largest, argument(PERMUTED.last));
  v.load(values, indexed(RSP, WALK, 4));
  v.load(positions, indexed(RSP, WALK, 4, LIST_BYTES));
  for (const [comparison, end, lists] of [
    ["above", LEFT, 0],
    ["belowOrEqual", ARRIVED, ARRIVED_LISTS],
  ] as const) {
    v.compareWords(PARTED, comparison, values, largest, true);
    for (const [list, from] of [values, positions].entries()) {
      asm.evex("vpcompressd", 64, from, -1, moved, { mask: PARTED, zeroing: true });
      v.store(indexed(RSP, end, 4, lists + LIST_BYTES * list), moved);
    }
    asm.kmovFromMask(VALUE, PARTED);
    asm.popcnt(VALUE, VALUE);
    asm.compute("add", end, VALUE);
  }
}

/** Writes where walks have arrived to their positions of `out`. */
function writeArrived(asm: Assembler): void {
  eachWalk(asm, ARRIVED, () => {
    asm.mov32(VALUE, indexed(RSP, WALK, 4, ARRIVED_LISTS));
    asm.mov32(POSITION, indexed(RSP, WALK, 4, ARRIVED_LISTS + LIST_BYTES));
    asm.store32(indexed(OUT, POSITION, 4), VALUE);
  });
}

/** Without instructions that move lanes together: writes where each walk is to its position of `out`, and keeps those that are out of range. */
function settleWalks(asm: Assembler): void {
  eachWalk(asm, UNDERWAY, () => {
    asm.mov32(VALUE, indexed(RSP, WALK, 4));
    asm.mov32(POSITION, indexed(RSP, WALK, 4, LIST_BYTES));
    asm.store32(indexed(OUT, POSITION, 4), VALUE);
    asm.store32(indexed(RSP, LEFT, 4), VALUE);
    asm.store32(indexed(RSP, LEFT, 4, LIST_BYTES), POSITION);
    asm.compute("cmp", LAST, VALUE);
    asm.computeConstant("adc", LEFT, 0);
  });
}

/** Runs `body` for every WALK below `end`, which is not 0. */
function eachWalk(asm: Assembler, end: Register, body: () => void): void {
  asm.movConstant(WALK, 0);
  asm.align(32);
  const again = asm.here();
  body();
  asm.computeConstant("add", WALK, 1);
  asm.compute("cmp", WALK, end);
  asm.jumpIf("below", again);
}
