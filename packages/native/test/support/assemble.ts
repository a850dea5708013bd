import {
  type Arithmetic,
  Assembler,
  CONDITION,
  type Condition,
  type VectorBytes,
} from "../../dist/assembler/assembler.js";
import { at, atLabel, indexed, Label, type Memory } from "../../dist/assembler/operands.js";
import { VECTOR_OPS, type VectorOpName } from "../../dist/assembler/vector-ops.js";

const GENERAL = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const CONDITIONS: Readonly<Record<string, Condition>> = {
  b: "below",
  ae: "aboveOrEqual",
  e: "equal",
  ne: "notEqual",
  be: "belowOrEqual",
  a: "above",
  l: "less",
  ge: "greaterOrEqual",
  le: "lessOrEqual",
  g: "greater",
};

/** A pseudo prefix, the name, and the operands. */
const PARTS = /^(?:\{(\w+)\} )?(\w+) ?(.*)$/;

/** An operand of an instruction in Intel's notation. */
interface Operand {
  readonly register: number;
  /** r: 64 bits, e: 32 bits of a general register; x, y, z: vectors, in memory too; t: tiles; k: masks; "": none. */
  readonly kind: "r" | "e" | "x" | "y" | "z" | "t" | "k" | "";
  readonly memory: Memory | undefined;
  /** The address is so many bytes behind the instruction. */
  readonly behind: number | undefined;
  readonly value: number | undefined;
  readonly mask: number;
  readonly zeroing: boolean;
}

const NOTHING = {
  register: -1,
  kind: "",
  memory: undefined,
  behind: undefined,
  value: undefined,
  mask: 0,
  zeroing: false,
} as const;

function generalRegister(name: string): { register: number; kind: "r" | "e" } | undefined {
  const numbered = /^r(\d+)(d?)$/.exec(name);
  if (numbered) return { register: Number(numbered[1]), kind: numbered[2] === "d" ? "e" : "r" };
  const register = GENERAL.indexOf(name.replace(/^e/, "r"));
  return register < 0 ? undefined : { register, kind: name.startsWith("e") ? "e" : "r" };
}

function memoryOperand(text: string, label: Label): { memory: Memory; behind: number | undefined } {
  const parts = text.replaceAll("-", "+-").split("+");
  let [base, index, scale, displacement] = [-1, -1, 1, 0];
  for (const part of parts) {
    const [name, factor] = part.split("*");
    if (name === "rip") return { memory: atLabel(label), behind: Number(parts[1]) };
    const register = generalRegister(name!)?.register;
    if (register === undefined) displacement = part.startsWith("-") ? -Number(part.slice(1)) : Number(part);
    else if (factor === undefined) base = register;
    else [index, scale] = [register, Number(factor)];
  }
  const place = index < 0 ? at(base, displacement) : indexed(base, index, scale as 1 | 2 | 4 | 8, displacement);
  return { memory: place, behind: undefined };
}

function parseOperand(text: string, label: Label): Operand {
  const place = /\[(.*)\]/.exec(text);
  const mask = Number(/\{k(\d)\}/.exec(text)?.[1] ?? 0);
  const zeroing = text.includes("{z}");
  if (place) {
    const kind = (/^([XYZ])MMWORD/.exec(text)?.[1]?.toLowerCase() ?? "") as Operand["kind"];
    return { ...NOTHING, ...memoryOperand(place[1]!, label), kind, mask, zeroing };
  }
  const vector = /^([xyzt])mm(\d+)/.exec(text) ?? /^(k)(\d)/.exec(text);
  if (vector) return { ...NOTHING, kind: vector[1] as "x", register: Number(vector[2]), mask, zeroing };
  const general = generalRegister(text);
  if (general) return { ...NOTHING, ...general };
  const value = text.replace(/^\.\+/, "");
  return { ...NOTHING, value: value.startsWith("-") ? -Number(value.slice(1)) : Number(value) };
}

/** Shifts of lanes by an immediate, whose destination does not stand in ModRM.reg. */
const SHIFTS = ["vpslld", "vpsrld", "vpsllq", "vpsrlq"] as const;
const isShift = (name: string): name is (typeof SHIFTS)[number] => (SHIFTS as readonly string[]).includes(name);

/** Whether our assembler has the instruction at all. */
export function assembles(text: string): boolean {
  const [, prefix, name] = PARTS.exec(text)!;
  if (prefix !== "vex3" && prefix !== "evex") return true;
  return name === "kmovw" || isShift(name!) || name! in VECTOR_OPS;
}

/** The bytes that our assembler makes of an instruction in the GNU assembler's notation; its pseudo prefixes tell VEX from EVEX. */
export function assembled(text: string): Uint8Array {
  const [, prefix, name, rest] = PARTS.exec(text)!;
  const asm = new Assembler();
  const label = new Label();
  const operands = rest === "" ? [] : rest!.split(",").map((operand) => parseOperand(operand, label));
  if (prefix === "vex3" || prefix === "evex") assembleVector(asm, prefix, name!, operands);
  else assembleGeneral(asm, name!, operands, label);
  const length = asm.length;
  // Where the label lies: relative to the end for addresses, to the beginning for jumps.
  const behind = operands.find((operand) => operand.behind !== undefined)?.behind;
  const target = behind === undefined ? operands[0]?.value : length + behind;
  while (asm.length < (target ?? 0)) asm.ret();
  asm.bind(label);
  return asm.finish().slice(0, length);
}

function assembleGeneral(asm: Assembler, name: string, operands: readonly Operand[], label: Label): void {
  const [a, b] = operands;
  const source = b?.memory ?? b?.register ?? -1;
  const [, kind, suffix] = /^(j|cmov)(\w+)$/.exec(name) ?? [];
  const condition = CONDITIONS[suffix ?? ""];
  if (condition !== undefined) {
    if (CONDITION[condition] === undefined) throw new Error(`${condition} is no condition`);
    if (kind === "j") asm.jumpIf(condition, label);
    else asm.moveIf(condition, a!.register, source);
    return;
  }
  switch (name) {
    case "ret":
    case "vzeroupper":
      asm[name]();
      return;
    case "jmp":
      asm.jump(label);
      return;
    case "call":
      asm.call(label);
      return;
    case "push":
    case "pop":
      asm[name](a!.register);
      return;
    case "mov":
      moveGeneral(asm, a!, b!);
      return;
    case "lea":
      asm.lea(a!.register, b!.memory!);
      return;
    case "imul":
      asm.imul(a!.register, source);
      return;
    case "test":
      asm.test(a!.register);
      return;
    case "shl":
      asm.shiftLeft(a!.register, b!.value!);
      return;
    case "shr":
      asm.shiftRight(a!.register, b!.value!);
      return;
    case "popcnt":
    case "tzcnt":
      asm[name](a!.register, b!.register);
      return;
    case "prefetchw":
    case "prefetcht0":
    case "prefetcht1":
      asm.prefetch(name === "prefetchw" ? 0 : name === "prefetcht0" ? 1 : 2, a!.memory!);
      return;
    default:
      if (b!.value !== undefined) asm.computeConstant(name as Arithmetic, a!.register, b!.value);
      else if (name === "cmp" && a!.kind === "e") asm.compare32(a!.register, source);
      else asm.compute(name as Arithmetic, a!.register, source);
  }
}

function moveGeneral(asm: Assembler, a: Operand, b: Operand): void {
  if (b.value !== undefined) asm.movConstant(a.register, b.value);
  else if (a.memory !== undefined && b.kind === "r") asm.store(a.memory, b.register);
  else if (a.memory !== undefined) asm.store32(a.memory, b.register);
  else if (a.kind === "r") asm.mov(a.register, b.memory ?? b.register);
  else asm.mov32(a.register, b.memory ?? b.register);
}

function assembleVector(asm: Assembler, prefix: "vex3" | "evex", name: string, operands: readonly Operand[]): void {
  const [first] = operands;
  if (name.includes("tile") || name.startsWith("tdp")) {
    assembleTile(asm, name as VectorOpName, operands);
    return;
  }
  if (name === "kmovw") {
    if (first!.kind === "k") asm.kmovToMask(first!.register, operands[1]!.register);
    else asm.kmovFromMask(first!.register, operands[1]!.register);
    return;
  }
  const bytes = Math.max(...operands.map(({ kind }) => ({ x: 16, y: 32, z: 64 })[kind as "x"] ?? 16)) as VectorBytes;
  if (isShift(name)) {
    asm[name](bytes, first!.register, operands[1]!.register, operands[2]!.value!);
    return;
  }
  const isStore = first!.memory !== undefined && `${name}Store` in VECTOR_OPS;
  const op = (isStore ? `${name}Store` : name) as VectorOpName;
  // A fourth register stands in the upper half of an immediate.
  const last = operands[3]?.register ?? -1;
  const immediate = last >= 0 ? last << 4 : operands.at(-1)!.value;
  const places = operands.slice(0, last >= 0 ? 3 : 4).filter(({ value }) => value === undefined);
  // What goes into ModRM.rm stands last, but first in stores and extracts.
  const reversed = isStore || /^v(extract|pcompress)/.test(name);
  const rm = reversed ? places[0]! : places.at(-1)!;
  const reg = reversed ? places.at(-1)! : places[0]!;
  const middle = places.length === 3 ? places[1]!.register : -1;
  const source = rm.memory ?? rm.register;
  if (prefix === "vex3") asm.vex(op, bytes as 16 | 32, reg.register, middle, source, immediate);
  else {
    const { mask, zeroing } = first!;
    asm.evex(op, bytes, reg.register, middle, source, { mask, zeroing, ...(immediate !== undefined && { immediate }) });
  }
}

/** Of tiles the first operand stands in ModRM.reg, but memory in ModRM.rm always, and the third one in vvvv. */
function assembleTile(asm: Assembler, name: VectorOpName, operands: readonly Operand[]): void {
  const place = operands.find(({ memory }) => memory !== undefined)?.memory;
  const [first, second, third] = operands.filter(({ memory }) => memory === undefined);
  asm.vex(name, 16, first?.register ?? 0, third?.register ?? -1, place ?? second?.register ?? 0);
}
