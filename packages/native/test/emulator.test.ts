import { describe, expect, it } from "vitest";
import { Assembler } from "../dist/assembler/assembler.js";
import { at, RAX, RBX, RCX, RDI } from "../dist/assembler/operands.js";
import { assembled } from "./support/assemble.js";
import { Emulator } from "./support/emulator/emulator.js";
import { followCode } from "./support/emulator/flow.js";
import { SOURCE } from "./support/emulator/machine.js";
import { regionOver } from "./support/emulator/memory.js";

const BASE = 0x6000_0000_0000;

/** Runs instructions on `memory`, at RDI. Whoever looks at upper lanes afterwards does so in memory. */
function run(memory: Uint8Array, ...parts: (string | ((asm: Assembler) => void))[]): number {
  const pieces = parts.map((part) => {
    if (typeof part === "string") return assembled(part);
    const asm = new Assembler();
    part(asm);
    const { length } = asm;
    return asm.finish().slice(0, length);
  });
  const code = Uint8Array.from([...pieces, assembled("vzeroupper"), assembled("ret")].flatMap((piece) => [...piece]));
  return new Emulator(code, [regionOver("memory", BASE, memory)]).call(0, BASE);
}

/** Four vectors of 64 bytes in memory: zmm1, zmm2, zmm3 before, and zmm1 afterwards. Words count up from 100, 200 and 300. */
function onVectors(text: string, mask = 0, setUp: readonly string[] = []): number[] {
  const words = new Uint32Array(64);
  for (let i = 0; i < 16; i++) [words[i], words[16 + i], words[32 + i]] = [100 + i, 200 + i, 300 + i];
  const load = (register: number) =>
    `{evex} vmovups zmm${register},ZMMWORD PTR [rdi+0x${(64 * (register - 1)).toString(16)}]`;
  run(
    new Uint8Array(words.buffer),
    ...[1, 2, 3].map(load),
    (asm) => asm.movConstant(RAX, mask),
    "{vex3} kmovw k1,eax",
    ...setUp,
    text,
    "{evex} vmovups ZMMWORD PTR [rdi+0xc0],zmm1",
  );
  return [...words.subarray(48)];
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe("what only AVX-512 has, emulated after the manual", () => {
  it("masks lanes: those left out stay, or become zero", () => {
    const lanes = (other: (i: number) => number) =>
      range(0, 16).map((i) => (0b1010_0000_0000_0110 & (1 << i) ? 200 + i : other(i)));
    expect(onVectors("{evex} vmovups zmm1{k1},zmm2", 0xa006)).toEqual(lanes((i) => 100 + i));
    expect(onVectors("{evex} vmovups zmm1{k1}{z},zmm2", 0xa006)).toEqual(lanes(() => 0));
    expect(onVectors("{evex} vblendmps zmm1{k1},zmm3,zmm2", 0xa006)).toEqual(lanes((i) => 300 + i));
  });

  it("moves 128 and 256 bits among 512", () => {
    expect(onVectors("{evex} vshuff32x4 zmm1,zmm2,zmm3,0x4e")).toEqual([
      ...range(208, 8),
      ...range(300, 4),
      ...range(304, 4),
    ]);
    expect(onVectors("{evex} vshuff32x4 zmm1,zmm2,zmm3,0xb1")).toEqual([
      ...range(204, 4),
      ...range(200, 4),
      ...range(312, 4),
      ...range(308, 4),
    ]);
    expect(onVectors("{evex} vinsertf64x4 zmm1,zmm2,ymm3,0x1")).toEqual([...range(200, 8), ...range(300, 8)]);
    expect(onVectors("{evex} vinsertf64x4 zmm1,zmm2,ymm3,0x0")).toEqual([...range(300, 8), ...range(208, 8)]);
    expect(onVectors("{evex} vextractf64x4 ymm1,zmm2,0x1")).toEqual([...range(208, 8), ...new Array(8).fill(0)]);
  });

  it("clears what is above the vector that an instruction writes", () => {
    expect(onVectors("{vex3} vmovups xmm1,xmm2")).toEqual([...range(200, 4), ...new Array(12).fill(0)]);
    expect(onVectors("{vex3} vmovups ymm1,ymm2")).toEqual([...range(200, 8), ...new Array(8).fill(0)]);
  });

  it("compares into a mask, moves and shifts masks", () => {
    const memory = new Float32Array(48);
    memory.set([1, 2, 3, Number.NaN, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    memory.fill(3, 16, 32);
    const answer = (...after: string[]) =>
      run(
        new Uint8Array(memory.buffer),
        "{evex} vmovups zmm1,ZMMWORD PTR [rdi]",
        "{evex} vcmpps k2,zmm1,ZMMWORD PTR [rdi+0x40],0x1e",
        ...after,
      );
    expect(answer("{vex3} kmovw eax,k2")).toBe(0xfff0);
    expect(answer("{vex3} kshiftrw k1,k2,0x8", "{vex3} kmovw eax,k1")).toBe(0xff);
  });

  it("combines three operands bit by bit, as the immediate's table says", () => {
    const words = (of: (a: number, b: number, c: number) => number) =>
      range(0, 16).map((i) => of(100 + i, 200 + i, 300 + i));
    expect(onVectors("{evex} vpternlogd zmm1,zmm2,zmm3,0x96")).toEqual(words((a, b, c) => a ^ b ^ c));
    expect(onVectors("{evex} vpternlogd zmm1,zmm2,zmm3,0x78")).toEqual(words((a, b, c) => a ^ (b & c)));
    expect(onVectors("{evex} vpternlogd zmm1,zmm2,zmm3,0x01")).toEqual(words((a, b, c) => ~(a | b | c) >>> 0));
  });

  it("moves lanes that a mask names together; those behind them stay, or become zero", () => {
    const chosen = [201, 202, 213, 215];
    expect(onVectors("{evex} vpcompressd zmm1{k1},zmm2", 0xa006)).toEqual([...chosen, ...range(104, 12)]);
    expect(onVectors("{evex} vpcompressd zmm1{k1}{z},zmm2", 0xa006)).toEqual([...chosen, ...new Array(12).fill(0)]);
  });

  it("shifts lanes, each by as much as another lane says, and makes doubles of them and back", () => {
    expect(onVectors("{evex} vpsrld zmm1,zmm2,0x3")).toEqual(range(200, 16).map((word) => word >> 3));
    const by = ["{evex} vpsrld zmm3,zmm3,0x4"];
    expect(onVectors("{evex} vpsllvd zmm1,zmm2,zmm3", 0, by)).toEqual(
      range(200, 16).map((word, i) => (word << ((300 + i) >> 4)) >>> 0),
    );
    expect(onVectors("{evex} vcvttpd2dq ymm1,zmm2", 0, ["{evex} vcvtdq2pd zmm2,ymm2"])).toEqual([
      ...range(200, 8),
      ...new Array(8).fill(0),
    ]);
  });

  it("leaves memory alone where a mask leaves lanes out, loading and storing", () => {
    const words = new Uint32Array(5).fill(7);
    run(
      new Uint8Array(words.buffer),
      (asm) => asm.movConstant(RAX, 0b10110),
      "{vex3} kmovw k1,eax",
      "{evex} vmovups zmm1{k1}{z},ZMMWORD PTR [rdi]",
      (asm) => asm.movConstant(RAX, 0b00101),
      "{vex3} kmovw k1,eax",
      "{evex} vmovups ZMMWORD PTR [rdi]{k1},zmm1",
    );
    expect([...words]).toEqual([0, 7, 7, 7, 7]);
  });
});

describe("flags of general registers", () => {
  const answer = (...parts: Parameters<typeof run>[1][]) => run(new Uint8Array(16), ...parts);

  it("are added as a carry", () => {
    const below: Parameters<typeof run>[1][] = [
      (asm) => asm.movConstant(RCX, 5),
      (asm) => asm.computeConstant("cmp", RCX, 6),
    ];
    expect(
      answer(
        (asm) => asm.movConstant(RAX, 7),
        ...below,
        (asm) => asm.computeConstant("adc", RAX, 3),
      ),
    ).toBe(11);
    expect(answer((asm) => asm.movConstant(RAX, 7), "{load} cmp rdi,rdi", "adc rax,0x3")).toBe(10);
    // All ones and nothing but the carry are 2^64, and carry again.
    const ones: Parameters<typeof run>[1][] = [(asm) => asm.movConstant(RAX, 0), "sub rax,0x1", ...below];
    expect(answer(...ones, "adc rax,0x0", "adc rax,0x0")).toBe(1);
  });

  it("choose whether a register is replaced; its upper half is gone in any case", () => {
    const choice = (name: string) => [
      (asm: Assembler) => asm.movConstant(RCX, 5),
      (asm: Assembler) => asm.movConstant(RAX, 0),
      "sub rax,0x2",
      (asm: Assembler) => asm.computeConstant("cmp", RCX, 6),
      `${name} eax,ecx`,
      "shr rax,0x1",
    ];
    expect(answer(...choice("cmovb"))).toBe(2);
    expect(answer(...choice("cmovae"))).toBe(0x7fffffff);
  });
});

describe("the emulator stops", () => {
  const memory = () => new Uint8Array(64);

  it("at loads and stores outside the memory", () => {
    expect(() => run(memory(), "{vex3} vmovups ymm1,YMMWORD PTR [rdi+0x21]")).toThrow(/lie outside/);
    expect(() => run(memory(), (asm) => asm.store32(at(RDI, -4), RAX))).toThrow(/lie outside/);
    expect(() => run(memory(), (asm) => asm.mov(RAX, at(RCX)))).toThrow(/lie outside/);
  });

  it("at opcodes that it does not know", () => {
    expect(() => followCode(Uint8Array.of(0x0f, 0x0b), [0])).toThrow(/unknown opcode at 0: 0f 0b/);
    expect(() => followCode(Uint8Array.of(0xc5, 0xf8, 0xff), [0])).toThrow(/unknown vex opcode/);
  });

  it("where code runs into its constants, or has bytes that nothing reaches", () => {
    expect(() => followCode(Uint8Array.of(0x90, 0xcc), [0])).toThrow(/unknown opcode at 1/);
    expect(() => followCode(Uint8Array.of(0xc3, 0x50, 0xc3), [0, 2])).toThrow(/nothing reaches at 1/);
  });

  it("if registers that belong to the caller are not as they were, or upper lanes are left in use", () => {
    expect(() => run(memory(), (asm) => asm.movConstant(RBX, 1))).toThrow(/register 3/);
    const code = Uint8Array.from([...assembled("{vex3} vmovups ymm1,ymm2"), ...assembled("ret")]);
    expect(() => new Emulator(code, [regionOver("memory", BASE, memory())]).call(0, BASE)).toThrow(/upper lanes of v0/);
  });

  it("at a jump on flags that are undefined, and where they are added", () => {
    expect(() => run(memory(), "imul rax,rdx", "{disp32} je .+0x6")).toThrow(/undefined flag/);
    expect(() => run(memory(), "adc rax,0x1")).toThrow(/undefined carry/);
  });

  it("keeps registers of its own out of reach", () => {
    expect(SOURCE).toBe(32);
  });
});
