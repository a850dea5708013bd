import { describe, expect, it } from "vitest";
import { requireAgreement } from "../src/measure/agree.js";
import { type Comparison, medianOf, runComparison } from "../src/measure/compare.js";
import type { Entry } from "../src/measure/contender.js";
import { entryOf, NO_PROBE } from "./small.js";

const EFFORT = { rounds: 3, seconds: 0, least: 2 };

function comparisonOf(entries: readonly Entry[], closed: () => void = () => {}): Comparison {
  return {
    item: "full",
    name: "a step",
    work: "",
    agreements: { loss: { relative: 1e-5 } },
    absent: [{ contender: "nobody", reason: "known before" }],
    prepare: async () => ({ entries, close: async () => closed() }),
  };
}

const run = (entries: readonly Entry[], closed?: () => void) =>
  runComparison(comparisonOf(entries, closed), EFFORT, NO_PROBE, () => {});

describe("requireAgreement", () => {
  it("accepts what differs by less than the tolerance, relative to each element or to the largest", () => {
    requireAgreement({ loss: [1.000001] }, { loss: [1] }, { loss: { relative: 1e-5 } });
    requireAgreement({ g: [1, 0.00009] }, { g: [1, 0] }, { g: { ofLargest: 1e-4 } });
  });

  it("refuses, with the values, what differs by more", () => {
    const refuse = () => requireAgreement({ loss: [1.001] }, { loss: [1] }, { loss: { relative: 1e-5 } });
    expect(refuse).toThrow("loss: 1 of 1 values are wrong; [0] is 1.001 instead of 1");
    expect(() => requireAgreement({ g: [1, 0.0002] }, { g: [1, 0] }, { g: { ofLargest: 1e-4 } })).toThrow(
      "[1] is 0.0002",
    );
  });

  it("refuses NaN, another length, and what one side did not compute", () => {
    expect(() => requireAgreement({ g: [Number.NaN] }, { g: [1] }, { g: { ofLargest: 1 } })).toThrow("NaN");
    expect(() => requireAgreement({ g: [1] }, { g: [1, 2] }, { g: { ofLargest: 1 } })).toThrow("1 values instead of 2");
    expect(() => requireAgreement({}, { g: [1] }, { g: { ofLargest: 1 } })).toThrow("not computed by both");
  });

  it("wants a share of equal elements of ids: 2 of 4 are no 0.75", () => {
    requireAgreement({ ids: [1, 2, 3, 9] }, { ids: [1, 2, 3, 4] }, { ids: { equalShare: 0.75 } });
    const refuse = () => requireAgreement({ ids: [1, 2, 9, 9] }, { ids: [1, 2, 3, 4] }, { ids: { equalShare: 0.75 } });
    expect(refuse).toThrow("2 of 4 values are equal");
  });
});

describe("runComparison", () => {
  it("interleaves rounds, in turned order every other time, and takes medians", async () => {
    const log: string[] = [];
    const check = { loss: [1] };
    const { rows } = await run([entryOf("a", "logq", 2, check, log), entryOf("b", "peer", 6, check, log)]);
    // The first two are the warm-up.
    expect(log.slice(2, 8)).toEqual(["a", "b", "b", "a", "a", "b"]);
    expect(rows.map(({ contender, value, rounds }) => [contender, value, rounds])).toEqual([
      ["a", 2, [2, 2, 2]],
      ["b", 6, [6, 6, 6]],
    ]);
  });

  it("does not time who computes something else, says what, and closes it", async () => {
    const log: string[] = [];
    const { rows, absent } = await run([
      entryOf("ours", "logq", 2, { loss: [1] }, log),
      entryOf("theirs", "peer", 1, { loss: [2] }, log),
    ]);
    expect(rows.map(({ contender }) => contender)).toEqual(["ours"]);
    expect(absent[1]?.reason).toBe(
      "refused: loss: 1 of 1 values are wrong; [0] is 2 instead of 1 (compared with ours)",
    );
    expect(log).toContain("theirs closed");
    expect(log).not.toContain("theirs");
  });

  it("goes on without who cannot start or finds no memory, and closes the rest", async () => {
    const log: string[] = [];
    let closed = false;
    const failing: Entry = {
      ...entryOf("broken", "peer", 1, {}),
      start: () => Promise.reject(new Error("no compiler\nat x")),
    };
    const greedy: Entry = { ...entryOf("greedy", "peer", 1, {}), bytes: 2 ** 60 };
    const { rows, absent } = await run([entryOf("ours", "logq", 2, { loss: [1] }, log), failing, greedy], () => {
      closed = true;
    });
    expect(rows).toHaveLength(1);
    expect(absent.map(({ contender }) => contender)).toEqual(["nobody", "broken", "greedy"]);
    expect(absent[1]?.reason).toBe("no compiler");
    expect(absent[2]?.reason).toMatch(/^needs 1073741824.0 GiB, and/);
    expect(closed && log.includes("ours closed")).toBe(true);
  });
});

describe("a contender that fails in a round", () => {
  it("is absent from then on, and the others go on", async () => {
    const mortal = entryOf("mortal", "peer", 1, { loss: [1] });
    let turns = 0;
    const dying: Entry = {
      ...mortal,
      async start() {
        const contender = await mortal.start();
        // The warm-up and one round, no more.
        return {
          ...contender,
          round: (...args) => (++turns > 2 ? Promise.reject(new Error("killed")) : contender.round(...args)),
        };
      },
    };
    const { rows, absent } = await run([entryOf("ours", "logq", 2, { loss: [1] }), dying]);
    expect(rows.map(({ contender, rounds }) => [contender, rounds.length])).toEqual([["ours", 3]]);
    expect(absent[1]).toEqual({ contender: "mortal", reason: "failed in round 2: killed" });
  });
});

describe("medianOf", () => {
  it("is the middle one, or between the two", () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1])).toBe(2.5);
  });
});
