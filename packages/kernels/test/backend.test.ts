import { Worker } from "node:worker_threads";
import { BackendError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { type CompiledKernels, compileKernels, instantiateKernels, KernelMemory } from "../src/index.js";
import { FLAVOURS } from "./support/backends.js";

describe("compileKernels", () => {
  it("answers what was asked for by name, and wasm for auto where it runs", async () => {
    for (const shared of [false, true]) {
      expect(await compileKernels("reference", shared)).toEqual({ name: "reference", shared, module: undefined });
      for (const choice of ["wasm", "auto"] as const) {
        const compiled = await compileKernels(choice, shared);
        expect(compiled).toMatchObject({ name: "wasm", shared });
        expect(compiled.module).toBeInstanceOf(WebAssembly.Module);
      }
    }
  });

  it("compiles once for each kind of memory", async () => {
    expect((await compileKernels("wasm", true)).module).toBe((await compileKernels("auto", true)).module);
    expect((await compileKernels("wasm", true)).module).not.toBe((await compileKernels("wasm", false)).module);
  });

  it("refuses a back-end that it does not know, and lists those it does", async () => {
    const error = await compileKernels("blas" as "wasm", true).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).message).toContain('auto, wasm, reference, not "blas"');
  });
});

describe("instantiateKernels", () => {
  it.each(FLAVOURS)("$name: binds the kernels to the memory", ({ name, shared, create }) => {
    const memory = KernelMemory.create(1000, shared);
    const kernels = create(memory);
    expect(kernels.name).toBe(name.split(",")[0]);
    expect(kernels.memory).toBe(memory);
    kernels.vector.fill(64, 2.5, 3);
    expect([...memory.floats(60, 5)]).toEqual([0, 2.5, 2.5, 2.5, 0]);
  });

  it.each(FLAVOURS)("$name: two memories stay apart, and making an instance writes nothing", ({ shared, create }) => {
    const [a, b] = [KernelMemory.create(1000, shared), KernelMemory.create(1000, shared)];
    a.u8.fill(0xa5);
    b.u8.fill(0xa5);
    const kernels = create(a);
    create(b);
    create(a);
    expect(a.u8.every((byte) => byte === 0xa5)).toBe(true);
    kernels.vector.fill(64, 1, 8);
    expect(b.u8.every((byte) => byte === 0xa5)).toBe(true);
  });

  it.each([true, false])(
    "refuses a memory of the other kind (compiled for shared: %s) and says which is which",
    async (shared) => {
      const compiled = await compileKernels("wasm", shared);
      const call = () => instantiateKernels(compiled, KernelMemory.create(1000, !shared));
      expect(call).toThrow(BackendError);
      expect(call).toThrow(shared ? "compiled for shared memory" : "compiled for unshared memory");
    },
  );
});

/** Runs in a worker: binds what it is sent to the shared memory, computes there and says when it is done. */
const WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.index).then(({ KernelMemory, instantiateKernels }) => {
    const kernels = instantiateKernels(workerData.compiled, KernelMemory.over(workerData.memory));
    kernels.vector.exp(128, 64, 3);
    parentPort.postMessage(kernels.name);
  });
`;

function inWorker(compiled: CompiledKernels, memory: KernelMemory): Promise<string> {
  const index = new URL("../dist/index.js", import.meta.url).href;
  const worker = new Worker(WORKER, { eval: true, workerData: { index, compiled, memory: memory.memory } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

describe("a worker thread", () => {
  it.each(["wasm", "reference"] as const)("gets %s by message and computes in the same memory", async (choice) => {
    const compiled = await compileKernels(choice, true);
    const memory = KernelMemory.create(1000, true);
    memory.floats(64, 3).set([0, 1, -Infinity]);
    expect(await inWorker(compiled, memory)).toBe(choice);
    expect(memory.floats(128, 3)[0]).toBe(1);
    expect(memory.floats(128, 3)[1]).toBeCloseTo(Math.E, 6);
    expect(memory.floats(128, 3)[2]).toBe(0);
  });
});
