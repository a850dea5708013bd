import { keyFromSeed } from "@logq/core";
import {
  buildSegments,
  Encoder,
  type EncoderSpec,
  initialiseTable,
  planEncoder,
  planSegments,
  scaleBagWeights,
  segmentScratchBytes,
} from "@logq/encoders";
import { compileKernels, instantiateKernels, KernelMemory, MemoryPlan } from "@logq/kernels";

// Mean of word vectors → 32 tanh units → H (B, 16).
const spec: EncoderSpec = {
  input: "bag",
  vocabulary: 1000,
  reduce: "mean",
  window: 0,
  embedding: 24,
  hidden: [32],
  activation: "tanh",
  dropout: 0.1,
  D: 16,
};

// Plan everything, then allocate once.
const compiled = await compileKernels("auto", false);
const sizes = instantiateKernels(compiled, KernelMemory.create(0, false));
const plan = new MemoryPlan();
const layout = planEncoder(plan, spec, { maxRows: 2, training: true, matrix: sizes.matrix });
const input = { offsets: plan.reserve("offsets", 12), ids: plan.reserve("ids", 20), weights: plan.reserve("w", 20) };
const segments = planSegments(plan, "segments", 5, true);
const scratch = plan.reserve("scratch", Math.max(layout.scratchBytes, segmentScratchBytes(sizes.indices, 5)));
const out = plan.reserve("embedding gradients", 5 * 24 * 4);
const memory = plan.allocate(false);
const kernels = instantiateKernels(compiled, memory);

// Parameters, and a batch of two rows: ids 7 3 7 and 3 999.
const key = keyFromSeed("example");
for (const table of layout.tables) initialiseTable(memory, table, key);
memory.ints(input.offsets, 3).set([0, 3, 5]);
memory.ints(input.ids, 5).set([7, 3, 7, 3, 999]);
memory.floats(input.weights, 5).fill(1);
scaleBagWeights(memory, input, 2);

// One step. Between the phases of a step with several workers stands a barrier.
const encoder = new Encoder(spec, layout, kernels);
encoder.setBatchRows(2);
encoder.setInput(input);
encoder.setSegments(segments);
const training = { key, step: 0 };
for (let unit = 0; unit < encoder.prepareUnits; unit++) encoder.prepare(unit);
encoder.forward(0, 2, training);
memory.floats(layout.hiddenGradient.address, 2 * layout.hiddenGradient.ld).fill(1); // dL/dH, from the loss
encoder.backward(0, 2, training);
for (let unit = 0; unit < encoder.denseUnits.length; unit++) encoder.denseGradient(unit, scratch);
const unique = buildSegments(kernels, spec, input, 2, segments, scratch);
encoder.sparseGradient(0, unique, out, 24);

export const touched = Array.from(memory.ints(segments.unique, unique)); // 3, 7, 999
