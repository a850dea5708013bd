import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { LossSpec } from "../src/index.js";
import { expectation } from "./enumeration.js";
import { specOf } from "./harness.js";

const TRUTH = [0.45, 0.3, 0.2, 0.05];
const LAW = [0.1, 0.35, 0.25, 0.3];
const LOGITS = [0.2, 1.1, -0.6, 0.4];
const DRAWS = [1, 2, 4, 8, 16, 32];
const COLUMNS: readonly (readonly [string, LossSpec])[] = [
  ["importance, kept", specOf("sampled-softmax")],
  ["importance, removed", specOf("sampled-softmax", { accidentalHits: "remove" })],
  ["partition, removed", specOf("sampled-softmax", { correction: "partition", accidentalHits: "remove" })],
  ["none, kept", specOf("sampled-softmax", { correction: "none" })],
];

/** ‖E[sampled gradient] − full gradient‖ / ‖full gradient‖ with respect to the logits. */
function relativeBias(spec: LossSpec, S: number): number {
  const { gradient } = expectation(spec, LOGITS, TRUTH, LAW, S);
  const Z = LOGITS.reduce((sum, z) => sum + Math.exp(z), 0);
  const exact = LOGITS.map((z, c) => Math.exp(z) / Z - TRUTH[c]!);
  return Math.hypot(...exact.map((g, c) => gradient[c]! - g)) / Math.hypot(...exact);
}

const BIAS = COLUMNS.map(([, spec]) => DRAWS.map((S) => relativeBias(spec, S)));
const [kept, removed, partition, none] = BIAS as [number[], number[], number[], number[]];

test.each([
  ["importance with hits kept", kept],
  ["partition", partition],
] as const)(
  "%s: the bias of the gradient falls with every doubling of S, and from S = 8 on nearly halves (0.4 to 0.6)",
  (_, bias) => {
    for (let i = 1; i < bias.length; i++) expect(bias[i]!).toBeLessThan(bias[i - 1]!);
    for (let i = 4; i < bias.length; i++) {
      expect(bias[i]! / bias[i - 1]!).toBeGreaterThan(0.4);
      expect(bias[i]! / bias[i - 1]!).toBeLessThan(0.6);
    }
  },
);

test("uncorrected, the bias tends to that of the softmax of z + log q, which is not 0: at S = 32 it is 0.05 from it", () => {
  const weights = LOGITS.map((z, c) => LAW[c]! * Math.exp(z));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const Z = LOGITS.reduce((total, z) => total + Math.exp(z), 0);
  const p = LOGITS.map((z) => Math.exp(z) / Z);
  const exact = Math.hypot(...p.map((value, c) => value - TRUTH[c]!));
  const limit = Math.hypot(...p.map((value, c) => weights[c]! / sum - value)) / exact;
  expect(Math.abs(none[5]! - limit)).toBeLessThan(0.05);
  expect(limit).toBeGreaterThan(0.3);
});

test("importance with hits removed, drawn with replacement, turns worse once S·q nears 1: at S = 32 above S = 8 and 5 times hits kept", () => {
  expect(removed[5]!).toBeGreaterThan(removed[3]!);
  expect(removed[5]!).toBeGreaterThan(5 * kept[5]!);
});

test("the table in docs/maths/losses.md holds these very numbers", () => {
  const page = readFileSync(new URL("../../../docs/maths/losses.md", import.meta.url), "utf8");
  const rows = DRAWS.map((S, i) => `| ${S} | ${BIAS.map((column) => column[i]!.toFixed(4)).join(" | ")} |`);
  const table = [`| S | ${COLUMNS.map(([name]) => name).join(" | ")} |`, "|---|---|---|---|---|", ...rows].join("\n");
  expect(page).toContain(table);
});
