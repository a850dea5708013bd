import { compileKernels, instantiateKernels, KernelMemory, type TableInPieces, type UpdateRule } from "@logq/kernels";
import { TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { PIECE_SHIFT } from "../dist/generate/rows/pieces.js";
import { loadNative, nativeKernels, usableSets } from "../dist/index.js";
import { reciprocal } from "../dist/pieces.js";

const KINDS = ["sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"] as const;
const [D, ld, count] = [19, 20, 70];
const [TABLE, STATE, SECOND_STATE, INDICES, ROWS, GRADIENT] = [2 ** 16, 2 ** 17, 2 ** 18, 64, 4_096, 2 ** 14];

const wasm = await compileKernels("wasm", true);
const memories = Array.from({ length: 4 }, () => KernelMemory.create(2 ** 20, true));

const ruleOf = (kind: UpdateRule["kind"]): UpdateRule => ({
  kind,
  learningRate: 0.1,
  weightDecay: 0.01,
  gradientScale: 0.5,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-7,
  correction1: 0.3,
  correction2: 0.2,
});

/** The elements of a memory from `address` on. */
const at = ({ f32 }: KernelMemory, address: number, length: number) => f32.subarray(address / 4, address / 4 + length);

describe.each(usableSets())("tables in pieces on the processor: %s", (set) => {
  const open = (memory: KernelMemory) => nativeKernels(loadNative(set), memory, instantiateKernels(wasm, memory));

  // Each memory is the main one in turn: others lie before it in the process and behind it.
  describe.each([0, 1, 2, 3])("from memory %i", (main) => {
    const here = memories[main]!;
    const banks = memories.filter((memory) => memory !== here);

    it.each(KINDS)("gathers and updates as one table in one memory would be, %s", (kind) => {
      for (const rowsPerPiece of [1, 7, 50, 64, 100]) {
        const random = new TestRandom(rowsPerPiece + main);
        const rows = rowsPerPiece * 3;
        const stateLd = kind === "rowwise-adagrad" ? 1 : ld;
        const strides = [ld, stateLd, ld];
        // The same values as one table here, and in pieces of the other memories.
        for (const [k, address] of [TABLE, STATE, SECOND_STATE].entries()) {
          const values = random.normalFloats(rows * strides[k]!).map((x) => (k === 0 ? x : x * x));
          at(here, address, values.length).set(values);
          const inPiece = rowsPerPiece * strides[k]!;
          for (const [p, bank] of banks.entries()) {
            at(bank, address + 64 * p, inPiece).set(values.subarray(p * inPiece, (p + 1) * inPiece));
          }
        }
        const some = Math.min(count, rows);
        here.i32.set(random.distinctIntegers(some, rows), INDICES / 4);
        at(here, GRADIENT, some * ld).set(random.normalFloats(some * ld));
        const pieces = banks.map((memory, p) => ({
          memory,
          table: TABLE + 64 * p,
          state: STATE + 64 * p,
          secondState: SECOND_STATE + 64 * p,
        }));
        const kernels = open(here);
        const table = kernels.pieces!.open({ rowsPerPiece, pieces, ld, D, stateLd, secondStateLd: ld })!;

        const [block, expected] = [at(here, ROWS, some * ld), new Float32Array(some * ld)];
        block.fill(-1);
        kernels.rows.gatherRows(ROWS, ld, TABLE, ld, INDICES, some, D);
        expected.set(block);
        block.fill(-1);
        table.gatherRows(ROWS, ld, INDICES, some);
        expect(block).toEqual(expected);

        const whole = {
          table: TABLE,
          ldTable: ld,
          state: STATE,
          secondState: SECOND_STATE,
          indices: INDICES,
          gradient: GRADIENT,
          ldGradient: ld,
          count: some,
          D,
        };
        kernels.optimizer.updateRows(ruleOf(kind), whole);
        table.updateRows(ruleOf(kind), INDICES, GRADIENT, ld, some);
        for (const [k, address] of [TABLE, STATE, SECOND_STATE].entries()) {
          const inPiece = rowsPerPiece * strides[k]!;
          for (const [p, bank] of banks.entries()) {
            expect(at(bank, address + 64 * p, inPiece)).toEqual(at(here, address + 4 * p * inPiece, inPiece));
          }
        }
      }
    });
  });

  it("opens no table whose pieces it could not tell apart", () => {
    const [here, bank] = memories as [KernelMemory, KernelMemory];
    const { pieces } = open(here);
    const piece = { memory: bank, table: TABLE, state: 0, secondState: 0 };
    const table = (rowsPerPiece: number, number: number): TableInPieces => ({
      rowsPerPiece,
      pieces: new Array(number).fill(piece),
      ld: 4,
      D: 4,
      stateLd: 0,
      secondStateLd: 0,
    });
    expect(pieces!.open(table(2 ** 23, 16))).toBeDefined();
    expect(pieces!.open(table(2 ** 26, 2))).toBeUndefined();
    expect(pieces!.open(table(10, 65))).toBeUndefined();
  });
});

describe("the piece of a row", () => {
  it("is the quotient for the rows around every border, of tables as large as are opened", () => {
    for (const rowsPerPiece of [1, 3, 7, 1_000, 999_983, 5_000_011, 8_124_031, 2 ** 23, 2 ** 24 - 1]) {
      const M = BigInt(reciprocal(rowsPerPiece));
      for (let border = 1; border <= 15; border++) {
        for (const row of [border * rowsPerPiece - 1, border * rowsPerPiece]) {
          expect(Number((BigInt(row) * M) >> BigInt(PIECE_SHIFT))).toBe(Math.floor(row / rowsPerPiece));
        }
      }
    }
  });
});
