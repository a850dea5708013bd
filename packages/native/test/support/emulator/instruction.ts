/** What stands in memory at base + scale·index + displacement. */
export interface MemoryOperand {
  /** Number of a general register; NONE, or RIP: then the displacement is an offset into the code. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
}

export const NONE = -1;
export const RIP = 16;

/**
 * Operands by where the encoding puts them, in letters after the manual's opcode map. Vectors: V in ModRM.reg, H in vvvv, W in ModRM.rm (or memory),
 * L in the upper half of the immediate. General registers: G in ModRM.reg, E in ModRM.rm (or memory). Masks: K in ModRM.reg, N in vvvv, J in
 * ModRM.rm (or memory). I: an immediate. M: memory and nothing else. C: CL, the count of a shift. Tiles: T in ModRM.reg, U in ModRM.rm, S in vvvv.
 */
export type OperandKind = "V" | "H" | "W" | "L" | "G" | "E" | "K" | "N" | "J" | "I" | "M" | "C" | "T" | "U" | "S";

export type Encoding = "legacy" | "vex" | "evex";

/** A decoded instruction. Fields that its encoding does not have are 0, or NONE for registers. */
export interface Instruction {
  /** Offset of the first byte in the code. */
  readonly at: number;
  readonly length: number;
  readonly encoding: Encoding;
  /** The manual's mnemonic. Conditions stand in `condition`: jcc, cmovcc and setcc. */
  readonly name: string;
  /** In Intel's order, destination first. */
  readonly operands: readonly OperandKind[];
  /** The instruction set that it belongs to: "base", "popcnt", "avx", "avx2", "fma", "avx512f" … Two where the length adds "avx512vl". */
  readonly sets: readonly string[];
  /** Bytes that an operand has: of a general register 1, 2, 4 or 8; of a vector 16, 32 or 64. */
  readonly bytes: number;
  /** Bytes of a memory operand (movzx and its like: of the source, wherever it is), and of the elements that masks and broadcasts go by. */
  readonly memoryBytes: number;
  readonly elementBytes: number;
  readonly reg: number;
  readonly vvvv: number;
  /** NONE where the operand is in memory. */
  readonly rm: number;
  readonly memory: MemoryOperand | undefined;
  readonly mask: number;
  readonly zeroing: boolean;
  /** One element in memory stands for all. */
  readonly broadcast: boolean;
  /** NONE, or the condition's number. */
  readonly condition: number;
  readonly immediate: number | undefined;
  /** Where a jump or call goes, as an offset into the code. */
  readonly target: number | undefined;
}

/** An encoding that is unknown or forbidden. */
export class DecodeError extends Error {
  constructor(code: Uint8Array, at: number, reason: string) {
    const bytes = Array.from(code.subarray(at, at + 15), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    super(`${reason} at ${at.toString(16)}: ${bytes}`);
  }
}
