import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { makeExecutable, nativeBridge } from "../dist/executable.js";
import { usableSets } from "../dist/index.js";
import encodings from "./fixtures/encodings.json" with { type: "json" };
import { Emulator } from "./support/emulator/emulator.js";
import { regionOver } from "./support/emulator/memory.js";
import { fma64 } from "./support/emulator/rounding.js";
import { STATE, snippets } from "./support/snippets.js";

/** States that each instruction is tried on. */
const ROUNDS = 40;

const BASE = 0x6000_0000_0000;

const bytesOf = (text: string) => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));

/** What can run alone, with operands in registers or at RDI: no jumps, no stack, no masks, no addresses as results. */
const ALONE = Object.entries(encodings)
  .filter(
    ([text]) => !/evex|rip|rsp|r12|\bk\d|jmp|\bj[a-z]+ |call|ret|push|pop |lea|vzeroupper|prefetch|tile|tdp/.test(text),
  )
  .filter(([text]) => !text.includes("[") || text.includes("[rdi]"))
  .map(([text, bytes]) => [text, bytesOf(bytes)] as const);

/** Numbers that arithmetic treats in some way of its own. */
const SPECIAL = [
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001,
  0xffa5a5a5, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0x3f800001, 0x4b000001, 0x33800000,
];

/** Register files: plain numbers, small ones that often end between two floats, special ones, and any bits. */
function fill(words: Uint32Array, floats: Float32Array, random: TestRandom, round: number): void {
  for (let i = 0; i < words.length; i++) {
    const kind = round % 4 === 3 ? random.integer(4) : round % 4;
    if (kind === 0) floats[i] = random.normal();
    else if (kind === 1) floats[i] = (random.integer(4097) - 2048) * 2 ** (random.integer(30) - 15);
    else if (kind === 2) words[i] = random.integer(2 ** 32);
    else words[i] = SPECIAL[random.integer(SPECIAL.length)]!;
  }
}

const hasFlags = (text: string) => /\b(add|or|adc|and|sub|xor|cmp|test|popcnt|vucomiss) /.test(text);

describe.skipIf(!usableSets().includes("avx2"))("emulated instructions", () => {
  it(`leave the bits that this processor leaves: ${ALONE.length} instructions, ${ROUNDS} states of all registers each`, () => {
    const { code, all } = snippets(ALONE, hasFlags);
    const address = makeExecutable(code);
    const { koffi } = nativeBridge();
    const [real, emulated] = [new Uint8Array(STATE.bytes), new Uint8Array(STATE.bytes)];
    const block = Number(koffi.address(real));
    const proto = koffi.proto("uint32_t (uintptr_t state)");
    const emulator = new Emulator(code, [regionOver("the state", BASE, emulated)]);
    const random = new TestRandom(11);
    const [words, floats] = [new Uint32Array(real.buffer), new Float32Array(real.buffer)];
    const other = new Uint32Array(emulated.buffer);
    for (const { text, entry } of all) {
      const run = koffi.decode(address + entry, proto) as (state: number) => number;
      for (let round = 0; round < ROUNDS; round++) {
        fill(words.subarray(0, STATE.vectorsAfter / 4), floats, random, round);
        const before = real.slice();
        emulated.set(real);
        run(block);
        emulator.call(entry, BASE);
        const differs = words.findIndex((word, i) => word !== other[i]);
        if (differs >= 0) {
          const state = Array.from(new Uint32Array(before.buffer), (word) => word.toString(16));
          expect.fail(
            `${text}, round ${round}: word ${differs} is ${words[differs]!.toString(16)}, emulated ${other[differs]!.toString(16)}; before: ${state}`,
          );
        }
      }
    }
  });

  it("rounds fused multiply-adds of float64 once", () => {
    const e = 2 ** -52;
    expect(fma64(1 + e, 1 - e, -1)).toBe(-e * e);
    expect(fma64(2 ** 600, 2 ** 600, -Infinity)).toBe(-Infinity);
    expect(fma64(2 ** 600, 2 ** 600, -(2 ** 1023))).toBe(Infinity);
    expect(fma64(2 ** -600, 2 ** -600, 2 ** -1074)).toBe(2 ** -1074);
    expect(fma64(1 + e, 1 + e, 2 ** -200)).toBe(1 + 2 * e);
  });
});
