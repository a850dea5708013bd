import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OutputLayer, type OutputLayerOptions, type StepOptions, type Targets } from "../dist/index.js";

const [N, D, B] = [20, 4, 6];
const hidden = Float32Array.from({ length: 3 * D }, (_, i) => Math.sin(i));
const targets = [1, -1, 19];

function create(options: Partial<OutputLayerOptions> = {}): Promise<OutputLayer> {
  return OutputLayer.create({ classes: N, dim: D, batch: B, maxTargets: 2, negatives: 5, ...options });
}

describe("a step that cannot be is refused before anything has changed", () => {
  let layer: OutputLayer;
  let before: Float32Array;

  beforeAll(async () => {
    layer = await create();
    before = layer.table();
  });

  afterAll(() => layer.close());

  const nan = hidden.slice();
  nan[5] = Number.NaN;
  const infinite = hidden.slice();
  infinite[11] = Number.NEGATIVE_INFINITY;
  const ids = [1, 2, 3];
  const logQ = [-1, -2, -3];
  const given = (candidates: object): StepOptions => ({
    candidates: candidates as NonNullable<StepOptions["candidates"]>,
  });

  const CASES: readonly (readonly [string, string, object, Float32Array, Targets, StepOptions?])[] = [
    ["NaN in hidden", "LOGQ_NOT_FINITE", { index: 5 }, nan, targets],
    ["an infinity in hidden", "LOGQ_NOT_FINITE", { index: 11 }, infinite, targets],
    ["no rows", "LOGQ_EMPTY_INPUT", { dim: D }, new Float32Array(0), []],
    ["half a row", "LOGQ_SHAPE", { length: 10, dim: D }, hidden.subarray(0, 10), targets],
    ["more rows than a batch", "LOGQ_SHAPE", { length: 7 * D, most: B }, new Float32Array(7 * D), Array(7).fill(0)],
    ["numbers that are no Float32Array", "LOGQ_SHAPE", { dim: D }, Array.from(hidden) as never, targets],
    ["too few targets", "LOGQ_SHAPE", { actual: 2, expected: 3 }, hidden, [1, 2]],
    ["a class that does not exist", "LOGQ_CLASS_ID", { index: 2, id: 20, n: N }, hidden, [1, -1, 20]],
    ["half a class", "LOGQ_CLASS_ID", { index: 0, id: 1.5 }, hidden, [1.5, 2, 3]],
    ["NaN for a class", "LOGQ_CLASS_ID", { index: 1, id: Number.NaN }, hidden, [1, Number.NaN, 3]],
    ["-1 among ragged ids", "LOGQ_CLASS_ID", { index: 1, id: -1 }, hidden, { offsets: [0, 1, 2, 3], ids: [1, -1, 3] }],
    [
      "a class twice in a row",
      "LOGQ_OPTION",
      { row: 1, labels: [4, 4] },
      hidden,
      { offsets: [0, 1, 3, 3], ids: [1, 4, 4] },
    ],
    ["too many labels", "LOGQ_SHAPE", { row: 0, count: 3, most: 2 }, hidden, { offsets: [0, 3, 3, 3], ids }],
    ["falling offsets", "LOGQ_SHAPE", { row: 1, count: -1 }, hidden, { offsets: [0, 2, 1, 2], ids: [1, 2] }],
    ["offsets that begin late", "LOGQ_OPTION", { value: 1 }, hidden, { offsets: [1, 2, 3, 3], ids }],
    ["too few offsets", "LOGQ_SHAPE", { actual: 3, expected: 4 }, hidden, { offsets: [0, 1, 2], ids: [1, 2] }],
    ["ids beyond the offsets", "LOGQ_SHAPE", { actual: 3, expected: 2 }, hidden, { offsets: [0, 1, 1, 2], ids }],
    ["too few weights", "LOGQ_SHAPE", { actual: 2 }, hidden, targets, { exampleWeights: [1, 1] }],
    ["a negative weight", "LOGQ_OPTION", { index: 2, weight: -1 }, hidden, targets, { exampleWeights: [1, 1, -1] }],
    ["a NaN weight", "LOGQ_NOT_FINITE", { index: 1 }, hidden, targets, { exampleWeights: [1, Number.NaN, 1] }],
    ["weights beyond float64", "LOGQ_NOT_FINITE", {}, hidden, targets, { exampleWeights: [1e308, 1, 1e308] }],
    ["no candidates", "LOGQ_OPTION", { value: 0 }, hidden, targets, given({ ids: [], logQ: [], targetLogQ: logQ })],
    [
      "too many candidates",
      "LOGQ_OPTION",
      { value: 6, maximum: 5 },
      hidden,
      targets,
      given({ ids: [1, 2, 3, 4, 5, 6] }),
    ],
    ["candidates without log Q", "LOGQ_MISSING_LOG_Q", {}, hidden, targets, given({ ids })],
    ["labels without log Q", "LOGQ_MISSING_LOG_Q", {}, hidden, targets, given({ ids, logQ })],
    ["too few log Q", "LOGQ_SHAPE", { actual: 2 }, hidden, targets, given({ ids, logQ: [0, 0], targetLogQ: logQ })],
    [
      "a log Q of -Infinity",
      "LOGQ_NOT_FINITE",
      { index: 1 },
      hidden,
      targets,
      given({ ids, logQ: [0, -1 / 0, 0], targetLogQ: logQ }),
    ],
    [
      "too few log Q of labels",
      "LOGQ_SHAPE",
      { actual: 2, expected: 3 },
      hidden,
      targets,
      given({ ids, logQ, targetLogQ: [0, 0] }),
    ],
    [
      "a label's NaN log Q",
      "LOGQ_NOT_FINITE",
      { index: 2 },
      hidden,
      targets,
      given({ ids, logQ, targetLogQ: [0, 0, Number.NaN] }),
    ],
    [
      "a candidate that does not exist",
      "LOGQ_CLASS_ID",
      { index: 1, id: 20 },
      hidden,
      targets,
      given({ ids: [1, 20, 3], logQ, targetLogQ: logQ }),
    ],
  ];

  const cases = CASES.map(([name, code, values, rows, labels, options = {}]) => ({
    name,
    code,
    values,
    rows,
    labels,
    options,
  }));

  it.each(cases)("$name: $code", async ({ code, values, rows, labels, options }) => {
    const error = { code, values };
    await expect(layer.step(rows, labels, options)).rejects.toMatchObject(error);
    expect(() => layer.stepSync(rows, labels, options)).toThrow(expect.objectContaining({ code }));
    expect(layer.steps).toBe(0);
    expect(layer.table()).toEqual(before);
  });

  it("log Q of ignored rows is not looked at", async () => {
    const other = await create();
    await other.step(hidden, targets, given({ ids, logQ, targetLogQ: [-1, Number.NaN, -2] }));
    expect(other.steps).toBe(1);
  });
});

describe("other calls", () => {
  it("are refused for what they are given", async () => {
    const layer = await create({ maxK: 7, classBias: "none" });
    await expect(layer.topK(hidden, 8)).rejects.toMatchObject({ code: "LOGQ_OPTION", values: { maximum: 7 } });
    await expect(layer.topK(hidden.subarray(1), 2)).rejects.toMatchObject({ code: "LOGQ_SHAPE" });
    await expect(layer.crossEntropy(hidden, [20, 1, 1])).rejects.toMatchObject({ code: "LOGQ_CLASS_ID" });
    await expect(layer.crossEntropy(hidden, [-1, -1, -1])).rejects.toMatchObject({ code: "LOGQ_EMPTY_INPUT" });
    const table = layer.table();
    const bad = table.slice();
    bad[9] = Number.NaN;
    expect(() => layer.setTable(table.subarray(1))).toThrow(expect.objectContaining({ code: "LOGQ_SHAPE" }));
    expect(() => layer.setTable(bad)).toThrow(
      expect.objectContaining({ values: expect.objectContaining({ index: 9 }) }),
    );
    expect(() => layer.setTable(table, new Float32Array(N))).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
    expect(layer.table()).toEqual(table);
  });

  it("are refused while another is under way, whichever it is", async () => {
    const layer = await create({ workers: 1, callerWorks: false });
    try {
      for (const begin of [
        () => layer.step(hidden, targets),
        () => layer.crossEntropy(hidden, targets),
        () => layer.topK(hidden, 3),
      ]) {
        const first = begin();
        const busy = { code: "LOGQ_OPTION", message: expect.stringContaining("busy") };
        expect(() => layer.setTable(layer.table())).toThrow(expect.objectContaining(busy));
        const others = [layer.step(hidden, targets), layer.crossEntropy(hidden, targets), layer.topK(hidden, 1)];
        for (const other of await Promise.allSettled(others)) {
          expect(other).toMatchObject({ status: "rejected", reason: busy });
        }
        await first;
      }
      expect(layer.steps).toBe(1);
      expect(() => layer.stepSync(hidden, targets)).toThrow(expect.objectContaining({ values: { workers: 1 } }));
    } finally {
      await layer.close();
    }
  }, 15_000);

  it("with the caller's candidates need a layer that shares them", async () => {
    const candidates = { ids: [1], logQ: [0], targetLogQ: [0, 0, 0] };
    for (const options of [{ candidates: "row" }, { loss: "full-softmax", negatives: undefined }] as const) {
      const layer = await create(options as Partial<OutputLayerOptions>);
      await expect(layer.step(hidden, targets, { candidates })).rejects.toMatchObject({ code: "LOGQ_OPTION" });
    }
  });
});

describe("a layer", () => {
  const CASES: readonly (readonly [string, string, Partial<OutputLayerOptions>])[] = [
    ["without classes", "LOGQ_OPTION", { classes: 0 }],
    ["of an unknown loss", "LOGQ_OPTION", { loss: "softmax" as never }],
    ["with an option that does not exist", "LOGQ_OPTION", { margin: 1 } as never],
    ["that draws by counts that it lacks", "LOGQ_OPTION", { sampler: "unigram" }],
    ["whose biases start at counts that it lacks", "LOGQ_OPTION", { classBias: "log-frequency", workers: 1 }],
    ["with counts of other classes", "LOGQ_SHAPE", { counts: [1, 2] }],
    ["with a NaN count", "LOGQ_NOT_FINITE", { counts: Array(N).fill(Number.NaN) }],
    ["with a negative count", "LOGQ_OPTION", { counts: Array(N).fill(-1) }],
    ["that draws more distinct classes than there are", "LOGQ_SAMPLER", { replacement: false, negatives: 21 }],
    ["that looks at every class, with negatives", "LOGQ_OPTION", { loss: "full-softmax" }],
    ["that leaves out what rows have seen", "LOGQ_OPTION", { exclude: "seen" } as never],
    ["with more labels a row than an evaluation carries", "LOGQ_OPTION", { maxTargets: 10_000 }],
  ];

  it.each(CASES)("%s is refused: %s", async (_, code, options) => {
    await expect(create(options)).rejects.toMatchObject({ code });
  });
});
