import { Assembler, CONDITION, type Condition } from "../../dist/assembler/assembler.js";
import { at, Label, R15, RAX, RDI, RSP } from "../../dist/assembler/operands.js";
import { enter, leave } from "../../dist/generate/frame.js";

/**
 * The state around one instruction, as bytes that RDI points at: vector registers first (32 bytes each), then general ones (8 each); behind them the
 * same as they are afterwards, and the conditions that hold (4 bytes each).
 */
export const STATE = {
  vectors: 0,
  general: 512,
  vectorsAfter: 640,
  generalAfter: 1152,
  conditions: 1280,
  bytes: 1344,
} as const;

const LOADED = Array.from({ length: R15 + 1 }, (_, register) => register).filter((r) => r !== RSP && r !== RDI);

function withoutConstants(asm: Assembler): Uint8Array {
  const { length } = asm;
  return asm.finish().slice(0, length);
}

function prologue(): Uint8Array {
  const asm = new Assembler();
  enter(asm);
  for (let v = 0; v < 16; v++) asm.vex("vmovups", 32, v, -1, at(RDI, STATE.vectors + 32 * v));
  for (const register of LOADED) asm.mov(register, at(RDI, STATE.general + 8 * register));
  // Flags, defined.
  asm.test(RAX);
  return withoutConstants(asm);
}

function epilogue(flags: boolean): Uint8Array {
  const asm = new Assembler();
  for (let v = 0; v < 16; v++) asm.vex("vmovupsStore", 32, v, -1, at(RDI, STATE.vectorsAfter + 32 * v));
  for (const register of LOADED) asm.store(at(RDI, STATE.generalAfter + 8 * register), register);
  if (flags) {
    // Moves leave flags as they are.
    for (const [n, condition] of (Object.keys(CONDITION) as Condition[]).entries()) {
      const holds = new Label();
      asm.movConstant(RAX, 1);
      asm.jumpIf(condition, holds);
      asm.movConstant(RAX, 0);
      asm.bind(holds);
      asm.store32(at(RDI, STATE.conditions + 4 * n), RAX);
    }
  }
  leave(asm);
  return withoutConstants(asm);
}

export interface Snippet {
  readonly text: string;
  readonly entry: number;
}

/** A function for each instruction, which brings it the state at RDI and writes down what it leaves; `flags` says of which ones flags are defined. */
export function snippets(
  instructions: readonly (readonly [text: string, bytes: Uint8Array])[],
  flags: (text: string) => boolean,
): { readonly code: Uint8Array; readonly all: readonly Snippet[] } {
  const before = prologue();
  const [plain, withFlags] = [epilogue(false), epilogue(true)];
  const parts: Uint8Array[] = [];
  const all: Snippet[] = [];
  let length = 0;
  for (const [text, bytes] of instructions) {
    all.push({ text, entry: length });
    for (const part of [before, bytes, flags(text) ? withFlags : plain]) {
      parts.push(part);
      length += part.length;
    }
  }
  const code = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    code.set(part, offset);
    offset += part.length;
  }
  return { code, all };
}
