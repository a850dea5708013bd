import { decode } from "./decode.js";
import { DecodeError, type Instruction, RIP } from "./instruction.js";

/** Every instruction that can be reached from the entries of a program. */
export interface Flow {
  /** By offset. */
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** Where the code ends and its constants begin. */
  readonly end: number;
}

/**
 * Follows the code from its entries, both ways at conditional jumps. @throws DecodeError where it meets bytes that are no instruction, runs
 * into the middle of another instruction or into constants, or leaves bytes behind that nothing reaches and that do not merely fill up
 */
export function followCode(code: Uint8Array, entries: readonly number[]): Flow {
  const instructions = new Map<number, Instruction>();
  const owner = new Int32Array(code.length).fill(-1);
  const waiting = [...entries];
  while (waiting.length > 0) {
    let at = waiting.pop()!;
    while (!instructions.has(at)) {
      if (at < 0 || at >= code.length) throw new DecodeError(code, at, "a jump out of the code");
      const instruction = decode(code, at);
      instructions.set(at, instruction);
      for (let byte = at; byte < at + instruction.length; byte++) {
        if (owner[byte] !== -1)
          throw new DecodeError(code, at, `an instruction that overlaps the one at ${owner[byte]}`);
        owner[byte] = at;
      }
      if (instruction.target !== undefined) waiting.push(instruction.target);
      if (instruction.name === "ret" || instruction.name === "jmp") break;
      at += instruction.length;
    }
  }
  const end = owner.findLastIndex((at) => at !== -1) + 1;
  checkConstants(code, instructions, end);
  checkGaps(code, owner, end);
  return { instructions, end };
}

/** What instructions read relative to themselves lies behind the code. */
function checkConstants(code: Uint8Array, instructions: ReadonlyMap<number, Instruction>, end: number): void {
  for (const { at, memory, name, memoryBytes } of instructions.values()) {
    if (memory?.base !== RIP) continue;
    const last = memory.displacement + (name === "lea" ? 1 : memoryBytes);
    if (memory.displacement < end || last > code.length) throw new DecodeError(code, at, "a constant that is none");
  }
}

/** Between instructions nothing but no-operations up to a multiple of 64, which alignment left behind. */
function checkGaps(code: Uint8Array, owner: Int32Array, end: number): void {
  for (let at = 0; at < end; at++) {
    if (owner[at] !== -1) continue;
    const from = at;
    while (owner[at + 1] === -1 && at + 1 < end) at++;
    const filler = code.subarray(from, at + 1).every((byte) => byte === 0x90);
    if (!filler || at + 1 - from >= 64) throw new DecodeError(code, from, "bytes that nothing reaches");
  }
}
