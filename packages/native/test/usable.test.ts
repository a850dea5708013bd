import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { BackendError } from "@logq/core";
import { describe, expect, it } from "vitest";
import { chooseSet, usableSets } from "../dist/index.js";

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

describe.runIf(usableSets().length > 0)("the README's example", () => {
  it("runs as it stands", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const code = /```ts\n(.*?)```/s.exec(readme)![1]!;
    const args = ["--input-type=module", "-e", code];
    const out = execFileSync(process.execPath, args, { cwd: new URL("..", import.meta.url), encoding: "utf8" });
    expect(out).toContain("1, 2, 3, 4, 5, 6");
  });
});
