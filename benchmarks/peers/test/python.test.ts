import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PythonEnvironment, parseRequirements, SCRIPTS } from "../src/python/environment.js";
import { bareEnvironment, stock, tuned } from "../src/python/settings.js";
import { FAKE_PYTHON, scriptOf, temporaryFolder } from "./small.js";

describe("requirements", () => {
  it("are read with their pins, comments apart", () => {
    const pins = parseRequirements("# all\nnumpy==2.1.0\n\ntensorflow-cpu==2.2  # the small one\n");
    expect([...pins]).toEqual([
      ["numpy", "numpy==2.1.0"],
      ["tensorflow-cpu", "tensorflow-cpu==2.2"],
    ]);
  });

  it("of this package are all pinned", async () => {
    const pins = parseRequirements(await readFile(path.join(SCRIPTS, "requirements.txt"), "utf8"));
    expect(pins.size).toBeGreaterThanOrEqual(5);
    for (const pin of pins.values()) expect(pin).toMatch(/^[\w-]+==[\d.]+$/);
  });
});

describe("PythonEnvironment", () => {
  it("takes what a user's Python has, and refuses the rest by name without installing", async () => {
    const python = await scriptOf(await temporaryFolder(), "python.cjs", FAKE_PYTHON);
    const environment = await PythonEnvironment.create(python, () => {});
    expect(await environment.require("numpy")).toBe("9.9");
    await expect(environment.require("torch")).rejects.toThrow(`torch is not installed in ${python}`);
    expect(environment.versions).toEqual({ Python: "3.99", numpy: "9.9" });
  });

  it("refuses a Python that does not run", async () => {
    await expect(PythonEnvironment.create("/nowhere/python", () => {})).rejects.toThrow("/nowhere/python does not run");
  });
});

describe("settings", () => {
  it("give every library the same number of threads; tuned ones keep freed pages and differ in how threads wait", () => {
    expect(stock(2).env).toEqual({ OMP_NUM_THREADS: "2", MKL_NUM_THREADS: "2", OPENBLAS_NUM_THREADS: "2" });
    expect(tuned(2).map(({ env }) => env.OMP_WAIT_POLICY)).toEqual(["PASSIVE", "ACTIVE"]);
    for (const { env } of tuned(2)) expect(env).toMatchObject({ ...stock(2).env, MALLOC_MMAP_MAX_: "0" });
  });

  it("try MKL's other kernels first, with both ways to wait, and one without", () => {
    const preloads = tuned(2, "/x.so").map(({ env }) => (env as Record<string, string>).LD_PRELOAD);
    expect(preloads).toEqual(["/x.so", "/x.so", undefined]);
  });

  it("leave out what could set a peer unseen", () => {
    process.env.OMP_WAIT_POLICY = "ACTIVE";
    try {
      expect(bareEnvironment()).not.toHaveProperty("OMP_WAIT_POLICY");
    } finally {
      delete process.env.OMP_WAIT_POLICY;
    }
  });
});
