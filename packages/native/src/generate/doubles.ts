import { at, type Memory, type Register } from "../assembler/operands.js";
import type { Vectors } from "./vectors.js";

/** The first lanes of a vector of floats, or the last. */
export type Half = 0 | 1;

/** What becomes float64: floats, or integers with sign. */
type Widening = "vcvtps2pd" | "vcvtdq2pd";

/**
 * Changes doubles in memory at base + offset, one for each lane of a vector of floats, those of either half in turn: they are loaded into
 * `doubles`, `change` does what it likes with them, they are stored. `doubles` and `mask` are registers below 16.
 */
export function changeDoubles(
  v: Vectors,
  base: Register,
  offset: number,
  tail: boolean,
  doubles: number,
  mask: number,
  change: (half: Half, doubles: number) => void,
): void {
  for (const half of [0, 1] as const) {
    const place = at(base, offset + half * v.bytes);
    if (tail) {
      doubleMask(v, half, mask);
      if (v.set === "avx512") v.asm.evex("vmovupd", 64, doubles, -1, place, { mask: 1 + half, zeroing: true });
      else v.asm.vex("vmaskmovpd", 32, doubles, mask, place);
    } else {
      v.op("vmovupd", doubles, -1, place);
    }
    change(half, doubles);
    if (!tail) v.op("vmovupdStore", doubles, -1, place);
    else if (v.set === "avx512") v.asm.evex("vmovupdStore", 64, doubles, -1, place, { mask: 1 + half });
    else v.asm.vex("vmaskmovpdStore", 32, doubles, mask, place);
  }
}

/** Adds `floats` to the doubles at base + offset. */
export function addToDoubles(
  v: Vectors,
  base: Register,
  offset: number,
  tail: boolean,
  floats: number,
  spare: readonly [number, number, number],
): void {
  changeDoubles(v, base, offset, tail, spare[0], spare[1], (half, doubles) => {
    widenHalf(v, half, spare[2], floats);
    v.op("vaddpd", doubles, doubles, spare[2]);
  });
}

/** destination ← the doubles of one half of a vector of floats, or of integers with sign; registers below 16. */
export function widenHalf(
  v: Vectors,
  half: Half,
  destination: number,
  lanes: number,
  convert: Widening = "vcvtps2pd",
): void {
  let source = lanes;
  if (half === 1) {
    source = destination;
    if (v.set === "avx512") v.asm.evex("vextractf64x4", 64, lanes, -1, destination, { immediate: 1 });
    else v.asm.vex("vextractf128", 32, lanes, -1, destination, 1);
  }
  v.op(convert, destination, -1, source);
}

/** destination ← both halves, which stand in the lower halves of two registers. */
export function joinHalves(v: Vectors, destination: number, low: number, high: number): void {
  if (v.set === "avx512") v.asm.evex("vinsertf64x4", 64, destination, low, high, { immediate: 1 });
  else v.asm.vex("vinsertf128", 32, destination, low, high, 1);
}

/**
 * `low` and `high` ← the two halves of a vector of floats in memory, or of integers with sign, as float64; of a tail the lanes beyond it are 0.
 * Registers below 16. A tail uses `scratch`.
 */
export function loadDoubles(
  v: Vectors,
  low: number,
  high: number,
  source: Memory,
  tail: boolean,
  scratch: number,
  convert: Widening = "vcvtps2pd",
): void {
  if (!tail) {
    v.op(convert, low, -1, source);
    v.op(convert, high, -1, { ...source, displacement: source.displacement + v.bytes / 2 });
    return;
  }
  v.loadTail(scratch, source);
  widenHalf(v, 0, low, scratch, convert);
  widenHalf(v, 1, high, scratch, convert);
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

/** The tail's lanes of one half as lanes of doubles: in mask k1 or k2, or with AVX2 in `mask`. */
function doubleMask(v: Vectors, half: Half, mask: number): void {
  const { asm } = v;
  if (v.set === "avx512") {
    if (half === 1) asm.vex("kshiftrw", 16, 2, -1, 1, 8);
    return;
  }
  if (half === 1) asm.vex("vextractf128", 32, 15, -1, mask, 1);
  asm.vex("vpmovsxdq", 32, mask, -1, half === 0 ? 15 : mask);
}
