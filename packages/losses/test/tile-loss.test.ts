import type { CompiledKernels } from "@logq/kernels";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, test } from "vitest";
import { countsByLabels, describeLoss, type LossName, type LossTile, lossDefaults } from "../src/index.js";
import { BACKENDS, specOf, TILE_LOSSES } from "./harness.js";
import { makeRig, type Rig, run } from "./rig.js";

const SMOOTHED = specOf("full-softmax", { labelSmoothing: 0.3, temperature: 0.6 });
const SAMPLED_SMOOTHED = specOf("sampled-softmax", { labelSmoothing: 0.3, temperature: 0.6 });
const CAPPED = (["full-softmax", "sampled-softmax"] as const).map((name) =>
  specOf(name, { softCap: 4, temperature: 0.6 }),
);
const SPECS = [
  ...TILE_LOSSES.map((name) => specOf(name, name === "ccl" ? {} : { temperature: 0.6 })),
  SMOOTHED,
  SAMPLED_SMOOTHED,
  ...CAPPED,
].map(
  (spec) =>
    [`${spec.name}${spec.labelSmoothing > 0 ? ", smoothed" : spec.softCap > 0 ? ", capped" : ""}`, spec] as const,
);
/** Pairwise losses meet all candidates at once: they have neither tiles nor lanes to be cut into. */
const WALKED = SPECS.filter(([, { name }]) => describeLoss(name).kind !== "pairwise");
const C = 37;
const R = 6;

/** Rows with 0, 1, 2, 3, 1 and 2 labels, 2 ignored of weight 0. */
function filledRig(backend: CompiledKernels, spec = SMOOTHED): Rig {
  const rig = makeRig(backend, spec, { C, R, T: 9 });
  const random = new TestRandom(5);
  rig.z.set(random.normalFloats(rig.z.length, 3));
  rig.add.set(random.normalFloats(C));
  rig.classWeight.set(random.uniformFloats(C, 0.5, 3));
  rig.weight.set([0.3, 0.1, 0, 0.4, 0.2, 0.5]);
  rig.offsets.set([0, 0, 1, 3, 6, 7, 9]);
  rig.dot.set(random.normalFloats(9, 3));
  rig.labelAdd.set(random.normalFloats(9));
  rig.mass.set([1, 0.5, 0.5, 0.2, 0.3, 0.5, 1, 0.7, 0.3]);
  return rig;
}

/** Of the logit −1.5 of a label: −log σ, and σ(1.5). */
const MINUS_LOG_SIGMOID = Math.log1p(Math.exp(1.5));
const SIGMOID = 1 / (1 + Math.exp(-1.5));

/** Cuts the tile at the given classes. */
function cut(rig: Rig, at: readonly number[]): LossTile[] {
  const edges = [0, ...at, C];
  return edges.slice(1).map((to, i) => rig.slice(edges[i]!, to));
}

describe.each(BACKENDS)("on $name kernels", (backend) => {
  describe.each(WALKED)("%s", (_, spec) => {
    test.each([[[1]], [[5, 6, 30]], [Array.from({ length: C - 1 }, (_, c) => c + 1)]])(
      "tiles cut at %j give the loss to 1e-6 and the gradients to 3e-6 of the uncut tile",
      (at) => {
        const whole = filledRig(backend, spec);
        run(whole);
        const parts = filledRig(backend, spec);
        run(parts, cut(parts, at));
        expectAllClose(parts.losses, whole.losses, { relative: 1e-6, absolute: 1e-12 });
        expectAllClose(parts.z, whole.z, { relative: 3e-6, absolute: 1e-9 });
        expectAllClose(parts.dot, whole.dot, { relative: 3e-6, absolute: 1e-9 });
      },
    );

    test("lanes with rows of their own, folded, give the loss to 1e-6 and the gradients to 3e-6 of one lane", () => {
      const whole = filledRig(backend, spec);
      run(whole);
      const rig = filledRig(backend, spec);
      const { loss, rows } = rig;
      if (loss.kind === "pairwise") throw new Error("not walked");
      const tiles = cut(rig, [3, 11, 20]);
      const lanes = [rows, rig.makeRows(), rig.makeRows()];
      for (const lane of lanes) loss.begin(lane);
      for (const [t, tile] of tiles.entries()) {
        if (loss.kind === "separable") loss.tile(tile, lanes[t % 3]!);
        else loss.partials(tile, lanes[t % 3]!);
      }
      loss.fold(lanes[1]!, lanes[2]!);
      loss.fold(rows, lanes[1]!);
      loss.settle(rig.positives, rows);
      if (loss.kind === "normalised") for (const tile of tiles) loss.gradient(tile, rows);
      expectAllClose(rig.losses, whole.losses, { relative: 1e-6, absolute: 1e-12 });
      expectAllClose(rig.z, whole.z, { relative: 3e-6, absolute: 1e-9 });
      expectAllClose(rig.dot, whole.dot, { relative: 3e-6, absolute: 1e-9 });
    });
  });

  describe.each(SPECS)("%s", (_, spec) => {
    test("a second run over the same objects gives the same bits: nothing is left behind", () => {
      const rig = filledRig(backend, spec);
      run(rig);
      const first = { z: rig.z.slice(), dot: rig.dot.slice(), losses: rig.losses.slice() };
      const again = filledRig(backend, spec);
      rig.z.set(again.z);
      rig.dot.set(again.dot);
      run(rig);
      expect([rig.z, rig.dot, rig.losses]).toEqual([first.z, first.dot, first.losses]);
    });

    test("rows of weight 0 get loss 0 and gradients 0, though their logits are NaN", () => {
      const rig = filledRig(backend, spec);
      const ld = rig.tile.ld;
      for (let c = 0; c < C; c++) rig.z[c * ld + 2] = Number.NaN;
      rig.dot.fill(Number.NaN, 1, 3);
      run(rig);
      expect(rig.losses[2]).toBe(0);
      for (let c = 0; c < C; c++) expect(Math.abs(rig.z[c * ld + 2]!)).toBe(0);
      expect(Array.from(rig.dot.subarray(1, 3), Math.abs)).toEqual([0, 0]);
      expect(rig.losses.every(Number.isFinite)).toBe(true);
    });

    // WARP looks no further than the first violation.
    test.skipIf(spec.name === "warp")(
      "a NaN or +∞ among the logits of a row that counts shows in its loss, and in no other",
      () => {
        for (const bad of [Number.NaN, Infinity]) {
          const rig = filledRig(backend, spec);
          rig.z[7 * rig.tile.ld + 3] = bad;
          run(rig);
          expect(Array.from(rig.losses, Number.isFinite)).toEqual([true, true, true, false, true, true]);
        }
      },
    );

    test("labels that start anywhere in their vectors give the same bits", () => {
      const first = filledRig(backend, spec);
      run(first);
      const moved = filledRig(backend, spec);
      const positives = { ...moved.positives };
      moved.offsets.set(moved.offsets.map((offset) => offset + 4));
      positives.dot -= 16;
      positives.add -= 16;
      positives.mass -= 16;
      positives.pull -= 32;
      run({ ...moved, positives });
      expect([moved.losses, moved.z, moved.dot]).toEqual([first.losses, first.z, first.dot]);
    });
  });

  test("a tile computed anew goes through partials again and gives the same bits as a tile that was kept", () => {
    for (const spec of [SMOOTHED, specOf("full-softmax"), specOf("sampled-softmax")]) {
      const kept = filledRig(backend, spec);
      run(kept, cut(kept, [17]));
      const again = filledRig(backend, spec);
      const raw = again.z.slice();
      const { loss, rows, positives } = again;
      if (loss.kind !== "normalised") throw new Error("not normalised");
      const tiles = cut(again, [17]);
      loss.begin(rows);
      for (const tile of tiles) loss.partials(tile, rows);
      loss.settle(positives, rows);
      again.z.set(raw);
      const scratch = again.makeRows();
      for (const tile of tiles) {
        loss.partials(tile, scratch);
        loss.gradient(tile, rows);
      }
      expect(again.z).toEqual(kept.z);
    }
  });

  test("absent terms, weights and masses (address 0) are 0, 1 and 1", () => {
    // To WARP absent weights say besides that candidates stand in the order of their draws.
    // A sampled softmax that smooths cannot do without.
    for (const [, spec] of SPECS.filter(([name, spec]) => name !== "warp" && spec !== SAMPLED_SMOOTHED)) {
      const given = filledRig(backend, spec);
      given.add.fill(0);
      given.labelAdd.fill(0);
      given.classWeight.fill(1);
      given.mass.fill(1);
      run(given);
      const absent = filledRig(backend, spec);
      const tile = { ...absent.tile, add: 0, weight: 0 };
      run({ ...absent, tile, positives: { ...absent.positives, add: 0, mass: 0 } });
      expect([absent.losses, absent.z, absent.dot]).toEqual([given.losses, given.z, given.dot]);
    }
  });

  /** The loss of a row with one label of logit −1.5 and no candidate that takes part, and its derivative. */
  const ALONE: { readonly [name in LossName]?: readonly [number, number] } = {
    "sampled-softmax": [0, 0],
    "sampled-margin": [0, 0],
    bce: [MINUS_LOG_SIGMOID / 4, -SIGMOID / 4],
    gbce: [MINUS_LOG_SIGMOID / 4 + 0.75 * 0.5 * 0.25 * MINUS_LOG_SIGMOID, -(1 + 0.75 * 0.5) * 0.25 * SIGMOID],
    bpr: [0, 0],
    warp: [0, 0],
    ccl: [2.5, -1],
  };

  test("with every candidate masked, what is left is the label: its own term, −log σ(z⁺) in most logistic losses, or nothing to be above of", () => {
    for (const name of TILE_LOSSES.filter((name) => describeLoss(name).candidates)) {
      const rig = makeRig(backend, lossDefaults(name).spec, { C: 3, R: 1, T: 1 });
      rig.z.fill(-Infinity);
      rig.add.set([1, -2, 0]);
      rig.classWeight.set([0, 1, 5]);
      rig.offsets.set([0, 1]);
      rig.dot[0] = -1.5;
      run(rig);
      const [loss, slope] = ALONE[name] ?? [MINUS_LOG_SIGMOID, -SIGMOID];
      expect(rig.losses[0], name).toBeCloseTo(loss, 6);
      expect([0, 1, 2].map((c) => Math.abs(rig.z[c * rig.tile.ld]!))).toEqual([0, 0, 0]);
      expect(rig.dot[0], name).toBeCloseTo(slope, 6);
    }
  });

  test("a row without labels is ignored by softmax losses, has no pairs, and is all negatives to logistic ones that do not count by labels", () => {
    for (const name of TILE_LOSSES.filter((name) => !countsByLabels(specOf(name)))) {
      const rig = makeRig(backend, specOf(name), { C: 2, R: 1, T: 1 });
      rig.z.set([0.5, 0, 0, 0, -1, 0, 0, 0]);
      rig.offsets.set([0, 0]);
      run(rig);
      const negatives = Math.log1p(Math.exp(0.5)) + Math.log1p(Math.exp(-1));
      expect(rig.losses[0], name).toBeCloseTo(describeLoss(name).kind === "separable" ? negatives : 0, 6);
    }
  });
});
