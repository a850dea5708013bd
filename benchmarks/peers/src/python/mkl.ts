import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";

/** What MKL asks before it takes its kernels with 512-bit vectors; elsewhere than on Intel's processors the answer is no. */
const SOURCE = "int mkl_serv_intel_cpu_true(void) { return 1; }\n";

/**
 * A library which, loaded before MKL, makes it take the kernels that the processor can run instead of those that its maker's name allows: on AMD's
 * twice as fast where they have AVX-512. Undefined where that is of no use, or without a C compiler. It goes when this process does.
 */
export function mklPreload(): string | undefined {
  if (process.platform !== "linux" || !/AMD/.test(cpus()[0]?.model ?? "")) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "logq-peers-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const library = path.join(folder, "mkl-kernels.so");
  writeFileSync(path.join(folder, "mkl-kernels.c"), SOURCE);
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, path.join(folder, "mkl-kernels.c")], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return library;
}
