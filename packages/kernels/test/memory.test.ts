import { MemoryLimitError, OptionError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { KernelMemory, MAX_MEMORY_BYTES, MemoryPlan } from "../src/index.js";

/** The error that a call throws. */
function errorOf(call: () => unknown): MemoryLimitError {
  try {
    call();
  } catch (error) {
    return error as MemoryLimitError;
  }
  throw new Error("nothing was thrown");
}

describe.each([
  ["unshared", false],
  ["shared", true],
])("KernelMemory, %s", (_, shared) => {
  it("holds at least what was asked for, in whole pages, zeroed; an empty one has a page", () => {
    for (const [asked, bytes] of [
      [0, 65_536],
      [1, 65_536],
      [65_536, 65_536],
      [65_537, 131_072],
    ] as const) {
      const memory = KernelMemory.create(asked, shared);
      expect(memory.bytes).toBe(bytes);
      expect(memory.shared).toBe(shared);
      expect(memory.u8.every((byte) => byte === 0)).toBe(true);
    }
  });

  it("has views that are one memory", () => {
    const memory = KernelMemory.create(100, shared);
    memory.floats(64, 2).set([1, -2]);
    expect([...memory.ints(64, 2)]).toEqual([0x3f800000, 0xc0000000 | 0]);
    expect(memory.f32[17]).toBe(-2);
    memory.doubles(80, 1)[0] = 1;
    expect([memory.u32[20], memory.u32[21]]).toEqual([0, 0x3ff00000]);
    expect(memory.floats(64, 2).byteOffset).toBe(64);
    expect(memory.u8).toHaveLength(memory.bytes);
  });

  it("can be seen again over the same WebAssembly.Memory, without a copy", () => {
    const memory = KernelMemory.create(100, shared);
    const again = KernelMemory.over(memory.memory);
    again.f32[3] = 5;
    expect(memory.f32[3]).toBe(5);
    expect(again.shared).toBe(shared);
    expect(again.bytes).toBe(memory.bytes);
  });

  it("reaches 4 GiB, where addresses no longer fit an int32, and not a byte more", () => {
    const memory = KernelMemory.create(MAX_MEMORY_BYTES, shared);
    expect(memory.bytes).toBe(2 ** 32);
    const last = MAX_MEMORY_BYTES - 8;
    memory.doubles(last, 1)[0] = 2.5;
    expect(memory.f64.at(-1)).toBe(2.5);
    expect(memory.floats(last, 2)).toHaveLength(2);
    // Addresses that went through an int32 come back negative; views take them all the same.
    expect(memory.doubles(last | 0, 1)[0]).toBe(2.5);
    expect(memory.floats((2 ** 31) | 0, 1).byteOffset).toBe(2 ** 31);

    const error = errorOf(() => KernelMemory.create(MAX_MEMORY_BYTES + 1, shared));
    expect(error).toBeInstanceOf(MemoryLimitError);
    expect(error.values).toEqual({ bytes: MAX_MEMORY_BYTES + 1, limit: MAX_MEMORY_BYTES });
    expect(error.message).toContain(String(MAX_MEMORY_BYTES + 1));
  });

  it.each([-1, 1.5, Number.NaN, Infinity])("refuses %d bytes", (bytes) => {
    expect(() => KernelMemory.create(bytes, shared)).toThrow(OptionError);
  });
});

describe("MemoryPlan", () => {
  it("starts regions on cache lines, in order, apart from each other, and never at 0", () => {
    const plan = new MemoryPlan();
    const sizes = [1, 64, 65, 0, 4096, 3];
    const addresses = sizes.map((bytes, i) => plan.reserve(`part ${i}`, bytes));
    expect(addresses[0]).toBeGreaterThan(0);
    for (const [i, address] of addresses.entries()) {
      expect(address % 64).toBe(0);
      expect(plan.regions[i]).toEqual({ name: `part ${i}`, address, bytes: sizes[i] });
      const next = addresses[i + 1] ?? plan.bytes;
      expect(next).toBeGreaterThanOrEqual(address + sizes[i]!);
    }
  });

  it("allocates what it planned, shared or not", () => {
    const plan = new MemoryPlan();
    const address = plan.reserve("table", 200_000);
    for (const shared of [false, true]) {
      const memory = plan.allocate(shared);
      expect(memory.shared).toBe(shared);
      expect(memory.bytes).toBeGreaterThanOrEqual(plan.bytes);
      expect(memory.floats(address, 50_000)).toHaveLength(50_000);
    }
  });

  it("says no before allocating, with the sum, the limit and the largest parts", () => {
    const plan = new MemoryPlan();
    plan.reserve("hidden vectors", 1000);
    plan.reserve("class table", 5_000_000_000);
    plan.reserve("first moments", 4_000_000_000);
    const error = errorOf(() => plan.allocate(true));
    expect(error).toBeInstanceOf(MemoryLimitError);
    expect(error.code).toBe("LOGQ_MEMORY_LIMIT");
    expect(error.values).toMatchObject({ bytes: plan.bytes, limit: MAX_MEMORY_BYTES, regions: plan.regions });
    expect(error.message).toMatch(/class table 5000000000, first moments 4000000000, hidden vectors 1000/);
  });

  it("fits a limit exactly, and one byte less not", () => {
    const plan = new MemoryPlan();
    plan.reserve("table", 640);
    plan.requireFits(plan.bytes);
    expect(errorOf(() => plan.requireFits(plan.bytes - 1)).values).toMatchObject({ limit: plan.bytes - 1 });
  });

  it.each([-1, 0.5, Number.NaN])("refuses a region of %d bytes and names it", (bytes) => {
    expect(() => new MemoryPlan().reserve("bias", bytes)).toThrow(/bytes of bias/);
  });
});
