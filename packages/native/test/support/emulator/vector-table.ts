import type { OperandKind } from "./instruction.js";
import { VECTOR_ROWS } from "./vector-rows.js";

/** A row of the manual's tables for one encoding. */
export interface VectorForm {
  readonly name: string;
  readonly operands: readonly OperandKind[];
  /** The ModRM.reg field where it is part of the opcode. */
  readonly digit: number | undefined;
  /** "v": the whole vector; "b": or an element that is broadcast (EVEX); "h", "q", "e": a half, a quarter, an eighth; else bytes. "-": no memory. */
  readonly memory: string;
  readonly elementBytes: number;
  /** Letters of the lengths there are: x, y, z; "s": a scalar, the length says nothing. */
  readonly lengths: string;
  readonly set: string;
}

const forms = new Map<string, VectorForm[]>();

function key(encoding: "vex" | "evex", prefix: number, map: number, opcode: number, w: number): string {
  return `${encoding} ${prefix} ${map} ${opcode} ${w}`;
}

const PREFIXES = ["NP", "66", "F3", "F2"];
const MAPS = ["", "0F", "0F38", "0F3A"];
const SETS: Readonly<Record<string, string>> = {
  F: "avx512f",
  DQ: "avx512dq",
  BW: "avx512bw",
  CD: "avx512cd",
  BF16: "avx512_bf16",
  AVX: "avx",
  AVX2: "avx2",
  FMA: "fma",
  F16C: "f16c",
};

function add(line: string): void {
  const [prefix, map, opcode, w, name, operands, memory, lengths, ...sets] = line.trim().split(/\s+/) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    ...string[],
  ];
  const [byte, digit] = opcode.split("/");
  const [memoryForm, element] = memory.split("/");
  const present = (["vex", "evex"] as const).filter((_, i) => w[i] !== "-");
  for (const [i, encoding] of present.entries()) {
    const form: VectorForm = {
      name: name.toLowerCase(),
      operands: (operands === "-" ? [] : [...operands]) as OperandKind[],
      digit: digit === undefined ? undefined : Number(digit),
      memory: memoryForm!,
      elementBytes: Number(element),
      lengths: lengths.split(",").at(encoding === "vex" ? 0 : -1)!,
      set: SETS[sets[i]!]!,
    };
    const bit = w[encoding === "vex" ? 0 : 1];
    for (const value of bit === "g" ? [0, 1] : [Number(bit)]) {
      const place = key(encoding, PREFIXES.indexOf(prefix), MAPS.indexOf(map), Number.parseInt(byte!, 16), value);
      forms.set(place, [...(forms.get(place) ?? []), form]);
    }
  }
}

for (const line of VECTOR_ROWS.split("\n")) if (line.trim() !== "" && !line.startsWith("#")) add(line);

/** What could be meant by an opcode: several forms where ModRM or the length decides. */
export function vectorForms(
  encoding: "vex" | "evex",
  prefix: number,
  map: number,
  opcode: number,
  w: number,
): readonly VectorForm[] {
  return forms.get(key(encoding, prefix, map, opcode, w)) ?? [];
}
