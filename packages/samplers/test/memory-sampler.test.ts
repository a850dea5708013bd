import { KernelMemory } from "@logq/kernels";
import { expectAllClose } from "@logq/testing";
import { expect, it } from "vitest";
import {
  createSamplerState,
  memorySamplerFrom,
  memoryTableBytes,
  type SamplerInputs,
  type SamplerSpec,
  samplerFrom,
  writeMemoryTable,
} from "../src/index.js";
import { CONTEXTUAL_BACKENDS } from "./contextual-backends.js";
import { KEY } from "./contract.js";

const IDS = 64;
const LOGS = 2 ** 16;
const SCRATCH = 2 ** 17;
const TABLE = 2 ** 17 + 2 ** 14;

const memories = CONTEXTUAL_BACKENDS.map(({ bind }) => bind(KernelMemory.create(2 ** 20, false)));

const counts = Array.from({ length: 3000 }, (_, id) => (id % 7 === 3 ? 0 : 10_000 / (id + 1)));

const laws: [string, SamplerSpec, number, SamplerInputs][] = [
  ["uniform", { name: "uniform" }, 3000, {}],
  ["uniform over one class", { name: "uniform" }, 1, {}],
  ["log-uniform", { name: "log-uniform" }, 3000, {}],
  ["log-uniform over a hundred million", { name: "log-uniform" }, 1e8, {}],
  ["log-uniform over one class", { name: "log-uniform" }, 1, {}],
  ["unigram", { name: "unigram" }, 3000, { counts }],
  ["unigram to the 0.75, smoothed", { name: "unigram", distortion: 0.75, smoothing: 2 }, 3000, { counts }],
];

it.each(laws)("%s: ids and log Q are those of the sampler's own, on every back-end", (_, spec, n, inputs) => {
  const state = createSamplerState(spec, n, inputs);
  expect(TABLE + memoryTableBytes(state.spec, n)).toBeLessThanOrEqual(2 ** 20);
  for (const kernels of memories) {
    const { memory } = kernels;
    writeMemoryTable(state, memory, TABLE);
    const sampler = memorySamplerFrom(state, kernels, TABLE, SCRATCH)!;
    for (const [step, S] of [1, 2, 31, 33, 1000, 4097].entries()) {
      const request = { key: KEY, step: step + 2 ** 33, item: step % 2, S };
      const ids = new Int32Array(S);
      const logQ = new Float64Array(S);
      const draw = samplerFrom(state).draw(request, ids, logQ);
      sampler.draw(request, IDS);
      sampler.logQ(LOGS, IDS, S, S);
      expect([...memory.ints(IDS, S)]).toEqual([...ids]);
      const exact = spec.name !== "log-uniform";
      const near = (told: Iterable<number>, truth: Float32Array) => {
        if (exact) expect([...told]).toEqual([...truth]);
        else expectAllClose([...told], truth, { relative: 1.2e-7, absolute: 1e-7 });
      };
      near(memory.floats(LOGS, S), Float32Array.from(logQ));
      // Targets, classes that were not drawn among them, have the log Q of the same draw.
      const targets = Array.from({ length: Math.min(n, 20) }, (_, id) => id);
      memory.ints(IDS, targets.length).set(targets);
      sampler.logQ(LOGS, IDS, targets.length, S);
      const told = Float32Array.from(targets, (id) => draw.targetLogQ(id));
      near(memory.floats(LOGS, targets.length), told);
    }
  }
});

it("laws whose tries may be passed over are drawn by the sampler itself", () => {
  for (const name of ["uniform", "log-uniform"] as const) {
    const state = createSamplerState({ name, replacement: false }, 100);
    expect(memorySamplerFrom(state, memories[0]!, TABLE, SCRATCH)).toBeUndefined();
    expect(memoryTableBytes(state.spec, 100)).toBe(0);
  }
});
