import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import type { EncoderSpec } from "../src/index.js";
import {
  BACKENDS,
  createSetting,
  KEY,
  REFERENCE,
  randomBatch,
  runStep,
  type Share,
  SPEC,
  WASM,
  WHOLE,
} from "./harness.js";

const TRAINING = { key: KEY, step: 3 };

const SPECS: readonly EncoderSpec[] = [
  { ...SPEC, dropout: 0.25 },
  { ...SPEC, reduce: "mean", embedding: 13, hidden: [19, 7], D: 11, dropout: 0.25 },
  { ...SPEC, reduce: "mean", embedding: 33, hidden: [70, 24], D: 24, activation: "relu" },
  { ...SPEC, input: "concat", window: 3, embedding: 5, hidden: [], D: 15, dropout: 0.25 },
  { ...SPEC, input: "concat", window: 5, embedding: 14, hidden: [33], D: 9, dropout: 0.25 },
];

const SHARES: readonly Share[] = [
  { blockRows: 1, blockIds: 1 },
  { blockRows: 7, blockIds: 2, backwards: true },
  { blockRows: 8, blockIds: 5 },
  { blockRows: 16, blockIds: 7, backwards: true },
  { blockRows: 64, blockIds: 100 },
];

describe.each(BACKENDS)("$name: sharing the work out", (backend) => {
  describe.each(SPECS)("$input [$hidden] E=$embedding D=$D", (spec) => {
    const batch = randomBatch(spec, 83, spec.input === "bag");
    const whole = runStep(createSetting(spec, batch, backend), TRAINING, WHOLE);

    it.each(SHARES)("$blockRows rows and $blockIds ids a unit: the bits of one unit", (share) => {
      const shared = runStep(createSetting(spec, batch, backend), TRAINING, share);
      expect(shared).toEqual(whole);
    });
  });
});

describe("both back-ends", () => {
  it.each(SPECS)("agree within 2e-6 of the largest: $input [$hidden] E=$embedding D=$D", (spec) => {
    const batch = randomBatch(spec, 83, spec.input === "bag");
    const reference = runStep(createSetting(spec, batch, REFERENCE), TRAINING, WHOLE);
    const wasm = runStep(createSetting(spec, batch, WASM), TRAINING, WHOLE);
    for (const name of ["H", "inputGradient", "gradient"] as const) {
      const largest = reference[name].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expectAllClose(wasm[name], reference[name], { absolute: 2e-6 * largest, name });
    }
  });
});
