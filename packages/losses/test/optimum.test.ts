import { describe, expect, test } from "vitest";
import { computeLoss, type LossSpec } from "../src/index.js";
import { expectation, outcomes } from "./enumeration.js";
import { specOf } from "./harness.js";

const TRUTH = [0.45, 0.3, 0.2, 0.05];
const LAW = [0.1, 0.35, 0.25, 0.3];
const DRAWS = [1, 2, 3, 5];

const log = Math.log;
const logOdds = (p: number) => log(p / (1 - p));

/** Where the expected gradient must vanish, whatever S is, by what `describeLoss` says that the loss learns. */
const OPTIMA: readonly (readonly [string, LossSpec, (S: number) => number[]])[] = [
  ["sampled-softmax, importance, hits kept: log p", specOf("sampled-softmax"), () => TRUTH.map((p) => log(p) + 0.7)],
  [
    "sampled-softmax, uncorrected, hits kept: log p − log Q",
    specOf("sampled-softmax", { correction: "none" }),
    () => TRUTH.map((p, c) => log(p) - log(LAW[c]!)),
  ],
  ["nce: log p", specOf("nce"), () => TRUTH.map(log)],
  ["sampled-logistic: log-odds", specOf("sampled-logistic"), () => TRUTH.map(logOdds)],
  [
    "negative-sampling, hits kept: log p − log Q",
    specOf("negative-sampling", { accidentalHits: "keep" }),
    (S) => TRUTH.map((p, c) => log(p) - log(S * LAW[c]!)),
  ],
  [
    "negative-sampling, hits removed: log-odds − log Q",
    specOf("negative-sampling"),
    (S) => TRUTH.map((p, c) => logOdds(p) - log(S * LAW[c]!)),
  ],
  [
    "bce, hits kept: log p − log Q",
    specOf("bce", { accidentalHits: "keep" }),
    (S) => TRUTH.map((p, c) => log(p) - log(S * LAW[c]!)),
  ],
  ["bce, hits removed: log-odds − log Q", specOf("bce"), (S) => TRUTH.map((p, c) => logOdds(p) - log(S * LAW[c]!))],
  [
    "gbce, hits kept: log p − log Q + log β",
    specOf("gbce", { accidentalHits: "keep", calibration: 0.6 }),
    (S) => TRUTH.map((p, c) => log(p) - log(S * LAW[c]!) + log(1 - 0.6 * (1 - S / 3))),
  ],
  [
    "gbce, hits removed: log-odds − log Q + log β",
    specOf("gbce", { calibration: 0.6 }),
    (S) => TRUTH.map((p, c) => logOdds(p) - log(S * LAW[c]!) + log(1 - 0.6 * (1 - S / 3))),
  ],
  ["bpr, hits removed: log p − log Q + c", specOf("bpr"), () => TRUTH.map((p, c) => log(p) - log(LAW[c]!) - 0.3)],
  [
    "bpr, hits kept: log p − log Q + c",
    specOf("bpr", { accidentalHits: "keep" }),
    () => TRUTH.map((p, c) => log(p) - log(LAW[c]!) + 5),
  ],
  ["sampled-one-vs-all: log-odds", specOf("sampled-one-vs-all"), () => TRUTH.map(logOdds)],
];

function norm(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

test("the outcomes of S draws have probabilities that sum to 1 and mean counts S·q", () => {
  for (const S of DRAWS) {
    const all = outcomes(LAW, S);
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    for (const [c, q] of LAW.entries()) {
      const mean = all.reduce((sum, { counts, probability }) => sum + probability * counts[c]!, 0);
      expect(mean).toBeCloseTo(S * q, 12);
    }
  }
});

describe("the expected gradient over all draws and targets is 0 to 1e-6 at the optimum, for S = 1, 2, 3, 5", () => {
  test.each(OPTIMA)("%s", (_, spec, optimum) => {
    for (const S of DRAWS) expect(norm(expectation(spec, optimum(S), TRUTH, LAW, S).gradient)).toBeLessThan(1e-6);
  });

  test.each(OPTIMA)("and not elsewhere: %s", (_, spec, optimum) => {
    for (const S of DRAWS) {
      const moved = optimum(S).map((s, c) => s + (c === 1 ? 0.5 : 0));
      expect(norm(expectation(spec, moved, TRUTH, LAW, S).gradient)).toBeGreaterThan(1e-3);
    }
  });
});

test.each([
  ["full-softmax: log p", specOf("full-softmax"), TRUTH.map((p) => log(p) - 2)],
  ["one-vs-all: log-odds", specOf("one-vs-all"), TRUTH.map(logOdds)],
] as const)(
  "with the truth itself as the labels' masses, the gradient is 0 to 1e-6 at the optimum: %s",
  (_, spec, optimum) => {
    const table = Float32Array.from(optimum);
    const targets = { offsets: [0, TRUTH.length], ids: [...TRUTH.keys()], mass: TRUTH };
    const { tableGradient } = computeLoss({ spec, D: 1, hidden: Float32Array.of(1), table, targets });
    expect(norm(tableGradient.rows)).toBeLessThan(1e-6);
  },
);

test("gbce with calibration 1 and k negatives uniform over the other classes: the expected gradient is 0 to 1e-6 at the log-odds (Petrov and Macdonald 2023)", () => {
  const n = TRUTH.length;
  const table = Float32Array.from(TRUTH, logOdds);
  for (const k of [1, 2, 3]) {
    const gradient = new Float64Array(n);
    for (const [t, p] of TRUTH.entries()) {
      const others = [...TRUTH.keys()].filter((c) => c !== t);
      for (let draw = 0; draw < (n - 1) ** k; draw++) {
        const ids = Array.from({ length: k }, (_, j) => others[Math.floor(draw / (n - 1) ** j) % (n - 1)]!);
        const spec = specOf("gbce", { calibration: 1 });
        const candidates = { ids, perRow: true };
        const problem = { spec, D: 1, hidden: Float32Array.of(1), table, targets: [t], candidates };
        const { tableGradient } = computeLoss(problem);
        for (const [u, id] of tableGradient.ids!.entries())
          gradient[id]! += (p * tableGradient.rows[u]!) / (n - 1) ** k;
      }
    }
    expect(norm(gradient)).toBeLessThan(1e-6);
  }
});

test("at log p, removed hits and the partition form are off by more than 1e-3 for S = 2, 3, 5: importance with hits kept is exact", () => {
  for (const S of [2, 3, 5]) {
    const logP = TRUTH.map(log);
    for (const correction of ["importance", "partition"] as const) {
      const spec = specOf("sampled-softmax", { correction, accidentalHits: "remove" });
      expect(norm(expectation(spec, logP, TRUTH, LAW, S).gradient)).toBeGreaterThan(1e-3);
    }
  }
});

test("sampled-one-vs-all: mean loss and mean gradient over draws are those of one-vs-all to 1e-6, at any logits and S", () => {
  const logits = [0.3, -1.2, 2, 0.5];
  const softplus = (x: number) => Math.log1p(Math.exp(x));
  const exactLoss = logits.reduce((sum, z, c) => sum + softplus(z) - TRUTH[c]! * z, 0);
  for (const S of DRAWS) {
    const { loss, gradient } = expectation(specOf("sampled-one-vs-all"), logits, TRUTH, LAW, S);
    expect(Math.abs(loss - exactLoss)).toBeLessThan(1e-6 * exactLoss);
    for (const [c, z] of logits.entries()) {
      expect(Math.abs(gradient[c]! - (1 / (1 + Math.exp(-z)) - TRUTH[c]!))).toBeLessThan(1e-6);
    }
  }
});

test("sampled-softmax: label smoothing moves the mean gradient over draws by ε·(p − 1/n), as over all classes, to 1e-6, at any logits and S", () => {
  const logits = [0.3, -1.2, 2, 0.5];
  const epsilon = 0.3;
  for (const S of DRAWS) {
    const plain = expectation(specOf("sampled-softmax"), logits, TRUTH, LAW, S).gradient;
    const spec = specOf("sampled-softmax", { labelSmoothing: epsilon });
    const smoothed = expectation(spec, logits, TRUTH, LAW, S).gradient;
    for (const [c, p] of TRUTH.entries()) {
      expect(Math.abs(smoothed[c]! - plain[c]! - epsilon * (p - 1 / TRUTH.length))).toBeLessThan(1e-6);
    }
  }
});

test.each([
  ["sampled-softmax", specOf("sampled-softmax")],
  ["nce", specOf("nce")],
] as const)(
  "%s: log Q added instead of subtracted would move the optimum, so that the gradient at log p is above 0.05",
  (_, spec) => {
    // z + log Q = (z + 2·log Q) − log Q: what the wrong sign sees at log p, the right one sees at log p + 2·log Q.
    const S = 3;
    const wrong = TRUTH.map((p, c) => log(p) + 2 * log(S * LAW[c]!));
    expect(norm(expectation(spec, wrong, TRUTH, LAW, S).gradient)).toBeGreaterThan(0.05);
  },
);
