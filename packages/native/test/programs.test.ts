import { describe, expect, it } from "vitest";
import { generateProgram } from "../dist/generate/program.js";
import { followCode } from "./support/emulator/flow.js";
import { format } from "./support/emulator/format.js";

/** What a processor has that has AVX2 and FMA; tzcnt is bsf where it is not known, and that is the same for what is not 0. */
const WITH_AVX2 = ["base", "avx", "avx2", "fma", "popcnt", "bmi1"];

const CLAIMED = {
  avx2: WITH_AVX2,
  avx512: [...WITH_AVX2, "avx512f", "avx512dq", "avx512bw", "avx512vl"],
} as const;

describe.each(["avx2", "avx512"] as const)("the program for %s", (set) => {
  const { code, entries } = generateProgram(set);
  const flow = () => followCode(code, Object.values(entries));

  it("is the same every time", () => {
    expect(generateProgram(set)).toEqual({ code, entries });
  });

  it("consists of known instructions, all of them reached from its entries, and of constants behind them", () => {
    const { instructions, end } = flow();
    expect(instructions.size).toBeGreaterThan(1000);
    expect(code.length - end).toBeLessThan(8192);
  });

  it("keeps to the instruction sets that it claims", () => {
    const others = [...flow().instructions.values()].filter(({ sets }) =>
      sets.some((name) => !(CLAIMED[set] as readonly string[]).includes(name)),
    );
    expect(others.map(format)).toEqual([]);
  });

  it("has EVEX encodings only with AVX-512", () => {
    const encodings = new Set([...flow().instructions.values()].map(({ encoding }) => encoding));
    expect(encodings.has("evex")).toBe(set === "avx512");
  });
});
