import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { BackendError, DivergenceError } from "@logq/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bench, type Environment } from "../src/bench.js";
import type { Measurer } from "../src/measure/types.js";
import { resultsSchema } from "../src/sweep/results.js";
import { modelMeasurer } from "./fixture.js";

const ARGS = ["--classes", "100,200", "--losses", "full-softmax,sampled-softmax", "--samplers", "uniform"];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the command in `folder` and gives back what it said. */
async function run(args: readonly string[], change: Partial<Environment> = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await bench(["--out", folder, ...args], {
    stdout,
    stderr,
    signal: new AbortController().signal,
    describeData: async () => ({ name: "synthetic", classes: null, examples: null }),
    openMeasurer: async (settings) => modelMeasurer(settings),
    ...change,
  });
  const text = (stream: PassThrough) => String(stream.read() ?? "");
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A measurer whose cells go through `before` first. */
function measurerWith(before: (call: number) => void): Partial<Environment> {
  let calls = 0;
  return {
    openMeasurer: async (settings) => {
      const model = modelMeasurer(settings);
      const measureCell: Measurer["measureCell"] = async (request) => {
        before(++calls);
        return model.measureCell(request);
      };
      return { ...model, measureCell };
    },
  };
}

describe("bench", () => {
  it("ends with a table, the conclusion and the path of the report on stdout; progress is plain lines on stderr", async () => {
    const { code, stdout, stderr } = await run(ARGS);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^classes {2}loss/);
    expect(lines.at(-1)).toBe(`report: ${path.join(folder, "report.html")}`);
    expect(existsSync(path.join(folder, "report.html"))).toBe(true);
    expect(stderr).toContain("4 cells, about");
    expect(stderr).toMatch(/1\/4 {2}100 classes, full softmax: .* ms\/step, .* examples\/s.* \(0:\d\d left\)/);
    expect(stderr).toMatch(/4\/4 {2}200 classes, sampled softmax, uniform, S 256: [^\n]*nats\n$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(stdout + stderr).not.toMatch(/\u001b|\r/);
  });

  it("--json: exactly one JSON object on stdout, equal to results.json, the rest on stderr", async () => {
    const { code, stdout, stderr } = await run([...ARGS, "--json"]);
    expect(code).toBe(0);
    expect(stdout).toBe(await readFile(path.join(folder, "results.json"), "utf8"));
    expect(resultsSchema.parse(JSON.parse(stdout)).cells).toHaveLength(4);
    expect(stderr).toContain("report: ");
  });

  it("measures nothing twice, and opens no measurer when all is done; --fresh measures again", async () => {
    await run(ARGS);
    const closed = () => Promise.reject(new Error("opened"));
    const again = await run(ARGS, { openMeasurer: closed });
    expect(again.code).toBe(0);
    expect(again.stderr).toContain("all 4 cells were measured earlier");
    await expect(run([...ARGS, "--fresh"], { openMeasurer: closed })).rejects.toThrow("opened");
  });

  it("an interruption leaves a valid results.json, a partial report and exit code 130; the same command goes on", async () => {
    const controller = new AbortController();
    const stop = measurerWith((call) => {
      if (call === 3) {
        controller.abort();
        throw new Error("stopped");
      }
    });
    const first = await run(ARGS, { ...stop, signal: controller.signal });
    expect(first.code).toBe(130);
    expect(first.stderr).toContain("interrupted: 2 cells are missing");
    expect(await readFile(path.join(folder, "report.html"), "utf8")).toContain("2 planned cells are missing");
    const second = await run(ARGS);
    expect(second.code).toBe(0);
    expect(second.stderr).toContain("4 cells, 2 of them measured earlier");
    expect(await readFile(path.join(folder, "report.html"), "utf8")).not.toContain("planned cells are missing");
  });

  it("an interruption while the measurer opens is one too", async () => {
    const controller = new AbortController();
    const openMeasurer = () => {
      controller.abort();
      return Promise.reject(new Error("stopped"));
    };
    expect((await run(ARGS, { openMeasurer, signal: controller.signal })).code).toBe(130);
  });

  it("a failed cell is told, the report is written, the exit code is 1", async () => {
    const failing = measurerWith((call) => {
      if (call === 2) throw new DivergenceError("the loss is NaN at step 7");
    });
    const { code, stdout, stderr } = await run(ARGS, failing);
    expect(code).toBe(1);
    expect(stderr).toContain("not measured: 100 classes, sampled softmax, uniform, S 256: the loss is NaN at step 7");
    expect(stdout).toContain("failed");
  });

  it("closes the measurer, also after a bug in it", async () => {
    let closed = 0;
    const openMeasurer: Environment["openMeasurer"] = async (settings) => ({
      ...modelMeasurer(settings),
      measureCell: () => Promise.reject(new TypeError("a bug")),
      close: async () => void closed++,
    });
    await expect(run(ARGS, { openMeasurer })).rejects.toThrow("a bug");
    expect(closed).toBe(1);
  });

  it.each([
    [["--classes", "1"], 2, "error: --classes must be an integer in [2, 2147483647], not 1\n"],
    [["--losses", "hinge"], 2, "error: --losses must be one of "],
    [["--colour"], 2, "error: unknown option '--colour'"],
    [["--dim"], 2, "error: option '--dim <n>' argument missing"],
    [["extra"], 2, "error: too many arguments"],
    [["--data", "no/such/folder"], 1, "error: --data: no/such/folder does not exist\n"],
  ])("%j: one line on stderr, exit code %d, nothing on stdout", async (args, code, message) => {
    const told = await run(args);
    expect(told.code).toBe(code);
    expect(told.stderr).toContain(message);
    expect(told.stderr).toMatch(/^[^\n]+\n$/);
    expect(told.stdout).toBe("");
  });

  it("a back-end that cannot load is one line and exit code 1", async () => {
    const openMeasurer = () => Promise.reject(new BackendError("wasm: no SIMD here"));
    const { code, stderr } = await run(ARGS, { openMeasurer });
    expect(code).toBe(1);
    expect(stderr).toContain("error: wasm: no SIMD here\n");
  });

  it("--help goes to stdout, with examples, and lists every option", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Examples:");
    for (const name of ["preset", "classes", "losses", "samplers", "negatives", "workers", "dim", "batch", "seconds"]) {
      expect(stdout).toContain(`--${name} `);
    }
    for (const name of ["seed", "backend", "data", "out", "json", "fresh"]) expect(stdout).toContain(`--${name}`);
  });
});
