import type { Cursor, ModRm } from "./cursor.js";
import { type Instruction, NONE, type OperandKind } from "./instruction.js";

/** Prefixes of an instruction that is neither VEX nor EVEX. */
interface Prefixes {
  readonly operandSize: boolean;
  /** F3 or F2, or 0. */
  readonly repeat: number;
  readonly rex: boolean;
  readonly w: number;
  readonly r: number;
  readonly x: number;
  readonly b: number;
}

function readPrefixes(c: Cursor): Prefixes {
  let operandSize = false;
  let repeat = 0;
  for (;;) {
    const byte = c.peek();
    if (byte === 0x66) operandSize = true;
    else if (byte === 0xf2 || byte === 0xf3) repeat = byte;
    else break;
    c.byte();
  }
  const byte = c.peek();
  if (byte >> 4 !== 4) return { operandSize, repeat, rex: false, w: 0, r: 0, x: 0, b: 0 };
  c.byte();
  return { operandSize, repeat, rex: true, w: (byte >> 3) & 1, r: (byte >> 2) & 1, x: (byte >> 1) & 1, b: byte & 1 };
}

type Fields = Partial<Instruction> & { readonly name: string };

/** Puts an instruction together once all its bytes have been read. */
function finish(c: Cursor, fields: Fields): Instruction {
  const bytes = fields.bytes ?? 8;
  return {
    at: c.start,
    length: c.at - c.start,
    encoding: "legacy",
    operands: [],
    sets: ["base"],
    bytes,
    memoryBytes: bytes,
    elementBytes: bytes,
    reg: NONE,
    vvvv: NONE,
    rm: NONE,
    memory: undefined,
    mask: 0,
    zeroing: false,
    broadcast: false,
    condition: NONE,
    immediate: undefined,
    target: undefined,
    ...fields,
  };
}

const ARITHMETIC = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];
const SHIFTS = ["rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar"];

/** One of the first 256 opcodes, or of those behind 0F. */
export function decodeGeneral(c: Cursor): Instruction {
  const p = readPrefixes(c);
  const opcode = c.byte();
  if (opcode === 0x0f) return decodeTwoBytes(c, p);
  if (p.repeat !== 0) c.fail("a repeat prefix");
  const wide = p.w === 1 ? 8 : p.operandSize ? 2 : 4;
  const bytes = (opcode & 1) === 0 ? 1 : wide;
  const immediate = (size: number) =>
    size === 1 ? c.int8() : size === 2 ? c.fail("an immediate of 16 bits") : c.int32();
  const low = (p.b << 3) | (opcode & 7);
  const form = (name: string, size: number, operands: OperandKind[]) => {
    const modRm = readModRm(c, p, size, operands);
    return finish(c, { name, bytes: size, operands, ...modRm });
  };
  if (opcode < 0x40 && (opcode & 7) < 4) {
    return form(ARITHMETIC[opcode >> 3]!, bytes, (opcode & 2) === 0 ? ["E", "G"] : ["G", "E"]);
  }
  if (opcode < 0x40 && (opcode & 7) < 6) {
    return finish(c, {
      name: ARITHMETIC[opcode >> 3]!,
      bytes,
      operands: ["E", "I"],
      rm: 0,
      immediate: immediate(bytes),
    });
  }
  if (opcode >= 0x50 && opcode < 0x60) {
    return finish(c, { name: opcode < 0x58 ? "push" : "pop", bytes: 8, operands: ["E"], rm: low });
  }
  if (opcode >= 0x70 && opcode < 0x80) return jump(c, "jcc", opcode & 15, c.int8());
  if (opcode >= 0xb8 && opcode < 0xc0) {
    if (wide !== 4) c.fail("a constant that has not 32 bits");
    return finish(c, { name: "mov", bytes: 4, operands: ["E", "I"], rm: low, immediate: c.int32() });
  }
  switch (opcode) {
    case 0x63:
      if (wide === 2) c.fail("movsxd of 16 bits");
      return finish(c, {
        name: "movsx",
        bytes: wide,
        operands: ["G", "E"],
        ...readModRm(c, p, 4, ["G", "E"]),
        memoryBytes: 4,
      });
    case 0x69:
    case 0x6b: {
      const modRm = readModRm(c, p, wide, ["G", "E"]);
      const value = opcode === 0x6b ? c.int8() : immediate(wide);
      return finish(c, { name: "imul", bytes: wide, operands: ["G", "E", "I"], ...modRm, immediate: value });
    }
    case 0x80:
    case 0x81:
    case 0x83: {
      const modRm = readModRm(c, p, bytes, ["E"]);
      const value = opcode === 0x83 ? c.int8() : immediate(bytes);
      return finish(c, { name: ARITHMETIC[modRm.reg & 7]!, bytes, operands: ["E", "I"], ...modRm, immediate: value });
    }
    case 0x84:
    case 0x85:
      return form("test", bytes, ["E", "G"]);
    case 0x88:
    case 0x89:
      return form("mov", bytes, ["E", "G"]);
    case 0x8a:
    case 0x8b:
      return form("mov", bytes, ["G", "E"]);
    case 0x8d:
      return form("lea", wide, ["G", "M"]);
    case 0x90:
      if (p.rex || p.operandSize) c.fail("xchg");
      return finish(c, { name: "nop" });
    case 0xc0:
    case 0xc1:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: {
      const modRm = readModRm(c, p, bytes, ["E"]);
      const name = SHIFTS[modRm.reg & 7]!;
      if (opcode >= 0xd2) return finish(c, { name, bytes, operands: ["E", "C"], ...modRm });
      return finish(c, { name, bytes, operands: ["E", "I"], ...modRm, immediate: opcode < 0xd0 ? c.byte() : 1 });
    }
    case 0xc3:
      return finish(c, { name: "ret" });
    case 0xc6:
    case 0xc7: {
      const modRm = readModRm(c, p, bytes, ["E"]);
      if ((modRm.reg & 7) !== 0) c.fail("an unknown opcode");
      return finish(c, { name: "mov", bytes, operands: ["E", "I"], ...modRm, immediate: immediate(bytes) });
    }
    case 0xe8:
      return jump(c, "call", NONE, c.int32());
    case 0xe9:
      return jump(c, "jmp", NONE, c.int32());
    case 0xeb:
      return jump(c, "jmp", NONE, c.int8());
    case 0xf6:
    case 0xf7:
      return decodeUnary(c, p, bytes, ["test", "", "not", "neg", "mul"], immediate);
    case 0xfe:
    case 0xff:
      return decodeUnary(c, p, bytes, ["inc", "dec"], immediate);
    default:
      return c.fail("an unknown opcode");
  }
}

function decodeUnary(
  c: Cursor,
  p: Prefixes,
  bytes: number,
  names: readonly string[],
  immediate: (bytes: number) => number,
): Instruction {
  const modRm = readModRm(c, p, bytes, ["E"]);
  const name = names[modRm.reg & 7] || c.fail("an unknown opcode");
  if (name === "test") return finish(c, { name, bytes, operands: ["E", "I"], ...modRm, immediate: immediate(bytes) });
  return finish(c, { name, bytes, operands: ["E"], ...modRm });
}

function jump(c: Cursor, name: string, condition: number, distance: number): Instruction {
  return finish(c, { name, condition, target: c.at + distance });
}

/** With operands of one byte, registers 4 … 7 are the upper halves of others unless there is a REX prefix. */
function readModRm(c: Cursor, p: Prefixes, bytes: number, operands: readonly OperandKind[]): ModRm {
  const modRm = c.modRm(p, 1);
  if (operands.includes("M") && modRm.memory === undefined) c.fail("a register in place of memory");
  const odd = (register: number) => bytes === 1 && !p.rex && register >= 4 && register < 8;
  if (odd(modRm.rm) || (operands.includes("G") && odd(modRm.reg))) c.fail("ah, ch, dh or bh");
  return modRm;
}

function decodeTwoBytes(c: Cursor, p: Prefixes): Instruction {
  const opcode = c.byte();
  const bytes = p.w === 1 ? 8 : p.operandSize ? 2 : 4;
  if (opcode === 0xb8 || opcode === 0xbc || opcode === 0xbd) {
    // Without the prefix these are other instructions.
    if (p.repeat !== 0xf3) c.fail("an unknown opcode");
    const [name, set] = opcode === 0xb8 ? ["popcnt", "popcnt"] : opcode === 0xbc ? ["tzcnt", "bmi1"] : ["lzcnt", "abm"];
    return finish(c, { name: name!, sets: [set!], bytes, operands: ["G", "E"], ...readModRm(c, p, bytes, ["G", "E"]) });
  }
  if (p.repeat !== 0) c.fail("a repeat prefix");
  const condition = opcode & 15;
  switch (opcode >> 4) {
    case 4:
      return finish(c, {
        name: "cmovcc",
        condition,
        bytes,
        operands: ["G", "E"],
        ...readModRm(c, p, bytes, ["G", "E"]),
      });
    case 8:
      return jump(c, "jcc", condition, c.int32());
    case 9:
      return finish(c, { name: "setcc", condition, bytes: 1, operands: ["E"], ...readModRm(c, p, 1, ["E"]) });
  }
  switch (opcode) {
    case 0x0d:
    case 0x18: {
      const modRm = readModRm(c, p, 8, ["M"]);
      const name = (
        opcode === 0x0d ? ["prefetch", "prefetchw"] : ["prefetchnta", "prefetcht0", "prefetcht1", "prefetcht2"]
      )[modRm.reg & 7];
      if (name === undefined) c.fail("an unknown prefetch");
      return finish(c, { name: name!, sets: ["base"], bytes: 1, operands: ["M"], ...modRm });
    }
    case 0x1f:
      return finish(c, { name: "nop", bytes, ...readModRm(c, p, bytes, ["E"]) });
    case 0xaf:
      return finish(c, { name: "imul", bytes, operands: ["G", "E"], ...readModRm(c, p, bytes, ["G", "E"]) });
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf: {
      const from = (opcode & 1) === 0 ? 1 : 2;
      const modRm = readModRm(c, p, from, ["E"]);
      const name = opcode < 0xb8 ? "movzx" : "movsx";
      return finish(c, { name, bytes, operands: ["G", "E"], ...modRm, memoryBytes: from });
    }
    default:
      return c.fail("an unknown opcode");
  }
}
