import { describe, expect, test } from "vitest";
import { harmonic } from "../src/functions.js";
import { computeLoss, type LossProblem } from "../src/index.js";
import { BACKENDS, specOf } from "./harness.js";
import { makeRig, run } from "./rig.js";

test("harmonic numbers: the expansion from 32 on is within 1e-11 of the sum, and 0 has none", () => {
  let sum = 0;
  expect(harmonic(0)).toBe(0);
  for (let k = 1; k <= 5000; k++) {
    sum += 1 / k;
    expect(Math.abs(harmonic(k) - sum)).toBeLessThan(1e-11);
  }
});

/** One row with h = 1 and width 1: the logit of class c is logits[c]. */
function problem(logits: readonly number[], target: number, ids: readonly number[], perRow = true): LossProblem {
  return {
    spec: specOf("warp"),
    D: 1,
    hidden: Float32Array.of(1),
    table: Float32Array.from(logits),
    targets: [target],
    candidates: { ids, perRow },
  };
}

describe.each(BACKENDS)("warp on $name kernels", (backend) => {
  const logits = [2, 0.5, -1, 1.25, 3, 0.75, 0.9];

  test("rows' own draws are met in their order: the first that is not below the label by 1 counts, by the tries it took", () => {
    // The label 0 has logit 2: 3 (1.25) violates, 1 and 2 do not; 4 would cost more, but comes later.
    for (const [ids, tries] of [
      [[3, 4, 1, 2], 1],
      [[1, 3, 4, 2], 2],
      [[1, 2, 1, 3], 4],
    ] as const) {
      const { loss, tableGradient } = computeLoss(problem(logits, 0, ids), { backend });
      const weight = harmonic(Math.floor(6 / tries));
      expect(loss).toBeCloseTo(weight * (1 - 2 + 1.25), 6);
      const gradient = Array.from(tableGradient.ids!, (id, u) => [id, tableGradient.rows[u]] as const);
      for (const [id, slope] of gradient) expect(slope).toBeCloseTo(id === 0 ? -weight : id === 3 ? weight : 0, 6);
    }
  });

  test("hits are no tries, and a row whose draws are all below by 1 costs nothing", () => {
    const among = computeLoss(problem(logits, 0, [0, 1, 0, 0, 3]), { backend });
    expect(among.loss).toBeCloseTo(harmonic(3) * 0.25, 6);
    const none = computeLoss(problem(logits, 4, [1, 2, 3, 5]), { backend });
    expect(none.loss).toBe(0);
    expect(Array.from(none.tableGradient.rows, Math.abs)).toEqual(Array(5).fill(0));
  });

  test("after n or more tries the rank is 0, and so is the loss", () => {
    expect(computeLoss(problem(logits, 0, [1, 1, 2, 1, 1, 2, 3]), { backend }).loss).toBe(0);
  });

  test("shared draws: of a class drawn three times all that come later see three tries", () => {
    // Two distinct classes: rows begin at either, by their place in the batch.
    const ids = [1, 3, 1, 1];
    const B = 8;
    const answer = computeLoss(
      { ...problem(logits, 0, ids, false), hidden: new Float32Array(B).fill(1), targets: new Array<number>(B).fill(0) },
      { backend },
    );
    const early = harmonic(6) * 0.25;
    const late = harmonic(1) * 0.25;
    const losses = Array.from(answer.perExample);
    for (const loss of losses) expect(Math.min(Math.abs(loss - early), Math.abs(loss - late))).toBeLessThan(1e-6);
    expect(losses.filter((loss) => Math.abs(loss - early) < 1e-6).length).toBeGreaterThanOrEqual(2);
    expect(losses.filter((loss) => Math.abs(loss - late) < 1e-6).length).toBeGreaterThanOrEqual(2);
  });

  test("shared draws: each of C rows that begin at other places finds another violator, and none is found by more than three of them", () => {
    for (const C of [2, 5, 12, 31, 64]) {
      const rig = makeRig(backend, specOf("warp"), { C, R: C, T: C });
      rig.offsets.set(Array.from({ length: C + 1 }, (_, r) => r));
      rig.z.fill(5);
      run(rig);
      const found = Array.from({ length: C }, (_, r) =>
        Array.from({ length: C }, (_, c) => c).filter((c) => rig.z[c * rig.tile.ld + r] !== 0),
      );
      expect(found.every((places) => places.length === 1)).toBe(true);
      const counts = new Array<number>(C).fill(0);
      for (const [place] of found) counts[place!]!++;
      expect(Math.max(...counts)).toBeLessThanOrEqual(3);
      expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(C / 2);
    }
  });

  test("blocks of rows, of any size, find the same violators", () => {
    const B = 23;
    const shared = problem(logits, 0, [5, 3, 1, 2, 6, 3, 2], false);
    const many = { ...shared, hidden: new Float32Array(B).fill(1), targets: new Array<number>(B).fill(0) };
    const whole = computeLoss(many, { backend });
    for (const blockRows of [1, 4, 7]) {
      expect(computeLoss(many, { backend, blockRows, tileClasses: 2 }).perExample).toEqual(whole.perExample);
    }
  });

  test("a NaN that is met shows in the loss of its row, and in no other", () => {
    const rig = makeRig(backend, specOf("warp"), { C: 3, R: 2, T: 2 });
    rig.offsets.set([0, 1, 2]);
    rig.z.fill(-8);
    rig.z[rig.tile.ld] = Number.NaN;
    run(rig);
    expect(Array.from(rig.losses)).toEqual([Number.NaN, 0]);
  });
});
