import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { BackendError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { chooseSet, isFast, loadNative, usableSets, usableUnits } from "../dist/index.js";

const AVX2 = ["avx2", "fma", "bmi1", "popcnt"];
const AVX512 = [...AVX2, "avx512f", "avx512dq", "avx512bw", "avx512vl"];

describe("instruction sets", () => {
  it.each([
    ["of a processor with AVX-512", AVX512, "linux", "x64", ["avx512", "avx2"]],
    ["of one with AVX2", AVX2, "linux", "x64", ["avx2"]],
    ["of one with AVX-512 in part", AVX512.filter((flag) => flag !== "avx512dq"), "linux", "x64", ["avx2"]],
    ["of one with AVX2 and no fused multiply-adds", AVX2.filter((flag) => flag !== "fma"), "linux", "x64", []],
    ["of one that tells nothing", [], "linux", "x64", []],
    ["on Windows", AVX512, "win32", "x64", []],
    ["on macOS", AVX512, "darwin", "x64", []],
    ["on arm64", AVX512, "linux", "arm64", []],
  ] as const)("%s", (_, flags, platform, architecture, expected) => {
    expect(usableSets(new Set<string>(flags), platform, architecture)).toEqual(expected);
  });

  it("are chosen by name, or else the widest", () => {
    expect(chooseSet("", ["avx512", "avx2"])).toBe("avx512");
    expect(chooseSet("avx2", ["avx512", "avx2"])).toBe("avx2");
  });

  it.each([
    ["avx512", ["avx2"], "LOGQ_NATIVE=avx512"],
    ["sse", ["avx512", "avx2"], "avx512, avx2"],
    ["", [], "neither AVX2 with FMA nor AVX-512"],
  ] as const)("that are not there are refused: %j of %j", (named, usable, message) => {
    expect(() => chooseSet(named, usable)).toThrow(BackendError);
    expect(() => chooseSet(named, usable)).toThrow(message);
  });
});

describe("units for products in bfloat16", () => {
  const BF16 = [...AVX512, "avx512_bf16"];
  it.each([
    ["of a processor with AMX", [...BF16, "amx_tile", "amx_bf16"], "linux", ["amx", "avx512_bf16"]],
    ["of one with AMX for other numbers", [...BF16, "amx_tile", "amx_int8"], "linux", ["avx512_bf16"]],
    ["of one without AMX", BF16, "linux", ["avx512_bf16"]],
    ["of one with AVX-512 alone", AVX512, "linux", []],
    ["of one without AVX-512", [...AVX2, "avx512_bf16"], "linux", []],
    ["on Windows", [...BF16, "amx_tile", "amx_bf16"], "win32", []],
  ] as const)("%s", (_, flags, platform, expected) => {
    expect(usableUnits(new Set<string>(flags), platform, "x64")).toEqual(expected);
  });

  it("are taken without being asked for where they gain anything", () => {
    expect(isFast("avx512_bf16", "x64 AMD EPYC 9654 96-Core Processor")).toBe(true);
    expect(isFast("avx512_bf16", "x64 Intel(R) Xeon(R) Processor")).toBe(false);
    expect(isFast("amx", "x64 Intel(R) Xeon(R) Processor")).toBe(true);
  });

  it.runIf(usableSets().includes("avx2"))("are not there with AVX2", () => {
    expect(loadNative("avx2").bfloat16).toBeUndefined();
  });
});

describe.runIf(usableSets().length > 0)("the README's example", () => {
  it("runs as it stands", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const code = /```ts\n(.*?)```/s.exec(readme)![1]!;
    const args = ["--input-type=module", "-e", code];
    const out = execFileSync(process.execPath, args, { cwd: new URL("..", import.meta.url), encoding: "utf8" });
    expect(out).toContain("1, 2, 3, 4, 5, 6");
  });
});
