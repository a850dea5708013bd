import { ARITHMETIC, assign, conditionOf, countBits, multiply, shift, unsigned } from "./arithmetic.js";
import type { Instruction, OperandKind } from "./instruction.js";
import { type Machine, OPERAND, type Step } from "./machine.js";

const RSP = 4;
const RCX = 1;

/** Brings the bytes at an address into a general register, the upper ones zero. */
function loadGeneral(m: Machine, address: () => number, bytes: number, register: number): Step {
  const { general: g, space } = m;
  const d = 2 * register;
  if (bytes === 8) {
    return () => {
      const at = address();
      const lo = space.load32(at);
      g[d + 1] = space.load32(at + 4);
      g[d] = lo;
    };
  }
  if (bytes === 4) {
    return () => {
      g[d] = space.load32(address());
      g[d + 1] = 0;
    };
  }
  return () => {
    g[d] = space.loadShort(address(), bytes);
    g[d + 1] = 0;
  };
}

function storeGeneral(m: Machine, address: () => number, bytes: number, register: number): Step {
  const { general: g, space } = m;
  const s = 2 * register;
  if (bytes < 4) return () => space.storeShort(address(), bytes, g[s]!);
  if (bytes === 4) return () => space.store32(address(), g[s]!);
  return () => {
    const at = address();
    space.store32(at, g[s]!);
    space.store32(at + 4, g[s + 1]!);
  };
}

/** Operands of an instruction as registers; what stands in memory is fetched into OPERAND first, and stored from there. */
class Operands {
  readonly #m: Machine;
  readonly #i: Instruction;

  constructor(m: Machine, i: Instruction) {
    this.#m = m;
    this.#i = i;
  }

  register(kind: OperandKind): number {
    const i = this.#i;
    if (kind === "G") return i.reg;
    if (kind === "E") return i.memory === undefined ? i.rm : OPERAND;
    if (kind === "I") return this.#m.constant(i.immediate!);
    if (kind === "C") return RCX;
    throw new Error(`${i.name} with an operand ${kind}`);
  }

  /** Puts the loads and stores that the operand in memory wants around what the instruction does. */
  around(work: Step, bytes: number, { reads = true, writes = false } = {}): Step {
    if (this.#i.memory === undefined) return work;
    const address = this.#m.address(this.#i);
    const load = loadGeneral(this.#m, address, bytes, OPERAND);
    const store = storeGeneral(this.#m, address, bytes, OPERAND);
    if (reads && writes) {
      return () => {
        load();
        work();
        store();
      };
    }
    if (writes) {
      return () => {
        work();
        store();
      };
    }
    return () => {
      load();
      work();
    };
  }
}

/** What an instruction on general registers does, except for jumps, calls and returns. */
export function generalStep(m: Machine, i: Instruction): Step {
  const { name, bytes, operands: kinds } = i;
  const operands = new Operands(m, i);
  const wide = bytes === 8;
  const narrow = (): void => {
    if (bytes < 4) throw new Error(`${name} on ${bytes} bytes is not emulated`);
  };
  const arithmetic = ARITHMETIC[name];
  if (arithmetic !== undefined) {
    narrow();
    const write = name !== "cmp" && name !== "test";
    const work = arithmetic(m, operands.register(kinds[0]!), operands.register(kinds[1]!), wide, write);
    return operands.around(work, bytes, { writes: write && kinds[0] === "E" });
  }
  switch (name) {
    case "mov":
      return move(m, i, operands);
    case "movzx":
    case "movsx":
      return operands.around(extend(m, i, operands.register("E")), i.memoryBytes);
    case "lea":
      narrow();
      return loadAddress(m, i);
    case "imul": {
      narrow();
      const factor = kinds.length === 3 ? operands.register("I") : i.reg;
      return operands.around(multiply(m, i.reg, operands.register("E"), factor, wide), bytes);
    }
    case "shl":
    case "sal":
    case "shr":
    case "sar": {
      narrow();
      const count = kinds[1] === "C" ? () => m.general[2 * RCX]! : () => i.immediate!;
      return operands.around(shift(m, name, operands.register("E"), count, wide), bytes, { writes: true });
    }
    case "popcnt":
    case "lzcnt":
    case "tzcnt":
      narrow();
      return operands.around(countBits(m, name, i.reg, operands.register("E"), wide), bytes);
    case "inc":
    case "dec":
    case "neg":
    case "not":
      narrow();
      return operands.around(unary(m, name, operands.register("E"), wide), bytes, { writes: true });
    case "cmovcc":
      narrow();
      return operands.around(conditionalMove(m, i, operands.register("E")), bytes);
    case "setcc": {
      const [holds, d] = [conditionOf(m, i.condition), 2 * operands.register("E")];
      const work = () => {
        m.general[d] = (m.general[d]! & ~0xff) | (holds() ? 1 : 0);
      };
      return operands.around(work, 1, { reads: false, writes: true });
    }
    case "push":
      return push(m, i.rm);
    case "pop":
      return pop(m, i.rm);
    default:
      if (name === "nop" || name.startsWith("prefetch")) return () => {};
      throw new Error(`${name} is not emulated`);
  }
}

function move(m: Machine, i: Instruction, operands: Operands): Step {
  const { bytes, memory, operands: kinds } = i;
  const [to, from] = [operands.register(kinds[0]!), operands.register(kinds[1]!)];
  if (memory !== undefined && kinds[0] === "G" && bytes >= 4) return loadGeneral(m, m.address(i), bytes, to);
  if (memory !== undefined && kinds[0] === "E") return storeGeneral(m, m.address(i), bytes, from);
  const g = m.general;
  if (bytes < 4) {
    const bits = bytes === 1 ? 0xff : 0xffff;
    const work = () => {
      g[2 * to] = (g[2 * to]! & ~bits) | (g[2 * from]! & bits);
    };
    return operands.around(work, bytes);
  }
  return () => {
    g[2 * to] = g[2 * from]!;
    g[2 * to + 1] = bytes === 8 ? g[2 * from + 1]! : 0;
  };
}

function extend(m: Machine, i: Instruction, source: number): Step {
  const g = m.general;
  const [d, s] = [2 * i.reg, 2 * source];
  const unused = 32 - 8 * i.memoryBytes;
  const signed = i.name === "movsx";
  return () => {
    const value = signed ? (g[s]! << unused) >> unused : (g[s]! << unused) >>> unused;
    g[d] = value;
    g[d + 1] = signed && i.bytes === 8 ? value >> 31 : 0;
  };
}

function loadAddress(m: Machine, i: Instruction): Step {
  const address = m.address(i);
  return () => {
    const value = address();
    if (!Number.isSafeInteger(value)) throw new Error("lea of numbers too large to be emulated");
    m.setNumber(i.reg, value);
    if (i.bytes === 4) m.general[2 * i.reg + 1] = 0;
  };
}

function unary(m: Machine, name: string, register: number, wide: boolean): Step {
  if (name === "not") return () => assign(m, register, ~unsigned(m, register, wide), wide);
  if (name === "neg") {
    return () => {
      const value = unsigned(m, register, wide);
      assign(m, register, -value, wide);
      const result = BigInt.asIntN(wide ? 64 : 32, -value);
      m.undefineFlags();
      m.carry = value === 0n ? 0 : 1;
      m.zero = value === 0n ? 1 : 0;
      m.sign = result < 0n ? 1 : 0;
      m.overflow = result === BigInt.asIntN(wide ? 64 : 32, value) && value !== 0n ? 1 : 0;
    };
  }
  // These leave the carry.
  const step = ARITHMETIC[name === "inc" ? "add" : "sub"]!(m, register, m.constant(1), wide, true);
  return () => {
    const { carry } = m;
    step();
    m.carry = carry;
  };
}

function conditionalMove(m: Machine, i: Instruction, source: number): Step {
  const holds = conditionOf(m, i.condition);
  const g = m.general;
  const [d, s] = [2 * i.reg, 2 * source];
  return () => {
    const moved = holds();
    if (moved) {
      g[d] = g[s]!;
      g[d + 1] = g[s + 1]!;
    }
    if (i.bytes === 4) g[d + 1] = 0;
  };
}

export function push(m: Machine, register: number): Step {
  const store = storeGeneral(m, () => m.number(RSP), 8, register);
  return () => {
    const [lo, hi] = [m.general[2 * register]!, m.general[2 * register + 1]!];
    m.setNumber(RSP, m.number(RSP) - 8);
    if (register === RSP) {
      m.space.store32(m.number(RSP), lo);
      m.space.store32(m.number(RSP) + 4, hi);
    } else {
      store();
    }
  };
}

export function pop(m: Machine, register: number): Step {
  const load = loadGeneral(m, () => m.number(RSP), 8, register);
  return () => {
    load();
    if (register !== RSP) m.setNumber(RSP, m.number(RSP) + 8);
  };
}
