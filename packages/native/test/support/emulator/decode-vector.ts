import type { Cursor, ModRm } from "./cursor.js";
import { decodeTile } from "./decode-tile.js";
import type { Instruction } from "./instruction.js";
import { type VectorForm, vectorForms } from "./vector-table.js";

/** What the bytes of a prefix say. */
interface Prefix {
  readonly encoding: "vex" | "evex";
  readonly map: number;
  readonly prefix: number;
  readonly w: number;
  readonly r: number;
  readonly x: number;
  readonly b: number;
  /** Bit 4 of ModRM.reg. */
  readonly highReg: number;
  readonly vvvv: number;
  readonly length: number;
  readonly mask: number;
  readonly zeroing: boolean;
  readonly broadcast: boolean;
}

const PLAIN = { highReg: 0, mask: 0, zeroing: false, broadcast: false } as const;

function vex2(c: Cursor): Prefix {
  const p = c.byte();
  const vvvv = (~p >> 3) & 15;
  return {
    ...PLAIN,
    encoding: "vex",
    map: 1,
    prefix: p & 3,
    w: 0,
    r: (~p >> 7) & 1,
    x: 0,
    b: 0,
    vvvv,
    length: (p >> 2) & 1,
  };
}

function vex3(c: Cursor): Prefix {
  const p0 = c.byte();
  const p1 = c.byte();
  return {
    ...PLAIN,
    encoding: "vex",
    map: p0 & 31,
    prefix: p1 & 3,
    w: p1 >> 7,
    r: (~p0 >> 7) & 1,
    x: (~p0 >> 6) & 1,
    b: (~p0 >> 5) & 1,
    vvvv: (~p1 >> 3) & 15,
    length: (p1 >> 2) & 1,
  };
}

function evex(c: Cursor): Prefix {
  const [p0, p1, p2] = [c.byte(), c.byte(), c.byte()];
  if ((p0 & 8) !== 0 || (p1 & 4) === 0) c.fail("EVEX with a wrong fixed bit");
  const zeroing = p2 >> 7 === 1;
  const mask = p2 & 7;
  if (zeroing && mask === 0) c.fail("zeroing without a mask");
  return {
    encoding: "evex",
    map: p0 & 7,
    prefix: p1 & 3,
    w: p1 >> 7,
    r: (~p0 >> 7) & 1,
    x: (~p0 >> 6) & 1,
    b: (~p0 >> 5) & 1,
    highReg: (~p0 >> 4) & 1,
    vvvv: ((~p1 >> 3) & 15) | ((~p2 & 8) << 1),
    length: (p2 >> 5) & 3,
    mask,
    zeroing,
    broadcast: (p2 & 16) !== 0,
  };
}

/** The instruction behind a first byte of C4, C5 or 62, which has been read. */
export function decodeVector(c: Cursor, first: number): Instruction {
  const p = first === 0x62 ? evex(c) : first === 0xc4 ? vex3(c) : vex2(c);
  const opcode = c.byte();
  const tile = p.encoding === "vex" && p.map === 2 && p.length === 0 ? decodeTile(c, p, opcode) : undefined;
  if (tile !== undefined) return tile;
  const candidates = vectorForms(p.encoding, p.prefix, p.map, opcode, p.w);
  if (candidates.length === 0) c.fail(`an unknown ${p.encoding} opcode`);
  const form = candidates.find((candidate) => fits(candidate, p, candidate.operands[0] === undefined ? 0 : c.peek()));
  if (form === undefined) c.fail(`a form of ${candidates[0]!.name} that does not exist`);
  const bytes = form.lengths === "s" ? 16 : 16 << p.length;
  const memoryBytes = bytesInMemory(form, bytes, p);
  const unit = p.encoding === "evex" ? (form.memory === "c" ? form.elementBytes : memoryBytes) : 1;
  const modRm: ModRm = form.operands[0] === undefined ? { reg: 0, rm: 0, memory: undefined } : c.modRm(p, unit);
  const immediate = form.operands.some((kind) => kind === "I" || kind === "L") ? c.byte() : undefined;
  check(c, form, p, modRm, immediate);
  return {
    at: c.start,
    length: c.at - c.start,
    encoding: p.encoding,
    name: form.name,
    operands: form.operands,
    sets:
      p.encoding === "evex" && bytes < 64 && form.lengths !== "s" && form.lengths !== "x"
        ? [form.set, "avx512vl"]
        : [form.set],
    bytes,
    memoryBytes,
    elementBytes: form.elementBytes,
    ...modRm,
    reg: modRm.reg | (p.highReg << 4),
    rm:
      modRm.memory === undefined && form.operands.includes("W") && p.encoding === "evex"
        ? modRm.rm | (p.x << 4)
        : modRm.rm,
    vvvv: p.vvvv,
    mask: p.mask,
    zeroing: p.zeroing,
    broadcast: p.broadcast,
    condition: -1,
    immediate,
    target: undefined,
  };
}

function fits(form: VectorForm, { length }: Prefix, modRm: number): boolean {
  if (form.lengths !== "s" && !form.lengths.includes("xyz"[length] ?? "?")) return false;
  if (form.digit !== undefined && form.digit !== ((modRm >> 3) & 7)) return false;
  const inMemory = modRm >> 6 !== 3;
  if (form.operands.includes("M")) return inMemory;
  return form.memory !== "-" || form.operands.length === 0 || !inMemory;
}

function bytesInMemory(form: VectorForm, vectorBytes: number, { broadcast }: Prefix): number {
  switch (form.memory) {
    case "v":
    case "c":
      return vectorBytes;
    case "b":
      return broadcast ? form.elementBytes : vectorBytes;
    case "h":
      return vectorBytes / 2;
    case "q":
      return vectorBytes / 4;
    case "-":
      return 0;
    default:
      return Number(form.memory);
  }
}

/** What the manual forbids besides opcodes: it raises #UD on a processor. */
function check(c: Cursor, form: VectorForm, p: Prefix, { memory }: ModRm, immediate: number | undefined): void {
  const { operands } = form;
  if (p.vvvv !== 0 && !operands.includes("H") && !operands.includes("N")) c.fail(`${form.name} with vvvv`);
  if (p.broadcast && (memory === undefined || form.memory !== "b")) c.fail(`${form.name} with broadcast or rounding`);
  const toMemory = memory !== undefined && (operands[0] === "W" || operands[0] === "M" || operands[0] === "E");
  if (p.zeroing && (toMemory || operands[0] === "K")) c.fail(`${form.name} with zeroing`);
  if (p.mask !== 0 && operands.some((kind) => kind === "G" || kind === "E")) c.fail(`${form.name} with a mask`);
  if (
    p.mask !== 0 &&
    form.name.startsWith("vmov") &&
    operands.length === 2 &&
    form.elementBytes === 8 &&
    form.lengths === "x"
  )
    c.fail(`${form.name} with a mask`);
  if (operands.includes("L") && (immediate! & 15) !== 0) c.fail(`${form.name} with low bits in its register operand`);
  if (operands[0] === "K" && (p.highReg | p.r) !== 0) c.fail(`${form.name} to no mask register`);
  if (operands.includes("N") && p.vvvv > 7) c.fail(`${form.name} of no mask register`);
}
