import type { KernelMemory } from "@logq/kernels";
import { nativeBridge } from "./executable.js";
import type { KernelName } from "./generate/program.js";

/** A kernel bound to a memory: arguments go into `words` from 2 on (unsigned), or `floats` at the same places, or `doubles` at half of them; then `run`. */
export interface BoundKernel {
  readonly words: Uint32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  /** What the kernel answers, as far as it does. */
  run(): number;
}

/** Finds a kernel by name and binds it to the memory of whoever made this function; its arguments take `words` words, BLOCK_WORDS unless told. */
export type Bind<Name extends string = KernelName> = (name: Name, words?: number) => BoundKernel;

/** Words of an argument block: 32 arguments after the memory's address. */
export const BLOCK_WORDS = 40;

/** Binds machine code at `code` to a memory, for the calling thread. The block of arguments is the kernel's own. */
export function bindKernel(code: number, memory: KernelMemory, blockWords = BLOCK_WORDS): BoundKernel {
  const { address, decode, proto } = nativeBridge().koffi;
  const words = new Uint32Array(new ArrayBuffer(4 * blockWords));
  const base = address(memory.u8);
  words[0] = Number(base & 0xffffffffn);
  words[1] = Number(base >> 32n);
  const block = Number(address(words));
  const call = decode(code, proto("uint32_t (uintptr_t block)")) as (block: number) => number;
  return { words, ...floatsOver(words), run: () => call(block) };
}

/** How many bytes behind the beginning of a memory another begins. Exact: addresses of processes are below 2^53. */
export function distance(from: KernelMemory, to: KernelMemory): number {
  if (from === to) return 0;
  const { address } = nativeBridge().koffi;
  return Number(address(to.u8) - address(from.u8));
}

/** The same bytes as floats and as doubles. */
export function floatsOver({ buffer }: Uint32Array): Pick<BoundKernel, "floats" | "doubles"> {
  return { floats: new Float32Array(buffer), doubles: new Float64Array(buffer) };
}
