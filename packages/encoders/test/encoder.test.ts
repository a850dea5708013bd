import { OptionError } from "@logq/core";
import { MemoryPlan } from "@logq/kernels";
import { checkGradient, crossSparsely, expectAllClose } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { Encoder, type EncoderSpec, planEncoder } from "../src/index.js";
import {
  BACKENDS,
  createSetting,
  KEY,
  lossCoefficients,
  parametersOf,
  REFERENCE,
  randomBatch,
  runStep,
  SPEC,
  WHOLE,
} from "./harness.js";
import { type Batch, oracleForward } from "./oracle.js";

const TRAINING = { key: KEY, step: 2 ** 33 + 7 };

const CASES = crossSparsely(
  {
    input: ["bag", "concat"],
    reduce: ["sum", "mean"],
    weighted: [false, true],
    hidden: [[], [5], [9, 4], [17], [3, 8, 6]],
    activation: ["tanh", "relu"],
    dropout: [0, 0.4],
    embedding: [1, 3, 4, 6, 8],
    window: [1, 2, 3],
    D: [5, 6, 8, 1],
    rows: [1, 2, 7, 13],
  },
  4,
).map(({ weighted, rows, ...fields }, index) => {
  // Bags with a chosen reduction; windows know neither weights nor means.
  const spec: EncoderSpec = {
    ...SPEC,
    ...fields,
    reduce: fields.input === "bag" ? fields.reduce : "sum",
    D: index % 5 === 0 ? fields.embedding * (fields.input === "concat" ? fields.window : 1) : fields.D,
  };
  const batch = randomBatch(spec, rows, weighted && spec.input === "bag", index + 1);
  return { name: describeCase(spec, batch), spec, batch };
});

function describeCase({ input, reduce, window, embedding, hidden, activation, dropout, D }: EncoderSpec, batch: Batch) {
  const form = input === "bag" ? `${batch.weights ? "weighted " : ""}${reduce}` : `window ${window}`;
  return `${input} (${form}) E=${embedding} [${hidden}] D=${D} ${activation} dropout ${dropout} B=${batch.rows}`;
}

/** Σ c·H of the oracle, as a function of all parameters. */
function lossOf(spec: EncoderSpec, batch: Batch, training: typeof TRAINING | undefined) {
  const c = lossCoefficients(spec, batch.rows);
  return (parameters: ArrayLike<number>) =>
    oracleForward(spec, parameters, batch, training).reduce((sum, h, i) => sum + c[i] * h, 0);
}

describe.each(BACKENDS)("$name: the encoder against float64", (backend) => {
  it.each(CASES)("H within 3e-6, gradients within 1e-5 of the largest: $name", ({ spec, batch }) => {
    const setting = createSetting(spec, batch, backend);
    const parameters = parametersOf(setting);
    const { H, gradient } = runStep(setting, TRAINING, WHOLE);
    const expected = oracleForward(spec, parameters, batch, TRAINING);
    expectAllClose(H, expected, { absolute: 3e-6, relative: 3e-6, name: "H", shape: [batch.rows, spec.D] });
    checkGradient(lossOf(spec, batch, TRAINING), parameters, gradient, { step: 1e-5, tolerance: 1e-5, absolute: 1e-7 });
  });

  it("evaluation draws no dropout: H within 3e-6", () => {
    const spec = { ...SPEC, hidden: [9, 4], dropout: 0.5 };
    const batch = randomBatch(spec, 7, false);
    const setting = createSetting(spec, batch, backend);
    const expected = oracleForward(spec, parametersOf(setting), batch, undefined);
    const { encoder, kernels } = setting;
    for (let unit = 0; unit < encoder.evaluationPrepareUnits; unit++) encoder.prepare(unit);
    encoder.forward(0, 7, undefined);
    const H = kernels.memory.floats(encoder.layout.hidden.address, 7 * encoder.layout.hidden.ld);
    for (let row = 0; row < 7; row++) {
      const at = row * encoder.layout.hidden.ld;
      expectAllClose(H.subarray(at, at + spec.D), expected.subarray(row * spec.D, (row + 1) * spec.D), {
        absolute: 3e-6,
        relative: 3e-6,
      });
    }
  });

  it("an empty bag without dense layers gives H = 0 exactly", () => {
    const batch = randomBatch(SPEC, 4, false);
    const { H } = runStep(createSetting(SPEC, batch, backend), undefined, WHOLE);
    expect(batch.offsets[1]).toBe(batch.offsets[2]);
    expect(Array.from(H.subarray(SPEC.D, 2 * SPEC.D))).toEqual(new Array(SPEC.D).fill(0));
  });

  it("a batch of 517 rows spans three packed chunks: gradients within 2e-5 of the largest", () => {
    const spec: EncoderSpec = { ...SPEC, input: "concat", window: 2, embedding: 2, hidden: [3], D: 2 };
    const batch = randomBatch(spec, 517, false);
    const setting = createSetting(spec, batch, backend);
    const { gradient } = runStep(setting, undefined, WHOLE);
    const parameters = parametersOf(setting);
    checkGradient(lossOf(spec, batch, undefined), parameters, gradient, { step: 1e-5, tolerance: 2e-5 });
  });

  it("a batch smaller than planned gives the bits of one planned for its size, whatever older rows hold", () => {
    const spec: EncoderSpec = { ...SPEC, hidden: [9, 4], dropout: 0.3 };
    const batch = randomBatch(spec, 5, true);
    const exact = runStep(createSetting(spec, batch, backend), TRAINING, WHOLE);
    const roomy = createSetting(spec, batch, backend, 40);
    const { layers, inputVector, inputGradient } = roomy.encoder.layout;
    const blocks = [inputVector, inputGradient, ...layers.flatMap((layer) => [layer.output, layer.outputGradient])];
    for (const { address, rows, ld } of blocks) roomy.kernels.memory.floats(address, rows * ld).fill(NaN);
    expect(runStep(roomy, TRAINING, WHOLE)).toEqual(exact);
  });

  it("the masks of two steps differ", () => {
    const spec: EncoderSpec = { ...SPEC, hidden: [9], dropout: 0.3 };
    const setting = createSetting(spec, randomBatch(spec, 5, false), backend);
    const { H } = runStep(setting, { key: KEY, step: 1 }, WHOLE);
    expect(runStep(setting, { key: KEY, step: 2 }, WHOLE).H).not.toEqual(H);
    expect(runStep(setting, { key: KEY, step: 1 }, WHOLE).H).toEqual(H);
  });

  it("external input leaves H and its gradient to the caller", () => {
    const spec: EncoderSpec = { ...SPEC, input: "external", vocabulary: 0, embedding: 0, D: 5 };
    const batch: Batch = { rows: 3, offsets: new Int32Array(0), ids: new Int32Array(0), weights: undefined };
    const setting = createSetting(spec, batch, backend);
    const { memory } = setting.kernels;
    const { hidden, hiddenGradient, inputGradient, tables } = setting.encoder.layout;
    memory.floats(hidden.address, 5).fill(2);
    const result = runStep(setting, TRAINING, WHOLE);
    expect(Array.from(result.H.subarray(0, 5))).toEqual([2, 2, 2, 2, 2]);
    expect(result.inputGradient).toEqual(lossCoefficients(spec, 3));
    expect(inputGradient).toEqual(hiddenGradient);
    expect(tables).toEqual([]);
    expect(setting.encoder.prepareUnits).toBe(0);
  });
});

describe("the border of the encoder", () => {
  const batch = randomBatch(SPEC, 3, false);
  const setting = createSetting(SPEC, batch, REFERENCE);

  it("refuses a layout of another spec, with both", () => {
    const other = { ...SPEC, hidden: [4] };
    expect(() => new Encoder(other, setting.encoder.layout, setting.kernels)).toThrow(OptionError);
    expect(() => new Encoder({ ...SPEC, vocabulary: 24 }, setting.encoder.layout, setting.kernels)).toThrow(
      /another encoder/,
    );
  });

  it("refuses more rows than planned, and none", () => {
    expect(() => setting.encoder.setBatchRows(4)).toThrow(/\[1, 3\], not 4/);
    expect(() => setting.encoder.setBatchRows(0)).toThrow(OptionError);
  });

  it("refuses a mean without weights", () => {
    const spec: EncoderSpec = { ...SPEC, reduce: "mean" };
    const { encoder, input } = createSetting(spec, batch, REFERENCE);
    expect(() => encoder.setInput({ ...input, weights: 0 })).toThrow(/scaleBagWeights/);
  });

  it("a plan for evaluation reserves nothing for gradients", () => {
    const sizes = setting.kernels;
    const spec: EncoderSpec = { ...SPEC, hidden: [8, 4], dropout: 0.5 };
    const bytes = (training: boolean) => {
      const plan = new MemoryPlan();
      const layout = planEncoder(plan, spec, { maxRows: 64, training, matrix: sizes.matrix });
      return { layout, bytes: plan.bytes };
    };
    const evaluation = bytes(false);
    expect(evaluation.bytes).toBeLessThan(0.6 * bytes(true).bytes);
    expect(evaluation.layout.inputGradient.address).toBe(0);
    expect(evaluation.layout.layers.map((layer) => layer.matrixGradient + layer.packedBackward)).toEqual([0, 0, 0]);
    expect(evaluation.layout.scratchBytes).toBe(0);
  });
});
