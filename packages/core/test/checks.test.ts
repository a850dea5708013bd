import { describe, expect, it } from "vitest";
import {
  type LogqError,
  NotFiniteError,
  OptionError,
  requireAllFinite,
  requireInteger,
  requireLength,
  requireNumber,
  requireOneOf,
  requirePositive,
  ShapeError,
} from "../src/index.js";

function errorOf(call: () => unknown): LogqError {
  try {
    call();
  } catch (error) {
    return error as LogqError;
  }
  throw new Error("nothing was thrown");
}

describe("requireInteger", () => {
  it("answers an integer in range, the ends included", () => {
    expect(requireInteger("n", 0)).toBe(0);
    expect(requireInteger("n", 5, 5, 5)).toBe(5);
    expect(requireInteger("n", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53, "3", null, undefined, 3n, true, [3]])("refuses %s", (value) => {
    const error = errorOf(() => requireInteger("batch size", value));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.values).toEqual({ name: "batch size", value, minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
    expect(error.message).toContain("batch size must be an integer");
  });

  it('names the value: text in quotes, so that 3 and "3" differ', () => {
    expect(errorOf(() => requireInteger("n", "3")).message).toContain('not "3"');
    expect(errorOf(() => requireInteger("n", 11, 1, 10)).message).toBe("n must be an integer in [1, 10], not 11");
  });
});

describe("requireNumber and requirePositive", () => {
  it("answer what is finite and in range", () => {
    expect(requireNumber("x", -2.5)).toBe(-2.5);
    expect(requireNumber("x", 0, 0, 1)).toBe(0);
    expect(requireNumber("x", 1, 0, 1)).toBe(1);
    expect(requirePositive("x", 5e-324)).toBe(5e-324);
  });

  it.each([Number.NaN, Infinity, -Infinity, "1", null, undefined])("refuse %s", (value) => {
    for (const check of [requireNumber, requirePositive]) {
      const error = errorOf(() => check("rate", value));
      expect(error).toBeInstanceOf(OptionError);
      expect(error.values).toMatchObject({ name: "rate", value });
    }
  });

  it("refuse what is out of range", () => {
    expect(errorOf(() => requireNumber("rate", 1.01, 0, 1)).values).toEqual({
      name: "rate",
      value: 1.01,
      minimum: 0,
      maximum: 1,
    });
    for (const value of [0, -0, -1])
      expect(errorOf(() => requirePositive("rate", value)).values).toEqual({ name: "rate", value });
  });
});

describe("requireOneOf", () => {
  it("answers one of the allowed and lists them otherwise", () => {
    const kinds = ["sgd", "adam"] as const;
    expect(requireOneOf("kind", "adam", kinds)).toBe("adam");
    const error = errorOf(() => requireOneOf("kind", "Adam", kinds));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toBe('kind must be one of sgd, adam, not "Adam"');
    expect(error.values).toEqual({ name: "kind", value: "Adam", allowed: kinds });
    for (const value of [undefined, 0, ""]) expect(() => requireOneOf("kind", value, kinds)).toThrow(OptionError);
  });
});

describe("requireLength", () => {
  it("throws ShapeError that carries both lengths and the shape", () => {
    requireLength("H", 6, 6, "(2, 3)");
    const error = errorOf(() => requireLength("H", 5, 6, "(2, 3)"));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toBe("H must have 6 elements, shape (2, 3), but has 5");
    expect(error.values).toEqual({ name: "H", actual: 5, expected: 6, shape: "(2, 3)" });
  });
});

describe("requireAllFinite", () => {
  it("accepts finite values and none at all", () => {
    requireAllFinite("W", new Float32Array([3.4e38, -1e-45, 0]));
    requireAllFinite("W", []);
  });

  it.each([Number.NaN, Infinity, -Infinity])("names the first place that holds %d", (value) => {
    const error = errorOf(() => requireAllFinite("W", [1, 2, value, Number.NaN]));
    expect(error).toBeInstanceOf(NotFiniteError);
    expect(error.message).toContain(`W[2] is ${value}`);
    expect(error.values).toEqual({ name: "W", index: 2, value });
  });
});
