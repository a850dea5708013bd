import { conditionOf } from "./arithmetic.js";
import { decode } from "./decode.js";
import { format } from "./format.js";
import { generalStep, pop, push } from "./general.js";
import type { Instruction } from "./instruction.js";
import { WORDS } from "./lanes.js";
import { CODE_BASE, Machine, OPERAND, type Step } from "./machine.js";
import { AddressSpace, type Region, regionOver } from "./memory.js";
import { vectorInstruction } from "./vector.js";

const RSP = 4;
const RDI = 7;
/** What a function must leave as it found it: rbx, rbp, r12 to r15, and the stack pointer. */
const KEPT = [3, 5, 12, 13, 14, 15, RSP];

const STACK_BASE = 0x7ffc_0000_0000;
const STACK_BYTES = 65536;
/** Where the caller of a program is: its return ends the run. */
const RETURN_TO = 0x1234_5678_9000;

/** So many blocks no test runs: whoever does runs for ever. */
const MOST_BLOCKS = 50_000_000;

/** Instructions up to the next jump, call or return. */
interface Block {
  readonly at: number;
  readonly steps: readonly Step[];
  /** Where it goes on, as an offset into the code; NaN where the run ends. */
  readonly leave: () => number;
}

/**
 * An x86-64 processor for programs of `generateProgram`: what they do to `regions` and to registers of its own. Whatever a program must not do
 * throws an Error that says where it did it.
 */
export class Emulator {
  readonly machine: Machine;
  readonly #code: Uint8Array;
  readonly #blocks = new Map<number, Block>();
  #garbage = 1;

  constructor(code: Uint8Array, regions: readonly Region[]) {
    const padded = new Uint8Array(8 * Math.ceil(code.length / 8));
    padded.set(code);
    this.#code = code;
    const own = [
      regionOver("the code", CODE_BASE, padded, { writable: false }),
      regionOver("the stack", STACK_BASE, new Uint8Array(STACK_BYTES)),
    ];
    this.machine = new Machine(new AddressSpace([...regions, ...own]));
  }

  /** Calls the function at an offset of the code with one argument; answers what it leaves in EAX. */
  call(entry: number, argument: number): number {
    const m = this.machine;
    this.#scramble();
    // A caller's stack is on a multiple of 16 before its call.
    m.setNumber(RSP, STACK_BASE + STACK_BYTES - 1024);
    m.setNumber(OPERAND, RETURN_TO);
    push(m, OPERAND)();
    m.setNumber(RDI, argument);
    const before = KEPT.map((register) => m.number(register));
    before[KEPT.indexOf(RSP)]! += 8;
    this.#run(entry);
    for (const [at, register] of KEPT.entries()) {
      if (m.number(register) !== before[at]) throw new Error(`register ${register} is not what it was before the call`);
    }
    this.#expectZeroUpper();
    if (m.tiles.configured) throw new Error("tiles are still configured after the call");
    return m.general[0]! >>> 0;
  }

  #run(entry: number): void {
    let at = entry;
    for (let count = 0; !Number.isNaN(at); count++) {
      if (count === MOST_BLOCKS) throw new Error(`still running after ${count} blocks`);
      let block = this.#blocks.get(at);
      if (block === undefined) {
        block = this.#translate(at);
        this.#blocks.set(at, block);
      }
      const { steps } = block;
      let done = 0;
      try {
        for (; done < steps.length; done++) steps[done]!();
        at = block.leave();
      } catch (cause) {
        throw new Error(this.#report(block, done, cause), { cause });
      }
    }
  }

  #translate(from: number): Block {
    const steps: Step[] = [];
    for (let at = from; ; ) {
      const instruction = decode(this.#code, at);
      const leave = this.#leave(instruction);
      if (leave !== undefined) return { at: from, steps, leave };
      steps.push(this.#step(instruction));
      at += instruction.length;
    }
  }

  #step(instruction: Instruction): Step {
    if (instruction.encoding === "legacy") return generalStep(this.machine, instruction);
    return vectorInstruction(this.machine, instruction);
  }

  /** How a block ends with an instruction, if it does. */
  #leave(i: Instruction): (() => number) | undefined {
    const next = i.at + i.length;
    const m = this.machine;
    switch (i.name) {
      case "jmp":
        return () => i.target!;
      case "jcc": {
        const holds = conditionOf(m, i.condition);
        return () => (holds() ? i.target! : next);
      }
      case "call": {
        const enter = push(m, OPERAND);
        return () => {
          m.setNumber(OPERAND, CODE_BASE + next);
          enter();
          return i.target!;
        };
      }
      case "ret": {
        const leave = pop(m, OPERAND);
        return () => {
          leave();
          const to = m.number(OPERAND);
          return to === RETURN_TO ? Number.NaN : to - CODE_BASE;
        };
      }
      default:
        return undefined;
    }
  }

  /** Leaves nothing useful in registers and flags, as callers do. */
  #scramble(): void {
    const m = this.machine;
    const next = () => {
      this.#garbage = Math.imul(this.#garbage, 0x6c078965) + 0x3039;
      return this.#garbage;
    };
    for (let register = 0; register < 16; register++) {
      m.general[2 * register] = next();
      m.general[2 * register + 1] = next() >> 12;
    }
    // Signalling NaN, so that it shows if one is used.
    for (let word = 0; word < m.words.length; word++) m.words[word] = 0x7f800001 | (next() >>> 10);
    for (let mask = 0; mask < 8; mask++) m.masks[mask] = next() & 0xffff;
    m.undefineFlags();
  }

  #expectZeroUpper(): void {
    const { words } = this.machine;
    for (let word = 0; word < 16 * WORDS; word++) {
      if (word % WORDS < 4 || words[word] === 0) continue;
      throw new Error(`the upper lanes of v${Math.floor(word / WORDS)} are not zero after the call`);
    }
  }

  #report(block: Block, done: number, cause: unknown): string {
    let at = block.at;
    for (let i = 0; i < done; i++) at += decode(this.#code, at).length;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return `${at.toString(16)}: ${format(decode(this.#code, at))}: ${reason}`;
  }
}
