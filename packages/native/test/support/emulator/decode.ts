import { Cursor } from "./cursor.js";
import { decodeGeneral } from "./decode-general.js";
import { decodeVector } from "./decode-vector.js";
import { type Instruction, RIP } from "./instruction.js";

/** The instruction at an offset of the code. @throws DecodeError for anything that the tables do not have */
export function decode(code: Uint8Array, at: number): Instruction {
  const cursor = new Cursor(code, at);
  const first = cursor.peek();
  const vector = first === 0xc4 || first === 0xc5 || first === 0x62;
  if (vector) cursor.byte();
  const instruction = vector ? decodeVector(cursor, first) : decodeGeneral(cursor);
  const { memory } = instruction;
  if (memory?.base !== RIP) return instruction;
  return { ...instruction, memory: { ...memory, displacement: memory.displacement + at + instruction.length } };
}
