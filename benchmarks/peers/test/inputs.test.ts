import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { InputNumbers } from "../src/inputs/random.js";
import { makeStepInputs } from "../src/inputs/step-inputs.js";
import type { StepShape } from "../src/items/step-shape.js";
import { findBackends } from "../src/logq/backends.js";
import { layerEntry } from "../src/logq/layer-contender.js";
import { requireAgreement } from "../src/measure/agree.js";

const SHAPE: StepShape = { loss: "sampled-softmax", n: 200, B: 8, D: 12, S: 16, draws: "given" };

describe("InputNumbers", () => {
  it("are the same every time, in range", () => {
    const values = new InputNumbers(3).floats(1000, 0.5);
    expect(values).toEqual(new InputNumbers(3).floats(1000, 0.5));
    expect(Math.max(...values)).toBeLessThan(0.5);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.5);
  });

  it("draw log-uniformly within 5% for class 0 of 1,000: P = log 2/log 1,001", () => {
    const numbers = new InputNumbers(5);
    let zeros = 0;
    for (let i = 0; i < 100_000; i++) if (numbers.logUniform(1000) === 0) zeros++;
    expect(zeros / 100_000 / (Math.log(2) / Math.log(1001))).toBeCloseTo(1, 1);
  });
});

describe("inputs of a step", () => {
  it("have candidates that are all different and no targets", async () => {
    const { batches } = await makeStepInputs(SHAPE, { files: false });
    for (const { targets, candidates } of batches) expect(new Set([...targets, ...candidates]).size).toBe(8 + 16);
  });

  it("lie on disk as they are in memory until they are removed", async () => {
    const { files, table, batches, remove } = await makeStepInputs(SHAPE);
    const bytes = await readFile(files.table!.path);
    expect(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)).toEqual(table);
    expect(files.candidates!.shape).toEqual([batches.length, 16]);
    await remove();
    expect(existsSync(files.table!.path)).toBe(false);
  });
});

describe("logq's step", () => {
  it.each([
    ["full-softmax", 0],
    ["sampled-softmax", 16],
    ["nce", 16],
  ] as const)("%s agrees with the reference back-end, and a wrong table does not", async (loss, S) => {
    const shape: StepShape = { ...SHAPE, loss, S };
    const inputs = await makeStepInputs(shape, { files: false });
    const checkOf = async (backend: "wasm" | "reference", table = inputs.table) => {
      const contender = await layerEntry(backend, shape, { ...inputs, table }, 0).start();
      const check = await contender.check();
      await contender.close();
      return check;
    };
    const agreements = {
      loss: { relative: 1e-5 },
      "hidden gradient": { ofLargest: 1e-4 },
      "table change": { ofLargest: 1e-3 },
    };
    const expected = await checkOf("reference");
    requireAgreement(await checkOf("wasm"), expected, agreements);
    const wrong = await checkOf(
      "wasm",
      inputs.table.map((value) => 1.1 * value),
    );
    expect(() => requireAgreement(wrong, expected, agreements)).toThrow("loss: 1 of 1 values are wrong");
  });

  it("runs on every back-end that the kernels accept, wasm among them, and not on the reference", async () => {
    const { names, descriptions } = await findBackends();
    expect(names[0]).toBe("wasm");
    expect(names).not.toContain("reference");
    expect(descriptions).toHaveLength(names.length);
  });
});
