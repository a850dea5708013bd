import { availableBackends } from "@logq/blas";
import type { BackendName } from "@logq/kernels";
import { expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { ENCODER_CASES, LOSS_CASES, OPTIMIZER_CASES } from "./support/cases.js";
import { type EngineCase, engineSpec, lossSum, readTables, withEngine } from "./support/engines.js";
import { OracleRun } from "./support/oracle.js";
import { TIED_CASES } from "./support/tied-cases.js";

/** Steps of each run: past the end of the first epoch of most sources, so that a smaller last batch is among them. */
const STEPS = 5;

/** Of the largest change of a table over the run. */
const TABLE_BOUND = 3e-5;
const LOSS_BOUND = 3e-6;

async function compareWithOracle(of: EngineCase, backend: BackendName): Promise<void> {
  const spec = engineSpec(of);
  await withEngine(spec, { backend }, async ({ host, train }) => {
    const start = readTables(host);
    const oracle = new OracleRun(spec, start);
    await train(0, STEPS);
    let loss = 0;
    for (let step = 0; step < STEPS; step++) loss += oracle.step(step);
    expect(Math.abs(lossSum(host) - loss) / loss).toBeLessThan(LOSS_BOUND);
    const end = readTables(host);
    const actual = [end.classes, end.bias, ...end.encoder];
    const before = [start.classes, start.bias, ...start.encoder];
    oracle.tables.forEach(({ values, rows }, table) => {
      if (rows === 0) return;
      const change = values.reduce((most, value, i) => Math.max(most, Math.abs(value - before[table]![i]!)), 0);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // What float32 can hold of the table itself stands beside.
      const absolute = TABLE_BOUND * change + STEPS * 2 ** -24 * largest;
      expectAllClose(actual[table]!, values, { absolute, name: `table ${table}` });
      expect(largest).toBeLessThan(20);
      if (spec.bias || table !== 1) expect(change).toBeGreaterThan(1e-4);
    });
  });
}

describe.each(await availableBackends())(
  "five steps on %s against float64: tables within 3e-5 of their largest change, loss within 3e-6",
  (backend) => {
    describe("losses", () => {
      it.each(Object.entries(LOSS_CASES))("%s", (_, of) => compareWithOracle(of, backend));
    });
    describe("encoders", () => {
      it.each(Object.entries(ENCODER_CASES))("%s", (_, of) => compareWithOracle(of, backend));
    });
    describe("optimizers and schedules", () => {
      it.each(Object.entries(OPTIMIZER_CASES))("%s", (_, of) => compareWithOracle(of, backend));
    });
    describe("tied tables", () => {
      it.each(Object.entries(TIED_CASES))("%s", (_, of) => compareWithOracle(of, backend));
    });
  },
);
