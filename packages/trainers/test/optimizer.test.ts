import { describe, expect, it } from "vitest";
import { OPTIMIZERS, optimizerSpec } from "../dist/optimize/optimizer.js";
import { rateFactor, SCHEDULES, scheduleSpec } from "../dist/optimize/schedule.js";

describe("schedules", () => {
  const factors = (options: Parameters<typeof scheduleSpec>[0], total: number) =>
    Array.from({ length: total }, (_, step) => rateFactor(scheduleSpec(options), step, total));

  it.each(SCHEDULES)("%s rises over its warm-up in equal steps from 1/warmup", (name) => {
    expect(factors({ name, warmupSteps: 4 }, 10).slice(0, 4)).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it("constant stays 1", () => {
    expect(factors({}, 3)).toEqual([1, 1, 1]);
  });

  it("linear falls by equal amounts from 1 towards its final factor", () => {
    expect(factors({ name: "linear" }, 4)).toEqual([1, 0.75, 0.5, 0.25]);
    const values = factors({ name: "linear", warmupSteps: 2, finalFactor: 0.2 }, 6);
    [0.5, 1, 1, 0.8, 0.6, 0.4].forEach((value, step) => {
      expect(values[step]).toBeCloseTo(value, 14);
    });
    expect(rateFactor(scheduleSpec({ name: "linear", finalFactor: 0.2 }), 6, 6)).toBeCloseTo(0.2, 14);
  });

  it("cosine is halfway down in the middle", () => {
    const values = factors({ name: "cosine", finalFactor: 0.5 }, 4);
    [1, 0.5 + (0.5 * (1 + Math.SQRT1_2)) / 2, 0.75, 0.5 + (0.5 * (1 - Math.SQRT1_2)) / 2].forEach((value, step) => {
      expect(values[step]).toBeCloseTo(value, 14);
    });
    expect(rateFactor(scheduleSpec({ name: "cosine" }), 4, 4)).toBeCloseTo(0, 14);
  });

  it("inverse square root falls from its peak: a fourth of the steps at twice the rate", () => {
    const spec = scheduleSpec({ name: "inverse-square-root", warmupSteps: 4 });
    expect(rateFactor(spec, 3, 100)).toBe(1);
    expect(rateFactor(spec, 15, 100)).toBe(0.5);
    expect(rateFactor(spec, 63, 100)).toBe(0.25);
    expect(rateFactor(scheduleSpec({ name: "inverse-square-root" }), 3, 100)).toBe(0.5);
  });

  it("stay at the end beyond the last step, and stand a warm-up longer than the run", () => {
    expect(rateFactor(scheduleSpec({ name: "linear", finalFactor: 0.1 }), 50, 10)).toBeCloseTo(0.1, 14);
    expect(rateFactor(scheduleSpec({ name: "cosine", warmupSteps: 20 }), 9, 10)).toBe(0.5);
  });

  it.each([
    [{ name: "exponential" as never }, "exponential"],
    [{ warmupSteps: -1 }, -1],
    [{ warmupSteps: 1.5 }, 1.5],
    [{ finalFactor: 1.1 }, 1.1],
    [{ finalFactor: Number.NaN }, Number.NaN],
  ])("refuse %o with the value", (options, value) => {
    expect(() => scheduleSpec(options)).toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values: expect.objectContaining({ value }) }),
    );
  });
});

describe("optimizers", () => {
  it.each(OPTIMIZERS)("%s has a rate and an epsilon of its own", (name) => {
    const spec = optimizerSpec({ name });
    expect(spec.name).toBe(name);
    expect(spec.learningRate).toBe({ sgd: 0.5, momentum: 0.1, adagrad: 0.1, "rowwise-adagrad": 0.1, adam: 1e-3 }[name]);
    expect(spec.epsilon).toBe(name === "adam" ? 1e-8 : 1e-10);
    expect(spec.clipNorm).toBe(0);
    expect(spec.denseFactor).toBe(name.endsWith("adagrad") ? 0.1 : 1);
  });

  it("adagrad is the default", () => {
    expect(optimizerSpec().name).toBe("adagrad");
  });

  it.each([
    [{ name: "lbfgs" as never }, "lbfgs"],
    [{ learningRate: 0 }, 0],
    [{ learningRate: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY],
    [{ weightDecay: -0.1 }, -0.1],
    [{ momentum: 1 }, 1],
    [{ beta1: 1 }, 1],
    [{ beta2: -0.5 }, -0.5],
    [{ epsilon: 0 }, 0],
    [{ initialAccumulator: -1 }, -1],
    [{ denseFactor: 0 }, 0],
    [{ clipNorm: Number.NaN }, Number.NaN],
  ])("refuse %o with the value", (options, value) => {
    expect(() => optimizerSpec(options)).toThrow(
      expect.objectContaining({ code: "LOGQ_OPTION", values: expect.objectContaining({ value }) }),
    );
  });
});
