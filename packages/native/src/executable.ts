import { createRequire } from "node:module";

const [READ_WRITE, READ_EXECUTE] = [3, 5];
const PRIVATE_ANONYMOUS = 0x22;
const PAGE = 4096;

export type Koffi = typeof import("koffi");

let bridge: { readonly koffi: Koffi; readonly libc: ReturnType<Koffi["load"]> } | undefined;

/**
 * The bridge to native code, and the C library, in this thread. A thread must have loaded some library before it calls an address: koffi prepares
 * the memory of its calls then. A native add-on: where it has no binary for the platform, this throws.
 */
export function nativeBridge() {
  if (bridge !== undefined) return bridge;
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  bridge = { koffi, libc: koffi.load("libc.so.6") };
  return bridge;
}

/**
 * Copies code into pages of its own, which are writable first and executable afterwards, never both. They stay until the process ends. Answers the
 * address. Linux. @throws Error with the call that failed
 */
export function makeExecutable(code: Uint8Array): number {
  const { libc } = nativeBridge();
  const mmap = libc.func(
    "uintptr_t mmap(uintptr_t at, size_t bytes, int protection, int flags, int file, long offset)",
  );
  const mprotect = libc.func("int mprotect(uintptr_t at, size_t bytes, int protection)");
  const memcpy = libc.func("void *memcpy(uintptr_t to, const uint8_t *from, size_t bytes)");
  const bytes = PAGE * Math.ceil(code.length / PAGE);
  const address = Number(mmap(0, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0));
  // MAP_FAILED is −1 as an address.
  if (address > 2 ** 52) throw new Error(`mmap gave no ${bytes} bytes`);
  memcpy(address, code, code.length);
  if (mprotect(address, bytes, READ_EXECUTE) !== 0) throw new Error("mprotect refused to make code executable");
  return address;
}
