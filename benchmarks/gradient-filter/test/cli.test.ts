import { Printed } from "@logq/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCommandLine } from "../src/cli.js";
import { program } from "../src/program.js";
import { withData } from "./small.js";

const quiet = new Printed().output;

describe("the command line", () => {
  it("means both data sets with their own steps, three filters, two threads", () => {
    expect(parseCommandLine([], quiet)).toEqual({
      settings: {
        sets: ["wikitext-2", "reddit"],
        steps: null,
        epsilons: [0.0002, 0.01, 0.05],
        bfloat16: true,
        workers: 2,
        seed: 1,
      },
      json: false,
      data: undefined,
    });
  });

  it("takes sets in any order, and lists of filters", () => {
    const line = [
      "--sets",
      "reddit, wikitext-2",
      "--epsilons",
      "0.1, 1e-3",
      "--steps",
      "7",
      "--data",
      "there",
      "--no-bfloat16",
    ];
    expect(parseCommandLine(line, quiet)).toMatchObject({
      settings: { sets: ["wikitext-2", "reddit"], steps: 7, epsilons: [0.1, 0.001], bfloat16: false },
      data: "there",
    });
  });

  it.each([
    ["--nonsense"],
    ["more"],
    ["--sets wikitext"],
    ["--sets ,"],
    ["--epsilons 0"],
    ["--epsilons 1"],
    ["--epsilons 0.1,"],
    ["--epsilons some"],
    ["--steps 0"],
    ["--steps 1.5"],
    ["--steps x"],
    ["--workers 0"],
    ["--seed x"],
  ])("refuses %s in one line, and ends with 2", async (line) => {
    const printed = new Printed();
    expect(await program(line.split(" "), printed.output)).toBe(2);
    expect(printed.out).toBe("");
    expect(printed.err).toMatch(/^.+\n$/);
  });

  it("ends with 0 after help", async () => {
    const printed = new Printed();
    expect(await program(["--help"], printed.output)).toBe(0);
    expect(printed.out).toContain("--epsilons");
  });
});

describe("without data", () => {
  let data: string | undefined;
  beforeEach(() => {
    data = process.env.LOGQ_DATA;
    delete process.env.LOGQ_DATA;
  });
  afterEach(() => {
    if (data !== undefined) process.env.LOGQ_DATA = data;
  });

  it("says in one line which folder is expected, and ends with 1", async () => {
    const printed = new Printed();
    expect(await program(["--sets", "reddit"], printed.output)).toBe(1);
    expect(printed.err).toBe("no data: --data or LOGQ_DATA has to name a folder with reddit-titles/titles.tsv.gz\n");
  });

  it("says what a folder lacks before anything is read", async () => {
    await withData(async (folder) => {
      const printed = new Printed();
      expect(await program(["--data", folder], printed.output)).toBe(1);
      expect(printed.err).toBe(
        `no data: ${folder} has no reddit-titles/titles.tsv.gz; expected are wikitext2/train.txt.gz, wikitext2/valid.txt, reddit-titles/titles.tsv.gz\n`,
      );
    });
  });
});
