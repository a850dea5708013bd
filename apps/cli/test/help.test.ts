import { describe, expect, it } from "vitest";
import { cli, logq } from "./support.js";

const COMMANDS = [
  "prepare text",
  "prepare pairs",
  "prepare labels",
  "train",
  "evaluate",
  "recommend",
  "neighbours",
  "export",
];

describe("help", () => {
  it("lists the commands, an example and the exit codes, as a process too", async () => {
    const { code, stdout, stderr } = await logq(process.cwd(), ["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of new Set(COMMANDS.map((command) => command.split(" ")[0]!)))
      expect(stdout).toContain(`\n  ${name}`);
    expect(stdout).toMatch(/Exit codes:\n {2}0 {2}done\n/);
  });

  it.each(COMMANDS)("%s: an example, the exit codes and --json", async (command) => {
    const { code, stdout } = await cli([...command.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Examples?:\n {2}logq ${command} `, "m"));
    expect(stdout).toMatch(/^Exit codes:$/m);
    expect(stdout).toMatch(/^ {2}--json/m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(130);
  });

  it("train groups its options by theme and names choices and defaults", async () => {
    const { stdout } = await cli(["train", "--help"]);
    for (const theme of ["Encoder", "Loss", "Sampling", "Length", "Optimizer", "First values", "Machine"]) {
      expect(stdout).toMatch(new RegExp(`^${theme}.*:$`, "m"));
    }
    const flat = stdout.replaceAll(/\s+/g, " ");
    expect(flat).toContain(
      "cross-batch, quadratic-kernel, random-features, midx, lsh, hard, two-pass (default: unigram; of pairs uniform)",
    );
    expect(flat).not.toContain("given");
  });

  it("without a command: the help on stderr, answered with 2", async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: logq [options] [command]");
  });

  it("--version is that of the package", async () => {
    expect(await cli(["--version"])).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
  });
});
