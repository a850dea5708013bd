import { type Instruction, type MemoryOperand, NONE, type OperandKind, RIP } from "./instruction.js";

const QUADS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
const SIZES: Readonly<Record<number, string>> = {
  1: "BYTE",
  2: "WORD",
  4: "DWORD",
  8: "QWORD",
  16: "XMMWORD",
  32: "YMMWORD",
  64: "ZMMWORD",
};

function general(register: number, bytes: number): string {
  const name = QUADS[register];
  if (name === undefined) return `r${register}${{ 1: "b", 2: "w", 4: "d" }[bytes] ?? ""}`;
  if (bytes === 8) return name;
  if (bytes === 4) return `e${name.slice(1)}`;
  if (bytes === 2) return name.slice(1);
  return `${register < 4 ? name[1] : name.slice(1)}l`;
}

const vector = (register: number, bytes: number) => `${{ 16: "x", 32: "y", 64: "z" }[bytes]}mm${register}`;

function place({ base, index, scale, displacement }: MemoryOperand): string {
  const parts: string[] = [];
  if (base !== NONE) parts.push(base === RIP ? "rip" : general(base, 8));
  if (index !== NONE) parts.push(`${general(index, 8)}*${scale}`);
  const sign = displacement < 0 ? "-" : parts.length === 0 ? "" : "+";
  if (displacement !== 0 || parts.length === 0) parts.push(`${sign}0x${Math.abs(displacement).toString(16)}`);
  return `[${parts.join("+").replace(/\+([+-])/, "$1")}]`;
}

function memoryText(i: Instruction): string {
  const text = place(i.memory!);
  if (i.broadcast) return `${SIZES[i.elementBytes]} BCST ${text}`;
  return i.memoryBytes === 0 || i.name === "lea" || /^prefetch|^ldtilecfg/.test(i.name)
    ? text
    : `${SIZES[i.memoryBytes]} PTR ${text}`;
}

/** Bytes of the vector register in an operand's place, which may be narrower or wider than the instruction's length. */
function vectorBytes(i: Instruction, kind: OperandKind): number {
  if (kind === "V" && /^vextract[fi]|^vpmov(dw|qd)/.test(i.name)) return i.bytes;
  if (kind === "W" && /^v(insert|extract)[fi]/.test(i.name)) return i.memoryBytes;
  if (kind === "W" && /^v(cvtps2pd|cvtdq2pd|pmov)/.test(i.name)) return Math.max(16, i.memoryBytes);
  if (kind === "W" && /^vp?broadcast/.test(i.name)) return 16;
  if (kind === "V" && /^vcvtt?pd2/.test(i.name)) return Math.max(16, i.bytes / 2);
  return i.bytes;
}

/** Bytes of a general register in an operand's place. */
function generalBytes(i: Instruction, kind: OperandKind): number {
  if (i.encoding !== "legacy")
    return i.elementBytes === 8 && !i.name.startsWith("vmovmsk") && !i.name.startsWith("vcvt")
      ? 8
      : i.name.startsWith("vcvt")
        ? i.memoryBytes
        : 4;
  if (kind === "E" && (i.name === "movzx" || i.name === "movsx")) return i.memoryBytes;
  return i.bytes;
}

function operandText(i: Instruction, kind: OperandKind): string {
  const number = i.immediate ?? 0;
  switch (kind) {
    case "V":
      return vector(i.reg, vectorBytes(i, kind));
    case "H":
      return vector(i.vvvv, vectorBytes(i, kind));
    case "W":
      return i.memory === undefined ? vector(i.rm, vectorBytes(i, kind)) : memoryText(i);
    case "L":
      return vector(number >> 4, i.bytes);
    case "G":
      return general(i.reg, generalBytes(i, kind));
    case "E":
      return i.memory === undefined ? general(i.rm, generalBytes(i, kind)) : memoryText(i);
    case "K":
      return `k${i.reg}`;
    case "N":
      return `k${i.vvvv}`;
    case "J":
      return i.memory === undefined ? `k${i.rm}` : memoryText(i);
    case "M":
      return memoryText(i);
    case "C":
      return "cl";
    case "T":
      return `tmm${i.reg}`;
    case "U":
      return `tmm${i.rm}`;
    case "S":
      return `tmm${i.vvvv}`;
    case "I":
      return number < 0 ? `-0x${(-number).toString(16)}` : `0x${number.toString(16)}`;
  }
}

/** An instruction in Intel's notation, as an assembler reads it. Jumps show the offset that they go to. */
export function format(i: Instruction): string {
  const name = i.condition === NONE ? i.name : i.name.slice(0, -2) + CONDITIONS[i.condition];
  const operands = i.operands.map((kind, n) => {
    const mask = n === 0 && i.mask !== 0 ? `{k${i.mask}}${i.zeroing ? "{z}" : ""}` : "";
    return operandText(i, kind) + mask;
  });
  if (i.target !== undefined) operands.push(`0x${i.target.toString(16)}`);
  return operands.length === 0 ? name : `${name} ${operands.join(",")}`;
}
