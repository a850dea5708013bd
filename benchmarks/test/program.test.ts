import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseCommandLine } from "../src/cli.js";
import { program } from "../src/program.js";
import { SUBJECTS } from "../src/report/results.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "micro-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function start(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await program(args, { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

const TINY = ["--seconds", "0.001", "--rounds", "1"];

test("--json prints exactly one JSON object on stdout, and --out keeps it without overwriting", async () => {
  const args = ["losses", ...TINY, "--filter", "candidateTerms", "--json", "--out", folder];
  const { code, out } = await start(...args);
  expect(code).toBe(0);
  const results = JSON.parse(out);
  expect(out.trimEnd().split("\n")).toHaveLength(1);
  expect(results.subjects.map(({ subject }: { subject: string }) => subject)).toEqual(["losses"]);
  await start(...args);
  const day = results.date.slice(0, 10);
  expect((await readdir(folder)).sort()).toEqual([`${day}-losses-2.json`, `${day}-losses.json`]);
  expect(JSON.parse(await readFile(path.join(folder, `${day}-losses.json`), "utf8"))).toEqual(results);
});

test("without --json tables go to stdout, progress to stderr", async () => {
  const { code, out, err } = await start("kernels", ...TINY, "--filter", "radix sort, 1280");
  expect(code).toBe(0);
  expect(out).toMatch(/Node .*\n[\s\S]*radix sort, 1280 pairs[\s\S]*machine, 1 thread:[\s\S]*wasm .*\n.*reference/);
  expect(err).toMatch(/^kernels: radix sort, 1280 pairs/);
});

test.each([
  [["everything"], /everything/],
  [["--seconds", "0"], /--seconds must be a number in \[0.001/],
  [["--rounds", "x"], /--rounds must be an integer/],
  [["losses", "--filter", "absent"], /--filter absent matches nothing/],
  [["--fast"], /--fast/],
])("%j is refused with exit code 2 and nothing on stdout", async (args, message) => {
  const { code, out, err } = await start(...args);
  expect(code).toBe(2);
  expect(err).toMatch(message);
  expect(out).toBe("");
});

test("a file in the place of the folder for results is refused before anything is measured", async () => {
  const file = path.join(folder, "taken");
  await writeFile(file, "");
  const { code, out, err } = await start("losses", ...TINY, "--out", file);
  expect(code).toBe(2);
  expect(err).toBe(`${file} cannot be a folder for results (EEXIST)\n`);
  expect(out).toBe("");
});

test("--help shows the options and ends well", async () => {
  const { code, out } = await start("--help");
  expect(code).toBe(0);
  expect(out).toMatch(/--filter <text>[\s\S]*Examples:/);
});

test("all subjects are run unless one is named", () => {
  const output = { out() {}, err() {} };
  expect(parseCommandLine([], output)).toMatchObject({ subjects: SUBJECTS, save: false, json: false });
  expect(parseCommandLine(["step", "--save"], output)).toMatchObject({
    subjects: ["step"],
    save: true,
    out: undefined,
  });
});
