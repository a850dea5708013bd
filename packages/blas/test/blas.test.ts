import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { BackendError, OptionError } from "@logq/core";
import { KernelMemory, type Kernels } from "@logq/kernels";
import { usableSets } from "@logq/native";
import {
  AWKWARD_SIZES,
  crossSparsely,
  expectNoWorse,
  matmul,
  matmulFloat32,
  TestRandom,
  transpose,
} from "@logq/testing";
import { describe, expect, it } from "vitest";
import { libraryCandidates } from "../dist/find.js";
import { forcibleCores } from "../dist/forcible.js";
import {
  availableBackends,
  type Backend,
  type BackendChoice,
  compileBackend,
  describeBackend,
  instantiateBackend,
  moveToHugePages,
  preferHugePages,
} from "../dist/index.js";

/** undefined where there is no BLAS: what needs one is skipped, visibly. */
const BLAS: Backend | undefined = await compileBackend("blas", true).catch(() => undefined);

const AVAILABLE = [
  ...(usableSets().length === 0 ? [] : ["native"]),
  ...(BLAS === undefined ? [] : ["blas"]),
  "wasm",
  "reference",
];

const HIGH_BASE = 2 ** 31 + 4_160;

type LeftOrder = "rows" | "columns" | "strided";

interface Product {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly leftOrder: LeftOrder;
  readonly transposed: boolean;
  readonly accumulate: boolean;
  readonly padding: number;
}

/** A bench that places matrices one after another, with NaN in between. */
class Bench {
  readonly #memory: KernelMemory;
  #next: number;

  constructor(memory: KernelMemory, base: number) {
    this.#memory = memory;
    this.#next = base;
    memory.f32.fill(Number.NaN, base / 4, memory.f32.length);
  }

  place(values: ArrayLike<number>, rows: number, columns: number, ld: number): number {
    const address = this.#next;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) this.#memory.f32[address / 4 + r * ld + c] = values[r * columns + c]!;
    }
    this.#next += 16 * Math.ceil((4 * rows * ld + 64) / 16);
    return address;
  }
}

/** out (M, N), and whether anything but its elements was written. */
function multiply(
  { matrix, memory }: Kernels,
  base: number,
  product: Product,
  left: Float32Array,
  right: Float32Array,
  before: Float32Array,
) {
  const { M, K, N, leftOrder, transposed, accumulate, padding } = product;
  const bench = new Bench(memory, base);
  const packed = bench.place([0, 0, 0, 0], 1, 4, 4);
  if (transposed)
    matrix.packRightTransposed(packed, bench.place(transpose(right, K, N), N, K, K + padding), K + padding, K, N);
  else matrix.packRight(packed, bench.place(right, K, N, N + padding), N + padding, K, N);
  const out = bench.place(before, M, N, N + padding);
  const spread = leftOrder === "strided" ? 2 : 1;
  if (leftOrder === "columns") {
    const a = bench.place(transpose(left, M, K), K, M, M + padding);
    matrix.multiply(out, N + padding, a, 1, M + padding, packed, M, K, N, accumulate);
  } else {
    const values = new Float32Array(M * K * spread).fill(Number.NaN);
    for (let i = 0; i < M * K; i++) values[i * spread] = left[i]!;
    const ld = K * spread + padding;
    const a = bench.place(values, M, K * spread, ld);
    matrix.multiply(out, N + padding, a, ld, spread, packed, M, K, N, accumulate);
  }
  const result = new Float64Array(M * N);
  let clean = true;
  for (let m = 0; m < M; m++) {
    for (let j = 0; j < N + padding; j++) {
      const value = memory.f32[out / 4 + m * (N + padding) + j]!;
      if (j < N) result[m * N + j] = value;
      else clean &&= Number.isNaN(value);
    }
  }
  return { result, clean };
}

describe.skipIf(BLAS === undefined)("matrix products by a BLAS", () => {
  const cases = crossSparsely(
    {
      M: AWKWARD_SIZES,
      K: [0, ...AWKWARD_SIZES],
      N: AWKWARD_SIZES,
      leftOrder: ["rows", "columns", "strided"] as const,
      transposed: [false, true],
      accumulate: [false, true],
      padding: [0, 1, 3, 4],
    },
    6,
  );

  it.each([64, HIGH_BASE])(
    `err no more than a naive float32 product, plus 5e-7 of the largest value (${cases.length} shapes), at %i`,
    (base) => {
      const kernels = instantiateBackend(BLAS!, KernelMemory.create(base + 2 ** 23, true));
      expect(kernels.name).toBe("blas");
      for (const product of cases) {
        const { M, K, N, accumulate } = product;
        const random = new TestRandom(M * 1_000_003 + K * 1009 + N);
        const [left, right, before] = [M * K, K * N, M * N].map((count) => random.normalFloats(count)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        // What stood in out must not matter, NaN included, unless it is added to.
        const start = accumulate ? before : before.map(() => Number.NaN);
        const add = (sum: number, at: number) => (accumulate ? before[at]! : 0) + sum;
        const { result, clean } = multiply(kernels, base, product, left, right, start);
        const name = JSON.stringify(product);
        expect(clean, name).toBe(true);
        expectNoWorse(result, matmulFloat32(left, right, M, K, N).map(add), matmul(left, right, M, K, N).map(add), {
          margin: 5e-7,
          name,
          shape: [M, N],
        });
      }
    },
  );

  it("have the same bits in a worker thread, where the library is found loaded", async () => {
    const memory = KernelMemory.create(2 ** 20, true);
    const kernels = instantiateBackend(BLAS!, memory);
    memory.floats(1024, 70 * 30).set(new TestRandom(1).normalFloats(70 * 30));
    const run = `
      const { workerData: { index, kernelsIndex, backend, memory }, parentPort } = require("node:worker_threads");
      (async () => {
        const { instantiateBackend } = await import(index);
        const { KernelMemory } = await import(kernelsIndex);
        const { matrix } = instantiateBackend(backend, KernelMemory.over(memory));
        matrix.packRight(64, 1024, 30, 30, 30);
        matrix.multiply(100000, 30, 1024, 30, 1, 64, 70, 30, 30, false);
        parentPort.postMessage("done");
      })();`;
    const index = new URL("../dist/index.js", import.meta.url).href;
    const kernelsIndex = import.meta.resolve("@logq/kernels");
    const worker = new Worker(run, {
      eval: true,
      workerData: { index, kernelsIndex, backend: BLAS, memory: memory.memory },
    });
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    kernels.matrix.packRight(80, 1024, 30, 30, 30);
    kernels.matrix.multiply(200000, 30, 1024, 30, 1, 80, 70, 30, 30, false);
    expect(memory.ints(100000, 2100)).toEqual(memory.ints(200000, 2100));
  });

  it("leave the environment as it was, and say which library it is", () => {
    expect(process.env.OPENBLAS_NUM_THREADS).toBeUndefined();
    expect(describeBackend(BLAS!)).toMatch(/^blas \(\S+/);
    expect(structuredClone(BLAS!.blas)).toEqual(BLAS!.blas);
  });

  it("compare core types in child processes once and keep the answer in the cache folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "logq-blas-"));
    try {
      const index = new URL("../dist/core-type.js", import.meta.url).href;
      const script = `import(${JSON.stringify(index)}).then(({ fastestCoreType }) => console.log(fastestCoreType(${JSON.stringify(BLAS!.blas!.path)}) ?? "own"))`;
      const ask = () =>
        execFileSync(process.execPath, ["-e", script], {
          env: { ...process.env, XDG_CACHE_HOME: folder },
          encoding: "utf8",
        }).trim();
      const first = ask();
      const forcible = [...forcibleCores(new Set(cpuFlags()))];
      expect(["own", ...forcible]).toContain(first);
      if (forcible.length === 0) return;
      const file = join(folder, "logq", "blas-cores.json");
      const [key, value] = Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, string>)[0]!;
      expect(key).toContain(BLAS!.blas!.file);
      expect(value || "own").toBe(first);
      expect(ask()).toBe(first);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function cpuFlags(): string[] {
  try {
    return /^flags\s*:\s*(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
  } catch {
    return [];
  }
}

describe("huge pages", () => {
  it("are asked for under large memories, which stay zeroed and as they are", () => {
    const memory = KernelMemory.create(2 ** 25, true);
    const taken = preferHugePages(memory.u8);
    expect(typeof taken).toBe("boolean");
    if (process.platform !== "linux") expect(taken).toBe(false);
    expect(memory.f32.every((x) => x === 0)).toBe(true);
    memory.f32[5_000_000] = 3;
    preferHugePages(memory.u8);
    expect(memory.f32[5_000_000]).toBe(3);
  });

  it("take what an array holds along", () => {
    const array = Int32Array.from({ length: 2 ** 22 }, (_, i) => i);
    expect(typeof moveToHugePages(array)).toBe("boolean");
    expect(array.every((x, i) => x === i)).toBe(true);
  });

  it("are not worth a call under small ones", () => {
    expect(preferHugePages(KernelMemory.create(2 ** 20, true).u8)).toBe(false);
  });
});

describe("the choice of a back-end", () => {
  it("takes what is named, and for auto the fastest that runs", async () => {
    for (const name of ["wasm", "reference"] as const) {
      const expected = { name, native: undefined, blas: undefined, kernels: { name } };
      expect(await compileBackend(name, true)).toMatchObject(expected);
    }
    expect((await compileBackend("auto", true)).name).toBe(AVAILABLE[0]);
  });

  it("lists what runs here, the fastest first", async () => {
    expect(await availableBackends()).toEqual(AVAILABLE);
  });

  it("refuses a name that is none, and lists those that are", async () => {
    const error = await compileBackend("mkl" as BackendChoice, true).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).message).toContain("auto, native, blas, wasm, reference");
  });

  it("refuses blas by name, with the reason and what to install, where the library that was named is none", () => {
    const index = new URL("../dist/index.js", import.meta.url).href;
    const script = `import(${JSON.stringify(index)}).then(async ({ compileBackend }) => {
      console.log((await compileBackend("auto", true)).name);
      await compileBackend("blas", true).catch((error) => console.log(error.code, error.message));
    })`;
    const env = { ...process.env, LOGQ_BLAS: "/nowhere/libblas.so", LOGQ_NATIVE: "none" };
    const [auto, refused] = execFileSync(process.execPath, ["-e", script], { env, encoding: "utf8" }).split("\n");
    expect(auto).toBe("wasm");
    expect(refused).toContain(BackendError.code);
    expect(refused).toContain("/nowhere/libblas.so");
    expect(refused).toContain("Install OpenBLAS");
  });

  it("looks where each system has its library, or only where LOGQ_BLAS says", () => {
    expect(libraryCandidates({}, "linux")).toEqual(["libopenblas.so.0", "libopenblas.so"]);
    expect(libraryCandidates({}, "darwin")[0]).toContain("Accelerate");
    expect(libraryCandidates({}, "win32")[0]).toBe("libopenblas.dll");
    expect(libraryCandidates({ LOGQ_BLAS: "/opt/libblis.so" }, "linux")).toEqual(["/opt/libblis.so"]);
  });

  it("forces the wide kernels only on a processor that has all they need", () => {
    const all = ["avx512f", "avx512dq", "avx512bw", "avx512vl"];
    expect(forcibleCores(new Set(["avx2", ...all]))).toEqual(["SKYLAKEX"]);
    for (const missing of all) expect(forcibleCores(new Set(all.filter((flag) => flag !== missing)))).toEqual([]);
    expect(forcibleCores(new Set())).toEqual([]);
  });
});
