import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { compileKernels, KernelMemory } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import { allowTiles, loadNative, usableUnits } from "../dist/index.js";

/** A thread that multiplies as soon as it is told with what code, on the memory that it is given. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const multiply = async ({ native, compiled, memory }) => {
  const { instantiateKernels, KernelMemory } = await import(workerData.kernels);
  const { nativeKernels } = await import(workerData.native);
  const over = KernelMemory.over(memory);
  const { bfloat16Matrix } = nativeKernels(native, over, instantiateKernels(compiled, over));
  bfloat16Matrix.packRight(64, 1024, 2, 2, 2);
  bfloat16Matrix.multiply(8192, 2, 4096, 2, 1, 64, 2, 2, 2, false);
  parentPort.postMessage(Array.from(over.floats(8192, 4)));
};
parentPort.on("message", (message) => void multiply(message));
parentPort.postMessage("ready");
`;

const workerData = {
  kernels: import.meta.resolve("@logq/kernels"),
  native: new URL("../dist/index.js", import.meta.url).href,
};

describe.each(["amx", "avx512_bf16"] as const)("products in bfloat16 by %s", (unit) => {
  it.skipIf(!usableUnits().includes(unit))("run in threads, older than the code or younger", async () => {
    const start = async () => {
      const worker = new Worker(THREAD, { eval: true, workerData });
      await once(worker, "message");
      return worker;
    };
    const older = await start();
    if (unit === "amx" && !allowTiles()) return;
    const native = loadNative("avx512", unit);
    const compiled = await compileKernels("wasm", true);
    for (const worker of [older, await start()]) {
      const { memory, ...views } = KernelMemory.create(65536, true);
      views.f32.set([1, 2, 3, 4], 256);
      views.f32.set([1, 0, 1, 1], 1024);
      worker.postMessage({ native, compiled, memory });
      expect(await once(worker, "message")).toEqual([[1, 2, 4, 6]]);
      await worker.terminate();
    }
  });
});
