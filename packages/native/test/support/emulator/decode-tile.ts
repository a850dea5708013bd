import type { Cursor, Extensions } from "./cursor.js";
import { type Instruction, NONE, type OperandKind } from "./instruction.js";

/** Bytes of a configuration in memory. */
const CONFIGURATION_BYTES = 64;

const NP = 0;
const F3 = 2;
const F2 = 3;

interface TilePrefix extends Extensions {
  readonly prefix: number;
  readonly w: number;
  readonly vvvv: number;
}

/** Instructions on tiles (Intel, volume 2, AMX): VEX, 128 bits, map 0F38, whose opcode has been read; undefined if it is none of them. */
export function decodeTile(c: Cursor, p: TilePrefix, opcode: number): Instruction | undefined {
  const name = tileName(p.prefix, opcode, c.peek());
  if (name === undefined) return undefined;
  const modRm = c.modRm(p, 1);
  const inMemory = modRm.memory !== undefined;
  const [operands, memoryBytes]: readonly [readonly OperandKind[], number] = (
    {
      ldtilecfg: [["M"], CONFIGURATION_BYTES],
      tilerelease: [[], 0],
      tilezero: [["T"], 0],
      tileloadd: [["T", "M"], 0],
      tilestored: [["M", "T"], 0],
      tdpbf16ps: [["T", "U", "S"], 0],
    } as const
  )[name];
  if (p.w !== 0) c.fail(`${name} with W`);
  if (operands.includes("M") !== inMemory) c.fail(`a form of ${name} that does not exist`);
  if (p.vvvv !== 0 && !operands.includes("S")) c.fail(`${name} with vvvv`);
  if (Math.max(modRm.reg, modRm.rm, operands.includes("S") ? p.vvvv : 0) > 7) c.fail(`${name} of no tile`);
  if (operands.includes("S") && new Set([modRm.reg, modRm.rm, p.vvvv]).size < 3) c.fail(`${name} with equal tiles`);
  return {
    at: c.start,
    length: c.at - c.start,
    encoding: "vex",
    name,
    operands,
    sets: [name === "tdpbf16ps" ? "amx-bf16" : "amx-tile"],
    bytes: 16,
    memoryBytes,
    elementBytes: 4,
    ...modRm,
    vvvv: p.vvvv,
    mask: 0,
    zeroing: false,
    broadcast: false,
    condition: NONE,
    immediate: undefined,
    target: undefined,
  };
}

function tileName(prefix: number, opcode: number, modRm: number) {
  const inMemory = modRm >> 6 !== 3;
  if (opcode === 0x49 && prefix === NP && inMemory && ((modRm >> 3) & 7) === 0) return "ldtilecfg";
  if (opcode === 0x49 && prefix === NP && modRm === 0xc0) return "tilerelease";
  if (opcode === 0x49 && prefix === F2 && (modRm & 0xc7) === 0xc0) return "tilezero";
  // Memory of tiles always has a SIB byte: its index is the distance of rows.
  if (opcode === 0x4b && inMemory && (modRm & 7) === 4) {
    if (prefix === F2) return "tileloadd";
    if (prefix === F3) return "tilestored";
  }
  if (opcode === 0x5c && prefix === F3 && !inMemory) return "tdpbf16ps";
  return undefined;
}
