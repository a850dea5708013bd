import { afterAll, beforeAll, expect, test } from "vitest";
import { MachineProbe } from "../src/machine/probe.js";
import { LINE, MEMORY_BYTES, type ProbeExports, probeModule } from "../src/machine/probe-module.js";

let wasm: ProbeExports;
let probe: MachineProbe;

beforeAll(async () => {
  const { instance } = await WebAssembly.instantiate(probeModule());
  wasm = instance.exports as unknown as ProbeExports;
  probe = await MachineProbe.start();
});

afterAll(() => probe.close());

test("every accumulator does count multiplies and adds: twelve sums of 2^-10·Σ_k (1 − 2^-10)^k", () => {
  // Few rounds, so that float32 holds the sums well.
  const sum = (count: number) => 12 * (1 - (1 - 2 ** -10) ** count);
  for (const count of [1, 2, 100]) expect(wasm.multiplyAdd(count)).toBeCloseTo(sum(count), 5);
});

test("a read sees every line from its start up to its end", () => {
  const words = new Int32Array(wasm.memory.buffer);
  expect(wasm.memory.buffer.byteLength).toBe(MEMORY_BYTES);
  const bits = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0];
  // The first lane of each vector of 16 bytes, joined by xor.
  words.fill(0);
  words[0] = 1;
  words[4 * LINE] = 2;
  words[(3 * LINE) / 4] = 4;
  words[MEMORY_BYTES / 4 - 4] = 8;
  expect(bits(wasm.read(0, LINE))).toBe(1);
  expect(bits(wasm.read(0, 4 * LINE))).toBe(1 ^ 4);
  expect(bits(wasm.read(LINE, MEMORY_BYTES))).toBe(2 ^ 4 ^ 8);
});

test("a reading has positive rates for one thread and for two, none above its peak", async () => {
  const { oneThread, twoThreads } = await probe.read(5);
  for (const rates of [oneThread, twoThreads]) {
    expect(rates.gigaflops).toBeGreaterThan(0);
    expect(rates.gigabytes).toBeGreaterThan(0);
    expect(rates.peakGigaflops).toBeGreaterThanOrEqual(rates.gigaflops);
  }
});
