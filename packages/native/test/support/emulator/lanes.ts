import type { Instruction } from "./instruction.js";
import { type Machine, RESULT, SOURCE, type Step } from "./machine.js";

/** 32-bit words of a vector register. */
export const WORDS = 16;

/** What an instruction does to whole registers: destination, first and second source, by their first 32-bit words. */
export type LaneFunction = (d: number, a: number, b: number) => void;

/** An instruction that fills a vector register. */
export interface VectorOperation {
  /** The function for this many 32-bit words of result. */
  make(m: Machine, words: number, i: Instruction): LaneFunction;
  /** Lanes other than the first come from the first source, or (`fused`) stay. */
  readonly scalar?: boolean;
  /** The destination is a source too. */
  readonly fused?: boolean;
  /** Reads lanes that it may have overwritten before, if the destination is a source. */
  readonly crosses?: boolean;
  /** Words of result, where they are not as many as the vector has. */
  words?(i: Instruction): number;
}

/** Loads what a vector instruction reads from memory into a register; lanes that a mask leaves out are not touched. */
export function loadOperand(m: Machine, i: Instruction, register: number): Step {
  const address = m.address(i);
  const { space, words } = m;
  const to = WORDS * register;
  const { memoryBytes, elementBytes, mask } = i;
  // One element is read whatever the mask says: nothing here masks all lanes out.
  if (i.broadcast) {
    const whole = i.bytes / 4;
    const step = elementBytes / 4;
    return () => {
      space.loadWords(address(), step, words, to);
      for (let w = step; w < whole; w++) words[to + w] = words[to + w - step]!;
    };
  }
  const lanes = i.bytes / elementBytes;
  if (mask === 0 || i.operands.includes("I") || i.name.includes("broadcast")) {
    if (memoryBytes < 4) {
      return () => {
        words[to] = space.loadShort(address(), memoryBytes);
      };
    }
    return () => space.loadWords(address(), memoryBytes / 4, words, to);
  }
  // Conversions read lanes of another width than they write.
  const laneBytes = memoryBytes / lanes;
  return () => {
    const at = address();
    const bits = m.masks[mask]!;
    words.fill(0, to, to + WORDS);
    for (let lane = 0; lane < lanes; lane++) {
      if (((bits >>> lane) & 1) === 1) loadLane(m, at + lane * laneBytes, laneBytes, 4 * to + lane * laneBytes);
    }
  };
}

function loadLane(m: Machine, address: number, bytes: number, to: number): void {
  if (bytes >= 4) m.space.loadWords(address, bytes / 4, m.words, to / 4);
  else if (bytes === 2) m.halves[to / 2] = m.space.loadShort(address, 2);
  else m.bytes[to] = m.space.loadShort(address, 1);
}

/** Stores a register's first words; with a mask only the lanes that it names. */
export function storeOperand(m: Machine, i: Instruction, register: number): Step {
  const address = m.address(i);
  const { space, words } = m;
  const from = WORDS * register;
  const { memoryBytes, elementBytes, mask } = i;
  if (mask === 0) return () => space.storeWords(address(), memoryBytes / 4, words, from);
  return () => {
    const at = address();
    const bits = m.masks[mask]!;
    for (let lane = 0; lane * elementBytes < memoryBytes; lane++) {
      if (((bits >>> lane) & 1) === 1)
        storeLane(m, at + lane * elementBytes, elementBytes, 4 * from + lane * elementBytes);
    }
  };
}

function storeLane(m: Machine, address: number, bytes: number, from: number): void {
  if (bytes >= 4) m.space.storeWords(address, bytes / 4, m.words, from / 4);
  else m.space.storeShort(address, bytes, bytes === 1 ? m.bytes[from]! : m.halves[from / 2]!);
}

/** Clears a register behind its first `words` words. */
export function clearAbove(m: Machine, register: number, words: number): Step {
  const [from, to] = [WORDS * register + words, WORDS * (register + 1)];
  const all = m.words;
  return () => {
    for (let w = from; w < to; w++) all[w] = 0;
  };
}

/** Moves RESULT to a register, as far as the mask lets it. */
export function mergeResult(m: Machine, i: Instruction, register: number, count: number): Step {
  const { words, bytes, masks } = m;
  const [d, r] = [WORDS * register, WORDS * RESULT];
  const { mask, zeroing, elementBytes } = i;
  if (mask === 0) {
    return () => {
      for (let w = 0; w < count; w++) words[d + w] = words[r + w]!;
    };
  }
  if (elementBytes < 4) {
    if (4 * count > 32 * elementBytes) throw new Error(`${i.name} with more than 32 masked lanes is not emulated`);
    return () => {
      const bits = masks[mask]!;
      for (let byte = 0; byte < 4 * count; byte++) {
        if (((bits >>> Math.floor(byte / elementBytes)) & 1) === 1) bytes[4 * d + byte] = bytes[4 * r + byte]!;
        else if (zeroing) bytes[4 * d + byte] = 0;
      }
    };
  }
  const shift = elementBytes === 8 ? 1 : 0;
  return () => {
    const bits = masks[mask]!;
    for (let w = 0; w < count; w++) {
      if (((bits >>> (w >> shift)) & 1) === 1) words[d + w] = words[r + w]!;
      else if (zeroing) words[d + w] = 0;
    }
  };
}

/** The registers of an instruction's sources, in order; SOURCE for what comes from memory. */
export function sourceRegisters(i: Instruction): [number, number] {
  const registers = i.operands.slice(1).flatMap((kind) => {
    if (kind === "V") return [i.reg];
    if (kind === "H") return [i.vvvv];
    if (kind === "W" || kind === "M") return [i.memory === undefined ? i.rm : SOURCE];
    return [];
  });
  return [registers[0]!, registers[1] ?? registers[0]!];
}

/** The steps of an instruction whose destination is a vector register, from what it does to whole registers. */
export function vectorStep(m: Machine, i: Instruction, operation: VectorOperation): Step {
  const destination = i.operands[0] === "H" ? i.vvvv : i.operands[0] === "W" ? i.rm : i.reg;
  const [first, second] = sourceRegisters(i);
  const { scalar = false, fused = false, crosses = false } = operation;
  const count = operation.words?.(i) ?? i.bytes / 4;
  const work = operation.make(m, scalar ? i.elementBytes / 4 : count, i);
  const load = i.memory === undefined || i.operands[0] === "W" ? undefined : loadOperand(m, i, SOURCE);
  const clear = count < WORDS ? clearAbove(m, destination, count) : undefined;
  const [a, b] = [WORDS * first, WORDS * second];
  if (i.mask === 0 && !scalar && !crosses) {
    const d = WORDS * destination;
    if (load === undefined && clear === undefined) return () => work(d, a, b);
    return () => {
      load?.();
      work(d, a, b);
      clear?.();
    };
  }
  const { words } = m;
  const r = WORDS * RESULT;
  const basis = fused ? WORDS * destination : scalar ? a : -1;
  const merge = mergeResult(m, scalar ? { ...i, mask: 0 } : i, destination, count);
  const masked = scalar && i.mask !== 0 ? maskScalar(m, i, destination) : undefined;
  return () => {
    load?.();
    if (basis >= 0) for (let w = 0; w < count; w++) words[r + w] = words[basis + w]!;
    work(r, a, b);
    masked?.();
    merge();
    clear?.();
  };
}

/** The first lane of RESULT gives way to the destination's, or to zero, where the mask's first bit is not set. */
function maskScalar(m: Machine, i: Instruction, destination: number): Step {
  const { words, masks } = m;
  return () => {
    if ((masks[i.mask]! & 1) === 1) return;
    for (let w = 0; w < i.elementBytes / 4; w++) {
      words[WORDS * RESULT + w] = i.zeroing ? 0 : words[WORDS * destination + w]!;
    }
  };
}

/** Runs the load of an operand in memory, if it is there, before the work. */
export function afterLoad(m: Machine, i: Instruction, work: Step): Step {
  if (i.memory === undefined) return work;
  const load = loadOperand(m, i, SOURCE);
  return () => {
    load();
    work();
  };
}

/** The first word of the vector operand in ModRM.rm. */
export const sourceAt = (i: Instruction) => WORDS * (i.memory === undefined ? i.rm : SOURCE);
