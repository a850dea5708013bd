import { describe, expect, it } from "vitest";
import { medianOrNull, runTrials } from "../src/measure/trials.js";
import { curveRow, drawCurves, type Running } from "../src/train/curve.js";
import { type Goal, type Learner, timeToQuality } from "../src/train/learner.js";
import { NO_PROBE } from "./small.js";

/** A second for ten steps; its quality is its steps. */
function learnerOf(looks: (number | undefined)[] = []): Learner {
  let done = 0;
  return {
    async steps(count) {
      done += count;
      return count / 10;
    },
    async quality(limit) {
      looks.push(limit);
      return done;
    },
    close: async () => {},
  };
}

const GOAL: Goal = { metric: "steps", target: 55, more: "better", every: 20, from: 30, totalSteps: 100 };

describe("timeToQuality", () => {
  it("counts seconds of training up to the first check that passes: 70 steps for a target of 55", async () => {
    expect(await timeToQuality(learnerOf(), GOAL)).toEqual({ value: 7, more: { steps: 70 } });
  });

  it("has no time where no check passes", async () => {
    const { value } = await timeToQuality(learnerOf(), { ...GOAL, target: 1000 });
    expect(value).toBeNull();
  });

  it("looks at everything only where a glance comes near", async () => {
    const looks: (number | undefined)[] = [];
    await timeToQuality(learnerOf(looks), { ...GOAL, glance: 5 });
    // 30 and 50 are not near 55; 70 is.
    expect(looks).toEqual([5, 5, 5, undefined]);
  });
});

describe("runTrials", () => {
  const head = { item: "train", name: "", work: "", unit: "s" } as const;
  const trial = (
    name: string,
    train: (seed: number) => Promise<{ value: number | null; more: Record<string, number> }>,
  ) => ({
    name,
    side: "peer" as const,
    settings: {},
    prepare: async () => {},
    train,
  });

  it("trains each with every seed, medians of values and means of the rest", async () => {
    const good = trial("good", async (seed) => ({ value: seed, more: { quality: 10 * seed } }));
    const { rows } = await runTrials(head, [good], [], 3, NO_PROBE, () => {});
    expect(rows[0]).toMatchObject({ value: 2, rounds: [1, 2, 3], more: { quality: 20 } });
  });

  it("leaves out who fails, with the reason, and goes on", async () => {
    const bad = trial("bad", () => Promise.reject(new Error("no memory")));
    const good = trial("good", async () => ({ value: 1, more: {} }));
    const { rows, absent } = await runTrials(head, [bad, good], [], 1, NO_PROBE, () => {});
    expect(rows.map(({ contender }) => contender)).toEqual(["good"]);
    expect(absent).toEqual([{ contender: "bad", reason: "no memory" }]);
  });

  it("has a median only if most got there", () => {
    expect(medianOrNull([1, null, 2])).toBe(2);
    expect(medianOrNull([1, null, null])).toBeNull();
  });
});

describe("curves", () => {
  /** A second a step; its quality falls by a tenth of a nat a step from 8. */
  const running = (totalSteps: number, log: string[], name: string): Running => {
    let done = 0;
    const learner: Learner = {
      async steps(count) {
        log.push(`${name} ${count}`);
        done += count;
        return count;
      },
      quality: async () => 8 - done / 10,
      close: async () => {},
    };
    const runner = { name, side: "peer" as const, settings: {}, totalSteps, create: async () => learner };
    return { runner, learner, curve: [] };
  };

  it("are drawn side by side, in turned order every other time, each to its own end", async () => {
    const log: string[] = [];
    const all = [running(6, log, "a"), running(7, log, "b")];
    await drawCurves(all, 10, () => {});
    expect(log).toEqual(["b 5", "a 5", "a 1", "b 1", "b 1"]);
    expect(all[0]!.curve.map(({ seconds }) => seconds)).toEqual([0, 5, 6]);
  });

  it("give the time to each level, and nothing for a level that is not reached", async () => {
    const one = running(20, [], "a");
    await drawCurves([one], 10, () => {});
    const { value, more } = curveRow(one, [7.75, 7, 6.5]);
    expect(value).toBeCloseTo(15, 9);
    expect(more).toMatchObject({ "to 7.75": expect.closeTo(2.5, 9), "to 7": expect.closeTo(10, 9), steps: 20 });
    expect(more["ms a step"]).toBe(1000);
    expect(curveRow(one, [7, 5]).value).toBeNull();
  });
});
