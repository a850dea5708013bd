import { describe, expect, it } from "vitest";
import * as core from "../src/index.js";
import { LogqError } from "../src/index.js";

/** Codes are what programs test, so they never change. */
const CODES = {
  ShapeError: "LOGQ_SHAPE",
  OptionError: "LOGQ_OPTION",
  ClassIdError: "LOGQ_CLASS_ID",
  NotFiniteError: "LOGQ_NOT_FINITE",
  MemoryLimitError: "LOGQ_MEMORY_LIMIT",
  MissingFileError: "LOGQ_MISSING_FILE",
  FileFormatError: "LOGQ_FILE_FORMAT",
  EmptyInputError: "LOGQ_EMPTY_INPUT",
  SamplerError: "LOGQ_SAMPLER",
  MissingLogQError: "LOGQ_MISSING_LOG_Q",
  BackendError: "LOGQ_BACKEND",
  WorkerError: "LOGQ_WORKER",
  DivergenceError: "LOGQ_DIVERGENCE",
} as const;

const NAMES = Object.keys(CODES) as (keyof typeof CODES)[];

describe.each(NAMES)("%s", (name) => {
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every exported error passes the same tests
  const Class = core[name];

  it("has its code, its name, the message, the values and the cause", () => {
    const cause = new Error("below");
    const error = new Class("3 is not 4", { actual: 3, expected: 4 }, { cause });
    expect(Class.code).toBe(CODES[name]);
    expect(error).toMatchObject({
      code: CODES[name],
      name,
      message: "3 is not 4",
      values: { actual: 3, expected: 4 },
      cause,
    });
    expect(String(error)).toBe(`${name}: 3 is not 4`);
  });

  it("is an Error, a LogqError and itself, and recognised as one", () => {
    const error = new Class("no");
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(LogqError);
    expect(error).toBeInstanceOf(Class);
    expect(LogqError.isInstance(error)).toBe(true);
    expect(error.values).toEqual({});
  });
});

describe("every error", () => {
  it("is listed here, with a code of its own", () => {
    const exported = Object.keys(core).filter((name) => name.endsWith("Error") && name !== "LogqError");
    expect(exported.sort()).toEqual([...NAMES].sort());
    expect(new Set(Object.values(CODES)).size).toBe(NAMES.length);
  });
});

describe("LogqError.isInstance", () => {
  it("recognises an error that lost its prototype but kept code and values", () => {
    const revived = Object.assign(new Error("no"), { code: "LOGQ_SHAPE", values: { actual: 3 } });
    expect(revived).not.toBeInstanceOf(LogqError);
    expect(LogqError.isInstance(revived)).toBe(true);
  });

  it.each([
    undefined,
    null,
    "LOGQ_SHAPE",
    {},
    { code: "LOGQ_SHAPE", values: {} },
    new Error("plain"),
    Object.assign(new Error("from the system"), { code: "ENOENT" }),
    Object.assign(new Error("odd"), { code: 7, values: {} }),
  ])("does not take %s for one", (value) => {
    expect(LogqError.isInstance(value)).toBe(false);
  });
});
