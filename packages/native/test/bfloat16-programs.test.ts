import { crossSparsely } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { nativeBfloat16Matrix } from "../dist/bfloat16.js";
import { bindKernel } from "../dist/bind.js";
import { type Bfloat16KernelName, generateBfloat16Program } from "../dist/generate/program.js";
import { allowTiles, type Bfloat16Unit, loadNative, usableUnits } from "../dist/index.js";
import { Desk } from "./support/desk.js";
import { comparedBind, emulatedBind } from "./support/emulator/bind.js";
import { followCode } from "./support/emulator/flow.js";
import { format } from "./support/emulator/format.js";

const WITH_AVX512 = ["base", "avx", "avx2", "fma", "popcnt", "bmi1", "avx512f", "avx512dq", "avx512bw", "avx512vl"];

const CLAIMED: Readonly<Record<Bfloat16Unit, readonly string[]>> = {
  amx: [...WITH_AVX512, "avx512_bf16", "amx-tile", "amx-bf16"],
  avx512_bf16: [...WITH_AVX512, "avx512_bf16"],
};

const CASES = crossSparsely(
  {
    M: [1, 2, 13, 16, 17, 25, 32, 33, 50],
    K: [1, 2, 15, 16, 31, 32, 33, 65],
    N: [1, 2, 15, 16, 17, 31, 32, 33, 47, 65],
    padding: [0, 1, 4],
    special: [0, 0, 4, 40],
    turned: [false, true],
    transposed: [false, true],
    accumulate: [false, true],
  },
  2,
);

const runs = (unit: Bfloat16Unit) => usableUnits().includes(unit) && (unit !== "amx" || allowTiles());

describe.each(["amx", "avx512_bf16"] as const)("the program for products in bfloat16 by %s", (unit) => {
  const { code, entries } = generateBfloat16Program(unit);
  const desk = new Desk();

  /** Every kernel on operands between words that are nobody's. */
  function runAll(matrix: ReturnType<typeof nativeBfloat16Matrix>): void {
    for (const { M, K, N, padding, special, turned, transposed, accumulate } of CASES) {
      desk.clear();
      const packed = desk.floats(1, matrix.packedBytes(K, N) / 4);
      const [height, width] = transposed ? [N, K] : [K, N];
      const right = desk.floats(height, width, width + padding, special);
      const [rows, columns] = turned ? [K, M] : [M, K];
      const left = desk.floats(rows, columns, columns + padding, special);
      const out = desk.floats(M, N, N + padding, special);
      const [rowStride, columnStride] = turned ? [1, M + padding] : [K + padding, 1];
      if (transposed) matrix.packRightTransposed(packed, right, width + padding, K, N);
      else matrix.packRight(packed, right, width + padding, K, N);
      matrix.multiply(out, N + padding, left, rowStride, columnStride, packed, M, K, N, accumulate);
    }
    desk.clear();
  }

  it("is the same every time", () => {
    expect(generateBfloat16Program(unit)).toEqual({ code, entries });
  });

  it("consists of known instructions, of sets that it claims, and of constants behind them", () => {
    const { instructions, end } = followCode(code, Object.values(entries));
    expect(code.length - end).toBeLessThan(1024);
    const others = [...instructions.values()].filter(({ sets }) => sets.some((name) => !CLAIMED[unit].includes(name)));
    expect(others.map(format)).toEqual([]);
    const products = [...instructions.values()].filter(
      ({ name }) => name === (unit === "amx" ? "tdpbf16ps" : "vdpbf16ps"),
    );
    expect(products.length).toBeGreaterThan(0);
  });

  it.skipIf(runs(unit))("reads and writes its operands alone, emulated", () => {
    runAll(nativeBfloat16Matrix(desk.memory, emulatedBind({ code, entries }, desk.memory)));
  });

  it.skipIf(!runs(unit))(
    `leaves the bits that it leaves emulated: ${CASES.length} shapes, NaN and ∞ among the numbers`,
    () => {
      const { address, entries } = loadNative("avx512", unit).bfloat16!;
      const bind = (name: Bfloat16KernelName) => bindKernel(address + entries[name], desk.memory);
      const ran = new Set<Bfloat16KernelName>();
      runAll(nativeBfloat16Matrix(desk.memory, comparedBind(bind, { code, entries }, desk.memory, ran)));
      expect([...ran].sort()).toEqual(Object.keys(entries).sort());
    },
  );
});
