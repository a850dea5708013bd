import { createRequire } from "node:module";

/** Linux: MADV_HUGEPAGE and MADV_COLLAPSE of madvise(2). */
const [PREFER, COLLAPSE] = [14, 25];
const HUGE_PAGE_BYTES = 2 ** 21;

let madvise: ((address: number, length: number, advice: number) => number) | undefined;

/**
 * Asks the system for pages of 2 MiB under an array that has not been touched yet: what is read here and there then costs fewer walks through
 * page tables, and first touches come 512 at once. Advice, no more: without Linux, glibc or transparent huge pages nothing happens. Answers
 * whether the system took it.
 */
export function preferHugePages(array: ArrayBufferView): boolean {
  return advise(array, PREFER);
}

/** The same for an array that holds something: its pages are moved, now. Needs Linux 6.1. */
export function moveToHugePages(array: ArrayBufferView): boolean {
  return advise(array, PREFER) && advise(array, COLLAPSE);
}

function advise(array: ArrayBufferView, advice: number): boolean {
  if (process.platform !== "linux" || array.byteLength < 2 * HUGE_PAGE_BYTES) return false;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    madvise ??= koffi.load("libc.so.6").func("int madvise(uintptr_t address, size_t length, int advice)");
    const start = Number(koffi.address(array));
    const first = HUGE_PAGE_BYTES * Math.ceil(start / HUGE_PAGE_BYTES);
    const end = HUGE_PAGE_BYTES * Math.floor((start + array.byteLength) / HUGE_PAGE_BYTES);
    return end > first && madvise(first, end - first, advice) === 0;
  } catch {
    return false;
  }
}
