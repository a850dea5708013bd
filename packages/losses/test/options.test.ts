import { MissingLogQError, OptionError } from "@logq/core";
import { describe, expect, test } from "vitest";
import {
  candidateTerms,
  describeLoss,
  LOSS_NAMES,
  type LossSpec,
  lossDefaults,
  needsLogQ,
  validateLossSpec,
} from "../src/index.js";
import { specOf } from "./harness.js";

describe("lossDefaults", () => {
  test.each(LOSS_NAMES)("%s: defaults are valid, as they are and like tensorflow", (name) => {
    expect(validateLossSpec(lossDefaults(name).spec)).toEqual(lossDefaults(name).spec);
    expect(() => validateLossSpec(lossDefaults(name, { like: "tensorflow" }).spec)).not.toThrow();
  });

  test("sampled softmax: importance, with replacement, hits kept; like tensorflow unique draws with hits removed", () => {
    const usual = lossDefaults("sampled-softmax");
    expect([usual.spec.correction, usual.spec.accidentalHits, usual.replacement]).toEqual(["importance", "keep", true]);
    const tensorflow = lossDefaults("sampled-softmax", { like: "tensorflow" });
    expect([tensorflow.spec.correction, tensorflow.spec.accidentalHits, tensorflow.replacement]).toEqual([
      "importance",
      "remove",
      false,
    ]);
  });

  test("nce keeps hits, also like tensorflow; sampled logistic removes them; negative sampling removes the target", () => {
    expect(lossDefaults("nce").spec.accidentalHits).toBe("keep");
    expect(lossDefaults("nce", { like: "tensorflow" })).toMatchObject({
      spec: { accidentalHits: "keep" },
      replacement: false,
    });
    expect(lossDefaults("sampled-logistic").spec.accidentalHits).toBe("remove");
    expect(lossDefaults("negative-sampling").spec.accidentalHits).toBe("remove");
  });

  test("margins: cosines at a scale of 64, CosFace's 0.35; sampled ones without log Q, and without replacement", () => {
    const usual = { normalize: true, temperature: 1 / 64, marginKind: "cosine", margin: 0.35, correction: "none" };
    expect(lossDefaults("margin").spec).toMatchObject(usual);
    expect(lossDefaults("sampled-margin")).toMatchObject({ spec: usual, replacement: false });
  });

  test("an unknown name or template is refused", () => {
    expect(() => lossDefaults("softmax" as "nce")).toThrow(OptionError);
    expect(() => lossDefaults("nce", { like: "torch" as "tensorflow" })).toThrow(OptionError);
  });
});

describe("validateLossSpec refuses", () => {
  const refused: readonly (readonly [string, LossSpec, RegExp])[] = [
    ["temperature 0", specOf("nce", { temperature: 0 }), /temperature/],
    ["temperature NaN", specOf("nce", { temperature: Number.NaN }), /temperature/],
    ["smoothing 1", specOf("full-softmax", { labelSmoothing: 1 }), /below 1/],
    ["negative smoothing", specOf("full-softmax", { labelSmoothing: -0.1 }), /labelSmoothing/],
    ["smoothing under sampling", specOf("nce", { labelSmoothing: 0.1 }), /1\/S/],
    [
      "smoothing of uncorrected draws",
      specOf("sampled-softmax", { labelSmoothing: 0.1, correction: "none" }),
      /importance.*never by 1\/S/,
    ],
    [
      "smoothing with hits removed",
      specOf("sampled-softmax", { labelSmoothing: 0.1, accidentalHits: "remove" }),
      /keep/,
    ],
    ["smoothing of one-vs-all", specOf("one-vs-all", { labelSmoothing: 0.1 }), /distribution/],
    ["smoothing with exclusions", specOf("full-softmax", { labelSmoothing: 0.1, exclude: "seen" }), /exclude/],
    ["a correction of a full loss", specOf("full-softmax", { correction: "importance" }), /nothing to correct/],
    ["nce uncorrected", specOf("nce", { correction: "none" }), /importance/],
    ["nce with hits removed", specOf("nce", { accidentalHits: "remove" }), /sampled-logistic/],
    ["sampled logistic with hits kept", specOf("sampled-logistic", { accidentalHits: "keep" }), /nce/],
    ["negative sampling corrected", specOf("negative-sampling", { correction: "importance" }), /none/],
    ["one-vs-all candidates with hits kept", specOf("sampled-one-vs-all", { accidentalHits: "keep" }), /negatives/],
    ["negatives by label of another loss", specOf("nce", { negativesPerLabel: 5 }), /negative-sampling/],
    ["fewer than no negatives", specOf("negative-sampling", { negativesPerLabel: -1 }), /negativesPerLabel/],
    ["partition with hits kept", specOf("sampled-softmax", { correction: "partition" }), /twice/],
    ["hits of a full loss removed", specOf("one-vs-all", { accidentalHits: "remove" }), /no hits/],
    ["a z-loss of logits without a partition", specOf("nce", { zLoss: 0.1 }), /full-softmax/],
    ["a z-loss below 0", specOf("full-softmax", { zLoss: -1 }), /zLoss/],
    ["a cap of logistic losses", specOf("nce", { softCap: 30 }), /sampled-softmax/],
    ["a cap below 0", specOf("full-softmax", { softCap: -1 }), /softCap/],
    ["a cap with smoothing", specOf("full-softmax", { softCap: 30, labelSmoothing: 0.1 }), /combined/],
    ["ccl of products", specOf("ccl", { normalize: false }), /normalize/],
    ["ccl with a temperature", specOf("ccl", { temperature: 0.1 }), /temperature must be 1/],
    ["margins of products", specOf("margin", { normalize: false }), /normalize/],
    ["a margin of another loss", specOf("full-softmax", { margin: 0.1 }), /margin, sampled-margin/],
    ["a margin above 2", specOf("margin", { margin: 2.5 }), /margin/],
    ["a kind of margin that is none", specOf("margin", { marginKind: "arc" as "angular" }), /marginKind/],
    ["a calibration above 1", specOf("gbce", { calibration: 1.1 }), /calibration/],
    ["a calibration of bce", specOf("bce", { calibration: 1 }), /gbce/],
    ["negative weights of another loss", specOf("bpr", { negativeWeight: 2 }), /ccl/],
    ["a margin beyond cosines", specOf("ccl", { negativeMargin: -1.5 }), /negativeMargin/],
    ["warp with hits kept", specOf("warp", { accidentalHits: "keep" }), /negatives/],
    ["bpr corrected", specOf("bpr", { correction: "importance" }), /none/],
    ["smoothing of margins", specOf("margin", { labelSmoothing: 0.1 }), /labelSmoothing/],
    ["a name that is none", { ...specOf("nce"), name: "softmax" as "nce" }, /full-softmax/],
    ["a tree with cosines", specOf("hierarchical-softmax", { normalize: true }), /no class has a cosine/],
    ["a tree without seen classes", specOf("hierarchical-softmax", { exclude: "seen" }), /every decision above it/],
    ["a tree with smoothing", specOf("hierarchical-softmax", { labelSmoothing: 0.1 }), /cost is that of one path/],
    ["a tree with z-loss", specOf("hierarchical-softmax", { zLoss: 0.1 }), /zLoss is an option of/],
    ["a tree with a correction", specOf("hierarchical-softmax", { correction: "importance" }), /draws no candidates/],
    ["normalize that is no boolean", { ...specOf("nce"), normalize: 1 as unknown as boolean }, /normalize/],
  ];

  test.each(refused)("%s, with OptionError", (_, spec, message) => {
    expect(() => validateLossSpec(spec)).toThrow(OptionError);
    expect(() => validateLossSpec(spec)).toThrow(message);
  });
});

test("a perplexity may be printed from the full and the hierarchical softmax alone", () => {
  expect(LOSS_NAMES.filter((name) => describeLoss(name).perplexity)).toEqual(["full-softmax", "hierarchical-softmax"]);
});

test("losses that correct refuse candidates and labels without log Q", () => {
  const vectors = (to: number) => ({ from: 0, to, bias: null, logQ: null, multiplicity: null });
  for (const name of LOSS_NAMES) {
    const spec = specOf(name);
    const run = () => {
      candidateTerms(spec, "candidate", { ...vectors(2), add: new Float32Array(2), weight: new Float32Array(2) });
    };
    if (needsLogQ(spec)) expect(run).toThrow(MissingLogQError);
    else expect(run).not.toThrow();
  }
  expect(LOSS_NAMES.filter((name) => needsLogQ(specOf(name)))).toEqual([
    "sampled-softmax",
    "nce",
    "sampled-logistic",
    "sampled-one-vs-all",
  ]);
});
