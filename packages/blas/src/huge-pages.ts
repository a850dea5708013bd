import { createRequire } from "node:module";
import type { KernelMemory } from "@logq/kernels";

/** Linux: MADV_HUGEPAGE of madvise(2). */
const HUGE_PAGES = 14;
const HUGE_PAGE_BYTES = 2 ** 21;

let madvise: ((address: number, length: number, advice: number) => number) | undefined;

/**
 * Asks the system for pages of 2 MiB under a memory whose pages have not been touched yet: rows that are read here and there then cost fewer
 * walks through page tables, and first touches come 512 at once. Advice, no more: without Linux, glibc or transparent huge pages nothing
 * happens. Answers whether the system took it.
 */
export function preferHugePages(memory: KernelMemory): boolean {
  if (process.platform !== "linux" || memory.bytes < 2 * HUGE_PAGE_BYTES) return false;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    madvise ??= koffi.load("libc.so.6").func("int madvise(uintptr_t address, size_t length, int advice)");
    const start = Number(koffi.address(memory.u8));
    const first = HUGE_PAGE_BYTES * Math.ceil(start / HUGE_PAGE_BYTES);
    const end = HUGE_PAGE_BYTES * Math.floor((start + memory.bytes) / HUGE_PAGE_BYTES);
    return end > first && madvise(first, end - first, HUGE_PAGES) === 0;
  } catch {
    return false;
  }
}
