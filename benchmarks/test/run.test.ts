import { expect, test } from "vitest";
import { kernelGroups } from "../src/kernels/groups.js";
import { lossGroups } from "../src/losses/groups.js";
import { isRefused, type Results, refusedRows } from "../src/report/results.js";
import { groupTable, heading } from "../src/report/table.js";
import { type Plan, run } from "../src/run.js";
import { samplerGroups } from "../src/samplers.js";
import { stepGroups } from "../src/step.js";
import { SMALL_KERNELS, SMALL_LOSSES, SMALL_SAMPLERS, SMALL_STEPS } from "./small.js";

const settings = { seconds: 0.001, rounds: 2, filter: null };

const PLANS: Plan = [
  { subject: "kernels", groups: kernelGroups(SMALL_KERNELS) },
  { subject: "samplers", groups: samplerGroups(SMALL_SAMPLERS) },
  { subject: "losses", groups: lossGroups(SMALL_LOSSES) },
  { subject: "step", groups: stepGroups(SMALL_STEPS) },
];

const number = expect.any(Number);
const rates = { gigaflops: number, peakGigaflops: number, gigabytes: number };
const reading = { oneThread: rates, twoThreads: rates };

function expectSchema(results: Results): void {
  expect(results).toEqual({
    format: 1,
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    machine: {
      ...{ cpu: expect.any(String), cores: number, memoryBytes: number, os: expect.any(String) },
      ...{ node: process.versions.node, v8: process.versions.v8, nodeOptions: expect.any(Array), load: number },
      revision: expect.toSatisfy((value) => value === null || /^[0-9a-f]{12}\+?$/.test(value)),
    },
    settings,
    subjects: expect.any(Array),
  });
  for (const group of results.subjects.flatMap(({ groups }) => groups)) {
    expect(group).toEqual({
      name: expect.any(String),
      probe: { before: reading, after: reading },
      rows: expect.any(Array),
    });
  }
}

test.each(PLANS)(
  "$subject: every variant passes its check and is timed; results survive JSON",
  async (one) => {
    const results = await run([one], settings);
    expectSchema(results);
    expect(JSON.parse(JSON.stringify(results))).toEqual(results);
    expect(refusedRows(results)).toEqual([]);
    const groups = results.subjects[0]!.groups;
    expect(groups.map(({ name, rows }) => [name, rows.map(({ variant }) => variant)])).toEqual(
      one.groups.map(({ name, variants }) => [name, [...variants]]),
    );
    for (const row of groups.flatMap(({ rows }) => rows)) {
      if (isRefused(row)) continue;
      expect(row.samples).toBeGreaterThanOrEqual(settings.rounds);
      expect(row.minMs).toBeGreaterThan(0);
      expect(row.minMs).toBeLessThanOrEqual(row.p10Ms);
      expect(row.p10Ms).toBeLessThanOrEqual(row.medianMs);
      expect(row.medianMs).toBeLessThanOrEqual(row.p90Ms);
      expect(row.roundMediansMs).toHaveLength(settings.rounds);
      expect(row.gigaflops ?? row.itemNanoseconds).toBeGreaterThan(0);
    }
  },
  60_000,
);

test("a filter chooses variants of groups, in any case of letters", async () => {
  const results = await run(PLANS, { ...settings, filter: "EXP, 1000 ELEMENTS: wasm" });
  expect(results.subjects.map(({ groups }) => groups.map(({ rows }) => rows.map(({ variant }) => variant)))).toEqual([
    [["wasm"]],
  ]);
});

test("a filter that matches nothing is refused, with the names there are", async () => {
  await expect(run(PLANS, { ...settings, filter: "absent" })).rejects.toThrow(/matches nothing[\s\S]*candidateTerms/);
});

test("a group that is refused does not end the run, and its table says why", async () => {
  const check = () => {
    throw new Error("1 is not 2");
  };
  const wrong = { name: "a", work: {}, check, run() {} };
  const group = { name: "wrong", variants: ["a"], prepare: async () => ({ variants: [wrong] }) };
  const sound = kernelGroups(SMALL_KERNELS).filter(({ name }) => name.startsWith("exp"));
  const results = await run([{ subject: "kernels", groups: [group, ...sound] }], settings);
  const [first, second] = results.subjects[0]!.groups;
  expect(first!.rows).toEqual([{ variant: "a", refused: "1 is not 2" }]);
  expect(groupTable(first!)).toContain("NOT TIMED a: 1 is not 2");
  expect(second!.rows.filter(isRefused)).toEqual([]);
});

test("tables are aligned, give ratios to the first variant and leave empty columns out", () => {
  const timing = { p10Ms: 1, p90Ms: 3, minMs: 0.5, samples: 9, roundMediansMs: [2] };
  const rate = (gigaflops: number, gigabytes: number) => ({ gigaflops, peakGigaflops: 60, gigabytes });
  const one = { oneThread: rate(50, 20), twoThreads: rate(90, 30) };
  const two = { oneThread: rate(25, 20), twoThreads: rate(90, 30) };
  const text = groupTable({
    name: "products",
    probe: { before: one, after: two },
    rows: [
      { variant: "wasm", ...timing, medianMs: 2, gigaflops: 30, gigabytes: null, itemNanoseconds: null, item: null },
      {
        variant: "reference",
        ...timing,
        medianMs: 40,
        gigaflops: 1.5,
        gigabytes: null,
        itemNanoseconds: null,
        item: null,
      },
    ],
  });
  expect(text).toBe(
    [
      "products",
      "  machine, 1 thread:  50.0-25.0 GF/s (peak 60.0) 20.0 GB/s",
      "  machine, 2 threads: 90.0 GF/s (peak 60.0) 30.0 GB/s",
      "              median     min      p10      p90  samples  GF/s  of peak  x first",
      "  wasm       2.00 ms  500 us  1.00 ms  3.00 ms        9  30.0      50%     1.00",
      "  reference  40.0 ms  500 us  1.00 ms  3.00 ms        9  1.50       3%     20.0",
    ].join("\n"),
  );
});

test("the heading names the machine, the engine and the revision", () => {
  const machine = {
    cpu: "Z80",
    cores: 1,
    memoryBytes: 2 ** 30,
    os: "cpm",
    node: "20.1",
    v8: "11",
    nodeOptions: [],
    load: 0.5,
  };
  const text = heading({ date: "today", machine: { ...machine, revision: "abc" }, settings });
  expect(text).toContain("Z80, 1 cores, 1 GiB, cpm");
  expect(text).toContain("Node 20.1, V8 11, revision abc, load 0.500");
});
