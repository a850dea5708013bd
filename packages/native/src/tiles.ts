import { nativeBridge } from "./executable.js";

/** arch_prctl, and what it is asked: leave to use a part of the processor's state that is large, here the data of tiles. Linux on x86-64. */
const SYS_ARCH_PRCTL = 158;
const ARCH_REQ_XCOMP_PERM = 0x1023;
const XFEATURE_XTILEDATA = 18;

let allowed: boolean | undefined;

/**
 * Asks the system for leave to use tiles (AMX), which holds for all threads of the process; may be asked any number of times. False where it refuses, as
 * Linux before 5.16 does: tile instructions would end the process.
 */
export function allowTiles(): boolean {
  if (allowed !== undefined) return allowed;
  const syscall = nativeBridge().libc.func("long syscall(long number, long a, long b)");
  allowed = Number(syscall(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)) === 0;
  return allowed;
}
