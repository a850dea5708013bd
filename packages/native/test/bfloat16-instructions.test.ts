import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { Assembler } from "../dist/assembler/assembler.js";
import { at, atLabel, indexed, RDI, RSI } from "../dist/assembler/operands.js";
import type { VectorOpName } from "../dist/assembler/vector-ops.js";
import { makeExecutable, nativeBridge } from "../dist/executable.js";
import { allowTiles, usableUnits } from "../dist/index.js";
import { Emulator } from "./support/emulator/emulator.js";
import { regionOver } from "./support/emulator/memory.js";

const BASE = 0x6000_0000_0000;
const ROUNDS = 200;

/** Palette 1, eight tiles of 16 rows of 64 bytes. */
const WHOLE_TILES = [1, 0, 0, 0, ...new Array<number>(4).fill(0x400040), 0, 0, 0, 0, 0x10101010, 0x10101010, 0, 0];

/** Three operands of `words` words each and the first one's new value behind them. */
interface Snippet {
  readonly words: number;
  readonly code: Uint8Array;
}

function vectors(name: VectorOpName): Snippet {
  const asm = new Assembler();
  for (const v of [0, 1, 2]) asm.evex("vmovups", 64, v, -1, at(RDI, 64 * v));
  asm.evex(name, 64, 0, 1, 2);
  asm.evex("vmovupsStore", 64, 0, -1, at(RDI, 192));
  asm.vzeroupper();
  asm.ret();
  return { words: 16, code: asm.finish() };
}

function tiles(): Snippet {
  const asm = new Assembler();
  asm.vex("ldtilecfg", 16, 0, -1, atLabel(asm.table(WHOLE_TILES)));
  asm.movConstant(RSI, 64);
  for (const tile of [0, 1, 2]) asm.vex("tileloadd", 16, tile, -1, indexed(RDI, RSI, 1, 1024 * tile));
  asm.vex("tdpbf16ps", 16, 0, 2, 1);
  asm.vex("tilestored", 16, 0, -1, indexed(RDI, RSI, 1, 3072));
  asm.vex("tilerelease", 16, 0, -1, 0);
  asm.vzeroupper();
  asm.ret();
  return { words: 256, code: asm.finish() };
}

const emulatorOf = ({ code }: Snippet, memory: Uint8Array) =>
  new Emulator(code, [regionOver("operands", BASE, memory)]);

/** Halves of a float32 that arithmetic treats in some way of its own: signed zeros, subnormal numbers, 1, the largest, ∞ and NaN. */
const SPECIAL = [
  0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x3f80, 0xbf80, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0, 0xffa5,
];

function fill(words: Uint32Array, floats: Float32Array, random: TestRandom, round: number): void {
  for (let i = 0; i < words.length; i++) {
    const kind = round % 5 === 4 ? random.integer(4) : round % 5;
    const half = () => SPECIAL[random.integer(SPECIAL.length)]!;
    if (kind === 0) floats[i] = random.normal();
    else if (kind === 1) floats[i] = random.normal() * 2 ** (random.integer(120) - 60);
    else if (kind === 2) words[i] = random.integer(2 ** 32);
    else words[i] = half() * 65536 + half();
  }
}

function compare(snippet: Snippet): void {
  const [real, emulated] = [new Uint32Array(4 * snippet.words), new Uint32Array(4 * snippet.words)];
  const { koffi } = nativeBridge();
  const run = koffi.decode(makeExecutable(snippet.code), koffi.proto("uint32_t (uintptr_t operands)")) as (
    operands: number,
  ) => number;
  const block = Number(koffi.address(real));
  const emulator = emulatorOf(snippet, new Uint8Array(emulated.buffer));
  const random = new TestRandom(17);
  for (let round = 0; round < ROUNDS; round++) {
    fill(real.subarray(0, 3 * snippet.words), new Float32Array(real.buffer), random, round);
    emulated.set(real);
    run(block);
    emulator.call(0, BASE);
    const differs = real.findIndex((word, i) => word !== emulated[i]);
    if (differs < 0) continue;
    expect.fail(
      `round ${round}, word ${differs}: ${real[differs]!.toString(16)}, emulated ${emulated[differs]!.toString(16)}`,
    );
  }
}

describe("instructions of bfloat16", () => {
  it.skipIf(usableUnits().length === 0)("of vectors leave the bits that they leave emulated", () => {
    compare(vectors("vcvtne2ps2bf16"));
    compare(vectors("vpermw"));
    compare(vectors("vdpbf16ps"));
    compare(vectors("vpunpcklwd"));
    compare(vectors("vpunpckhwd"));
  });

  it.skipIf(!usableUnits().includes("amx") || !allowTiles())("of tiles leave the bits that they leave emulated", () => {
    compare(tiles());
  });

  it("round to the nearest, ties to even, when they narrow", () => {
    const words = new Uint32Array(64);
    const cases = [
      [0x3f808000, 0x3f80],
      [0x3f818000, 0x3f82],
      [0x3f808001, 0x3f81],
      [0x3f807fff, 0x3f80],
      [0x7f7fffff, 0x7f80],
      [0xff800000, 0xff80],
      [0x7f800001, 0x7fc0],
      [0x007fffff, 0x0000],
      [0x80000001, 0x8000],
    ] as const;
    for (const [i, [from]] of cases.entries()) [words[16 + i], words[32 + i]] = [from, from];
    emulatorOf(vectors("vcvtne2ps2bf16"), new Uint8Array(words.buffer)).call(0, BASE);
    const halves = new Uint16Array(words.buffer, 192);
    for (const [i, [, to]] of cases.entries()) expect([halves[i], halves[16 + i]]).toEqual([to, to]);
  });

  it("multiply tiles of whole numbers as matrices", () => {
    const words = new Uint32Array(1024);
    const floats = new Float32Array(words.buffer);
    const half = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
    const a = (m: number, k: number) => ((3 * m + 5 * k) % 17) - 8;
    const b = (k: number, n: number) => ((7 * k + 2 * n) % 13) - 6;
    for (let row = 0; row < 16; row++) {
      for (let i = 0; i < 16; i++) {
        floats[16 * row + i] = row - i;
        words[256 + 16 * row + i] = half(a(row, 2 * i)) + 65536 * half(a(row, 2 * i + 1));
        words[512 + 16 * row + i] = half(b(2 * row, i)) + 65536 * half(b(2 * row + 1, i));
      }
    }
    emulatorOf(tiles(), new Uint8Array(words.buffer)).call(0, BASE);
    for (let m = 0; m < 16; m++) {
      for (let n = 0; n < 16; n++) {
        let sum = m - n;
        for (let k = 0; k < 32; k++) sum += a(m, k) * b(k, n);
        expect(floats[768 + 16 * m + n]).toBe(sum);
      }
    }
  });

  it("are refused without a configuration, or if it is left behind", () => {
    const asm = new Assembler();
    asm.vex("tilezero", 16, 0, -1, 0);
    asm.ret();
    const memory = () => new Uint8Array(64);
    expect(() => emulatorOf({ words: 0, code: asm.finish() }, memory()).call(0, BASE)).toThrow(/not configured/);
    const other = new Assembler();
    other.vex("ldtilecfg", 16, 0, -1, atLabel(other.table(WHOLE_TILES)));
    other.vzeroupper();
    other.ret();
    expect(() => emulatorOf({ words: 0, code: other.finish() }, memory()).call(0, BASE)).toThrow(/still configured/);
  });
});
