import type { Assembler, VectorBytes } from "../assembler/assembler.js";
import { atLabel, indexed, type Label, type Memory, type Register } from "../assembler/operands.js";
import type { VectorOpName } from "../assembler/vector-ops.js";

/** The instruction sets that kernels are written for: 16 registers of 8 floats, or 32 of 16. */
export type InstructionSet = "avx2" | "avx512";

/** Comparisons, by their numbers in vcmpps: ordered (NaN is false), quiet. */
export const COMPARE = { equal: 0x00, less: 0x11, greaterOrEqual: 0x1d, greater: 0x1e, notEqual: 0x04 } as const;

/** The same in comparisons of 32 bits without sign. */
const COMPARE_WORDS = { belowOrEqual: 2, aboveOrEqual: 5, above: 6 } as const;

/** vpternlogd: bit 4d + 2a + b says what bits d, a and b of destination and sources become. */
const TERNARY = { xorBoth: 0x96, xorMasked: 0x78 } as const;

/**
 * Vector instructions at the width of an instruction set, under one name each: a kernel is written once, for both. Registers are v0, v1, …; a
 * tail is the last vector of a row, of which only the first lanes belong to us: AVX2 keeps them in its last register, v15, AVX-512 in mask k1.
 */
export class Vectors {
  readonly set: InstructionSet;
  readonly asm: Assembler;
  /** Floats of a vector. */
  readonly lanes: 8 | 16;
  readonly bytes: VectorBytes;
  readonly #tailMasks: Label;

  constructor(asm: Assembler, set: InstructionSet) {
    this.set = set;
    this.asm = asm;
    const wide = set === "avx512";
    this.lanes = wide ? 16 : 8;
    this.bytes = wide ? 64 : 32;
    this.#tailMasks = asm.table(
      wide
        ? Array.from({ length: 17 }, (_, count) => 2 ** count - 1)
        : Array.from({ length: 16 }, (_, i) => (i < 8 ? -1 : 0)),
    );
  }

  /** destination ← a op b; a is −1 where the instruction has one source. */
  op(name: VectorOpName, destination: number, a: number, b: number | Memory, immediate?: number): void {
    if (this.set === "avx512") {
      this.asm.evex(name, 64, destination, a, b, immediate === undefined ? {} : { immediate });
    } else {
      this.asm.vex(name, 32, destination, a, b, immediate);
    }
  }

  load(destination: number, source: Memory): void {
    this.op("vmovups", destination, -1, source);
  }

  store(destination: Memory, source: number): void {
    this.op("vmovupsStore", source, -1, destination);
  }

  move(destination: number, source: number): void {
    this.op("vmovups", destination, -1, source);
  }

  /** All lanes ← one float32 in memory. */
  broadcast(destination: number, source: Memory): void {
    this.op("vbroadcastss", destination, -1, source);
  }

  /** All lanes ← a constant. */
  constant(destination: number, value: number): void {
    this.broadcast(destination, this.asm.float(value));
  }

  /** A constant in every lane of a vector in memory, as an operand. */
  inMemory(value: number): Memory {
    return this.wordInMemory(new Int32Array(new Float32Array([value]).buffer)[0]!);
  }

  /** The same of any 32 bits. */
  wordInMemory(word: number): Memory {
    return this.words(() => word);
  }

  /** Words in memory, one for each lane, as an operand. */
  words(of: (lane: number) => number): Memory {
    return atLabel(this.asm.table(Array.from({ length: this.lanes }, (_, lane) => of(lane))));
  }

  /** A float64 in every lane of a vector of such in memory. */
  doubleInMemory(value: number): Memory {
    const [low, high] = new Int32Array(new Float64Array([value]).buffer) as unknown as [number, number];
    return this.words((lane) => (lane % 2 === 0 ? low : high));
  }

  zero(destination: number): void {
    // The short form clears the whole register, and is known to depend on nothing.
    if (destination < 16) this.asm.vex("vxorps", 16, destination, destination, destination);
    else this.op("vxorps", destination, destination, destination);
  }

  /** Makes the tail the first `count` lanes, 0 to all. Changes `scratch` and `count`. */
  setTail(count: Register, scratch: Register): void {
    this.asm.lea(scratch, atLabel(this.#tailMasks));
    if (this.set === "avx512") {
      this.asm.mov32(count, indexed(scratch, count, 4));
      this.asm.kmovToMask(1, count);
      return;
    }
    this.asm.computeConstant("xor", count, -1);
    this.asm.vex("vmovups", 32, 15, -1, indexed(scratch, count, 4, 36));
  }

  /** The lanes of the tail from memory, the others 0. Reads nothing beyond them. */
  loadTail(destination: number, source: Memory): void {
    if (this.set === "avx512") this.asm.evex("vmovups", 64, destination, -1, source, { mask: 1, zeroing: true });
    else this.asm.vex("vmaskmovps", 32, destination, 15, source);
  }

  /** Stores the lanes of the tail and nothing else. */
  storeTail(destination: Memory, source: number): void {
    if (this.set === "avx512") this.asm.evex("vmovupsStore", 64, source, -1, destination, { mask: 1 });
    else this.asm.vex("vmaskmovpsStore", 32, source, 15, destination);
  }

  loadPart(destination: number, source: Memory, tail: boolean): void {
    if (tail) this.loadTail(destination, source);
    else this.load(destination, source);
  }

  storePart(destination: Memory, source: number, tail: boolean): void {
    if (tail) this.storeTail(destination, source);
    else this.store(destination, source);
  }

  /** destination ← destination ^ a ^ b */
  xorBoth(destination: number, a: number, b: number): void {
    if (this.set === "avx512") {
      this.asm.evex("vpternlogd", 64, destination, a, b, { immediate: TERNARY.xorBoth });
      return;
    }
    this.op("vxorps", destination, destination, a);
    this.op("vxorps", destination, destination, b);
  }

  /** destination ← destination ^ (value & mask); `value` may change */
  xorMasked(destination: number, value: number, mask: number): void {
    if (this.set === "avx512") {
      this.asm.evex("vpternlogd", 64, destination, value, mask, { immediate: TERNARY.xorMasked });
      return;
    }
    this.op("vandps", value, value, mask);
    this.op("vxorps", destination, destination, value);
  }

  /** Lanes of `destination` where a compares with b ← source. AVX2 uses `scratch`, AVX-512 mask k2. */
  whereMove(
    comparison: keyof typeof COMPARE,
    destination: number,
    source: number,
    a: number,
    b: number,
    scratch: number,
  ): void {
    const immediate = COMPARE[comparison];
    if (this.set === "avx512") {
      this.asm.evex("vcmpps", 64, 2, a, b, { immediate });
      this.asm.evex("vmovups", 64, destination, -1, source, { mask: 2 });
      return;
    }
    this.asm.vex("vcmpps", 32, scratch, a, b, immediate);
    this.asm.vex("vblendvps", 32, destination, destination, source, scratch << 4);
  }

  /** Lanes of `value` ← 0 but where a ≥ b, both 32 bits without sign. AVX2 uses `scratch`, AVX-512 mask k2. */
  whereNotBelow(value: number, a: number, b: number, scratch: number): void {
    if (this.set === "avx512") {
      this.compareWords(2, "aboveOrEqual", a, b, false);
      this.asm.evex("vmovups", 64, value, -1, value, { mask: 2, zeroing: true });
      return;
    }
    this.op("vpmaxud", scratch, a, b);
    this.op("vpcmpeqd", scratch, scratch, a);
    this.op("vandps", value, value, scratch);
  }

  /** AVX-512 alone: mask register ← lanes whose 32 bits without sign compare, of a tail only its own. */
  compareWords(mask: number, comparison: keyof typeof COMPARE_WORDS, a: number, b: number, tail: boolean): void {
    this.asm.evex("vpcmpud", 64, mask, a, b, { immediate: COMPARE_WORDS[comparison], mask: tail ? 1 : 0 });
  }

  /** register ← one bit for each lane, the first lowest: whether a compares with b. Without the lanes beyond a tail. Uses `scratch`, or k2. */
  compareBits(
    register: Register,
    comparison: keyof typeof COMPARE,
    a: number,
    b: number,
    scratch: number,
    tail: boolean,
  ): void {
    const immediate = COMPARE[comparison];
    if (this.set === "avx512") {
      this.asm.evex("vcmpps", 64, 2, a, b, { immediate, mask: tail ? 1 : 0 });
      this.asm.kmovFromMask(register, 2);
      return;
    }
    this.asm.vex("vcmpps", 32, scratch, a, b, immediate);
    if (tail) this.asm.vex("vandps", 32, scratch, scratch, 15);
    this.asm.vex("vmovmskps", 32, register, -1, scratch);
  }

  /** The first lane of `value` ← the sum of its lanes: halves, then halves of them, so that the order is the same in each instruction set. */
  sumLanes(value: number, scratch: number): void {
    const { asm } = this;
    if (value > 15 || scratch > 15) throw new RangeError("sums across lanes need registers below 16");
    if (this.set === "avx512") {
      asm.evex("vextractf64x4", 64, value, -1, scratch, { immediate: 1 });
      asm.vex("vaddps", 32, value, value, scratch);
    }
    asm.vex("vextractf128", 32, value, -1, scratch, 1);
    asm.vex("vaddps", 16, value, value, scratch);
    asm.vex("vpermilps", 16, scratch, -1, value, 0x4e);
    asm.vex("vaddps", 16, value, value, scratch);
    asm.vex("vpermilps", 16, scratch, -1, value, 0xb1);
    asm.vex("vaddps", 16, value, value, scratch);
  }
}
