import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../src/cli.js";
import { program } from "../src/program.js";

const quiet = { out: () => {}, err: () => {} };

describe("the command line", () => {
  it("means everything, 5 rounds, 2 threads", () => {
    expect(parseCommandLine([], quiet)).toMatchObject({
      settings: {
        items: ["full", "sampled", "next-word", "workers", "topk", "word2vec", "train", "curves"],
        quick: false,
        rounds: 5,
        threads: 2,
      },
      json: false,
    });
  });

  it("takes items in any order, and refuses others", () => {
    expect(parseCommandLine(["--only", "topk, full", "--quick"], quiet)).toMatchObject({
      settings: { items: ["full", "topk"], quick: true, rounds: 2 },
    });
    expect(() => parseCommandLine(["--only", "fool"], quiet)).toThrow('there is no item "fool"');
    expect(() => parseCommandLine(["--rounds", "0"], quiet)).toThrow("--rounds must be an integer in [1, 1000]");
  });

  it("answers 2 for what makes no sense, 0 for help", async () => {
    expect(await program(["--nonsense"], quiet)).toBe(2);
    expect(await program(["--only", "fool"], quiet)).toBe(2);
    expect(await program(["--help"], quiet)).toBe(0);
  });
});
