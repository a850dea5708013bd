import type { Instruction } from "./instruction.js";
import type { Machine, Step } from "./machine.js";

/** Bits of a mask that an instruction on masks works on, by the last letter of its name. */
function bitsOf(i: Instruction): number {
  return { b: 8, w: 16, d: 32 }[i.name.at(-1)!] ?? fail(i);
}

function fail(i: Instruction): never {
  throw new Error(`${i.name} is not emulated`);
}

const LOGIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  kand: (a, b) => a & b,
  kandn: (a, b) => ~a & b,
  kor: (a, b) => a | b,
  kxor: (a, b) => a ^ b,
  kxnor: (a, b) => ~(a ^ b),
};

/** Instructions on mask registers alone, and moves from and to them. */
export function maskStep(m: Machine, i: Instruction): Step {
  const bits = bitsOf(i);
  const all = bits === 32 ? -1 : 2 ** bits - 1;
  const { masks } = m;
  const set = (value: () => number): Step => {
    return () => {
      masks[i.reg] = value() & all;
    };
  };
  const stem = i.name.slice(0, -1);
  const logic = LOGIC[stem];
  if (logic !== undefined) return set(() => logic(masks[i.vvvv]!, masks[i.rm]!));
  switch (stem) {
    case "kmov":
      return moveMask(m, i, all, set);
    case "knot":
      return set(() => ~masks[i.rm]!);
    case "kshiftl":
      return set(() => (i.immediate! >= bits ? 0 : masks[i.rm]! << i.immediate!));
    case "kshiftr":
      return set(() => (i.immediate! >= bits ? 0 : (masks[i.rm]! & all) >>> i.immediate!));
    case "kortest":
      return () => {
        const either = (masks[i.reg]! | masks[i.rm]!) & all;
        setZeroAndCarry(m, either === 0, either === all);
      };
    case "ktest":
      return () => {
        const [a, b] = [masks[i.reg]!, masks[i.rm]!];
        setZeroAndCarry(m, (a & b & all) === 0, (~a & b & all) === 0);
      };
    default:
      return fail(i);
  }
}

export function setZeroAndCarry(m: Machine, zero: boolean, carry: boolean): void {
  m.zero = zero ? 1 : 0;
  m.carry = carry ? 1 : 0;
  m.overflow = m.sign = m.parity = 0;
}

function moveMask(m: Machine, i: Instruction, all: number, set: (value: () => number) => Step): Step {
  const { masks, general: g, space } = m;
  const [to, from] = i.operands;
  if (to === "G") {
    return () => {
      g[2 * i.reg] = masks[i.rm]! & all;
      g[2 * i.reg + 1] = 0;
    };
  }
  if (from === "E") return set(() => g[2 * i.rm]!);
  if (i.memory === undefined) return set(() => masks[i.rm]!);
  const address = m.address(i);
  if (to === "M") return () => space.storeShort(address(), i.memoryBytes, masks[i.reg]!);
  return set(() => space.loadShort(address(), i.memoryBytes));
}
