import type { KernelMemory } from "@logq/kernels";
import { type Bind, BLOCK_WORDS, floatsOver } from "../../../dist/bind.js";
import type { KernelName, Program } from "../../../dist/generate/program.js";
import { RESULT_DOUBLE } from "../../../dist/generate/rows/squares.js";
import { Emulator } from "./emulator.js";
import { regionOver } from "./memory.js";

/** Where a kernel memory seems to lie: so high that an address of 32 bits is none. */
const MEMORY_BASE = 0x7f10_0000_0000;
const BLOCK_BASE = 0x6000_0000_0000;
const BLOCK_DISTANCE = 4096;

/** A word that tests put wherever a kernel has no business (the bench's sentinel). */
const POISON = 0x7fa5a5a5;

/** Kernels whose answer means something; the others leave in EAX what happens to be there. */
const ANSWERING: readonly string[] = ["softmaxExponentials", "allFinite"];

/** Words of the arguments that a result is left in. */
const RESULTS: Readonly<Record<string, readonly number[]>> = {
  sumOfSquares: [2 * RESULT_DOUBLE, 2 * RESULT_DOUBLE + 1],
};

/** Binds kernels of a program to a memory, as `bindKernel` does, but to run emulated. Loading a word that is a sentinel throws. */
export function emulatedBind<Name extends string = KernelName>(
  program: Program<Name>,
  memory: KernelMemory,
  journal?: Map<number, number>,
): Bind<Name> {
  const options = { poison: POISON, ...(journal && { journal }) };
  const emulator = new Emulator(program.code, [regionOver("the memory", MEMORY_BASE, memory.u8, options)]);
  let blocks = 0;
  return (name, size = BLOCK_WORDS) => {
    const words = new Uint32Array(size);
    const base = BLOCK_BASE + BLOCK_DISTANCE * blocks++;
    emulator.machine.space.add(regionOver(`the arguments of ${name}`, base, new Uint8Array(words.buffer)));
    words[0] = MEMORY_BASE % 2 ** 32;
    words[1] = Math.floor(MEMORY_BASE / 2 ** 32);
    const entry = program.entries[name];
    return { words, ...floatsOver(words), run: () => emulator.call(entry, base) };
  };
}

/**
 * Runs each kernel twice on the same memory: emulated, which is undone, then as `bind` does. Throws if they leave different bits. `ran` learns the names
 * of the kernels.
 */
export function comparedBind<Name extends string = KernelName>(
  bind: Bind<Name>,
  program: Program<Name>,
  memory: KernelMemory,
  ran?: Set<Name>,
): Bind<Name> {
  const journal = new Map<number, number>();
  const emulated = emulatedBind(program, memory, journal);
  const { u32 } = memory;
  return (name, size) => {
    const [real, other] = [bind(name, size), emulated(name, size)];
    const run = () => {
      ran?.add(name);
      other.words.set(real.words.subarray(2), 2);
      journal.clear();
      const expected = other.run();
      const left = Array.from(journal.keys(), (word) => [word, u32[word]!] as const);
      for (const [word, before] of journal) u32[word] = before;
      const answer = real.run();
      for (const [word, value] of left) {
        if (u32[word] !== value)
          throw new Error(`${name} leaves ${bits(u32[word]!)} at ${4 * word}, emulated ${bits(value)}`);
      }
      if (ANSWERING.includes(name) && answer !== expected)
        throw new Error(`${name} answers ${answer}, emulated ${expected}`);
      for (const word of RESULTS[name] ?? []) {
        if (real.words[word] !== other.words[word]) throw new Error(`${name} leaves another result than its emulation`);
      }
      return answer;
    };
    return { ...real, run };
  };
}

const bits = (word: number) => `0x${word.toString(16).padStart(8, "0")}`;
