import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { program } from "../src/program.js";
import type { Results } from "../src/report/results.js";
import { FAKE_PYTHON, scriptOf, temporaryFolder } from "./small.js";

describe("the program without peers and without data", () => {
  let data: string | undefined;
  beforeEach(() => {
    data = process.env.LOGQ_DATA;
    delete process.env.LOGQ_DATA;
  });
  afterEach(() => {
    if (data !== undefined) process.env.LOGQ_DATA = data;
  });

  it("times logq alone, lists everybody else with a reason, prints one JSON object and keeps it", async () => {
    const folder = await temporaryFolder();
    const python = await scriptOf(folder, "python.cjs", FAKE_PYTHON);
    const out = path.join(folder, "results");
    let printed = "";
    const output = { out: (text: string) => (printed += text), err: () => {} };
    const few = ["--quick", "--rounds", "1", "--seconds", "0.01"];
    expect(
      await program(["--only", "full,word2vec,train", "--json", "--python", python, "--out", out, ...few], output),
    ).toBe(0);
    const results = JSON.parse(printed) as Results;
    const [full, word2vec, train] = results.comparisons;
    expect(full!.rows.map(({ contender }) => contender)).toContain("logq, wasm");
    expect(full!.rows.every(({ side, value }) => side === "logq" && value! > 0)).toBe(true);
    expect(full!.absent).toContainEqual({
      contender: "PyTorch, hand-written, stock",
      reason: `torch is not installed in ${python}`,
    });
    for (const one of [word2vec!, train!]) {
      expect(one.absent).toEqual([{ contender: "everybody", reason: "LOGQ_DATA is not set" }]);
    }
    const files = (await readdir(out)).sort();
    expect(files).toHaveLength(2);
    expect(JSON.parse(await readFile(path.join(out, files[0]!), "utf8"))).toEqual(results);
  }, 60_000);
});
