import type { Memory } from "../../assembler/operands.js";
import type { Vectors } from "../vectors.js";

/**
 * `low` and `high` ← the two halves of a vector of floats in memory as float64; of a tail the lanes beyond it are 0. Registers below 16. A tail uses
 * `scratch`.
 */
export function loadDoubles(
  v: Vectors,
  low: number,
  high: number,
  source: Memory,
  tail: boolean,
  scratch: number,
): void {
  const { asm } = v;
  if (!tail) {
    v.op("vcvtps2pd", low, -1, source);
    v.op("vcvtps2pd", high, -1, { ...source, displacement: source.displacement + v.bytes / 2 });
    return;
  }
  v.loadTail(scratch, source);
  v.op("vcvtps2pd", low, -1, scratch);
  if (v.set === "avx512") asm.evex("vextractf64x4", 64, scratch, -1, high, { immediate: 1 });
  else asm.vex("vextractf128", 32, scratch, -1, high, 1);
  v.op("vcvtps2pd", high, -1, high);
}

/** The first lane of `value` ← the sum of its lanes of float64: halves, then halves of them. Registers below 16. */
export function sumDoubles(v: Vectors, value: number, scratch: number): void {
  const { asm } = v;
  if (v.set === "avx512") {
    asm.evex("vextractf64x4", 64, value, -1, scratch, { immediate: 1 });
    asm.vex("vaddpd", 32, value, value, scratch);
  }
  asm.vex("vextractf128", 32, value, -1, scratch, 1);
  asm.vex("vaddpd", 16, value, value, scratch);
  asm.vex("vpermilps", 16, scratch, -1, value, 0x4e);
  asm.vex("vaddpd", 16, value, value, scratch);
}
