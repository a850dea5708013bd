import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resultsSchema } from "../src/sweep/results.js";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const SMALL = ["--classes", "50,100", "--samplers", "unigram", "--seconds", "0.2", "--dim", "16", "--workers", "2"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-built-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts the built app in a process of its own. */
function start(args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const told = Promise.all([text(child.stdout!), text(child.stderr!), once(child, "exit")]);
  return { child, told: told.then(([stdout, stderr, [code]]) => ({ stdout, stderr, code })) };
}

describe("the built app", () => {
  it("measures every loss at two sizes, and a second run measures nothing", { timeout: 60_000 }, async () => {
    const out = path.join(folder, "small");
    const { code, stdout, stderr } = await start([...SMALL, "--out", out, "--json"]).told;
    expect(stderr).toMatch(/GEMM rate of this machine: \S+ GF\/s with 1 thread, \S+ GF\/s with 2 threads/);
    expect(code).toBe(0);
    const { cells, machine } = resultsSchema.parse(JSON.parse(stdout));
    expect(machine.gemmGigaflops).toEqual({ "1": expect.any(Number), "2": expect.any(Number) });
    expect(cells).toHaveLength(8);
    for (const cell of cells) {
      expect(cell.failed).toBe(false);
      expect(cell.steps).toBeGreaterThanOrEqual(7);
      expect(cell.stepMilliseconds).toBeGreaterThan(0);
      expect(cell.stepMillisecondsLow).toBeLessThanOrEqual(cell.stepMilliseconds!);
      expect(cell.stepMillisecondsHigh).toBeGreaterThanOrEqual(cell.stepMilliseconds!);
      expect(cell.gemmShare).toBeGreaterThan(0);
      expect(cell.tableBytes).toBeGreaterThan(4 * cell.classes * 16);
      // No model beats the law that made the data by more than noise.
      if (cell.crossEntropy !== null) expect(cell.crossEntropy).toBeGreaterThan(cell.bestCrossEntropy! - 0.05);
      else expect(cell.reason).toMatch(/one pass over the data takes \d+ steps/);
      expect(cell.gradientBias !== null).toBe(cell.loss === "sampled-softmax");
    }
    const html = await readFile(path.join(out, "report.html"), "utf8");
    expect(html).not.toMatch(/NaN|Infinity|undefined|\bnull\b/);
    const again = await start([...SMALL, "--out", out]).told;
    expect(again.code).toBe(0);
    expect(again.stderr).toContain("all 8 cells were measured earlier");
    expect(JSON.parse(await readFile(path.join(out, "results.json"), "utf8")).machine.gemmGigaflops).toEqual(
      machine.gemmGigaflops,
    );
  });

  it("measures samplers of every kind, where they go with the loss", { timeout: 60_000 }, async () => {
    const names = "learned-unigram,mixed,midx,hard,two-pass";
    const args = ["--classes", "60", "--seconds", "0.2", "--dim", "16", "--workers", "2", "--samplers", names];
    const losses = ["--losses", "sampled-softmax,nce"];
    const { code, stdout } = await start([...args, ...losses, "--out", path.join(folder, "samplers"), "--json"]).told;
    expect(code).toBe(0);
    const { cells } = resultsSchema.parse(JSON.parse(stdout));
    expect(cells.map(({ loss, sampler }) => `${loss} ${sampler}`)).toEqual([
      ...names.split(",").map((name) => `sampled-softmax ${name}`),
      ...["learned-unigram", "mixed", "midx", "hard"].map((name) => `nce ${name}`),
    ]);
    for (const cell of cells) {
      expect(cell.failed).toBe(false);
      expect(cell.stepMilliseconds).toBeGreaterThan(0);
      // Draws of a fixed law alone are compared with the exact gradient, outside the training.
      expect(cell.gradientBias).toBe(null);
    }
  });

  it("Ctrl-C ends with a report and code 130; the same command goes on", { timeout: 60_000 }, async () => {
    const args = [...SMALL, "--losses", "sampled-softmax,nce", "--out", path.join(folder, "stopped")];
    const { child, told } = start(args);
    child.stderr!.on("data", (chunk) => {
      if (String(chunk).includes("1/4")) child.kill("SIGINT");
    });
    const { code, stdout, stderr } = await told;
    expect(stderr).toContain("interrupted: ");
    expect(code).toBe(130);
    expect(stdout).toContain("report: ");
    const rest = await start(args).told;
    expect(rest.code).toBe(0);
    expect(rest.stderr).toMatch(/4 cells, [1-3] of them measured earlier/);
  });

  it("a wrong command line is one line on stderr and code 2", { timeout: 20_000 }, async () => {
    const { code, stdout, stderr } = await start(["--losses", "hinge"]).told;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: --losses must be one of [^\n]*\n$/);
  });
});
