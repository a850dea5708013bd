import { keyFromSeed, OptionError } from "@logq/core";
import { compileKernels, instantiateKernels, MemoryPlan } from "@logq/kernels";
import { describe, expect, it } from "vitest";
import {
  CONTEXTUAL_NAMES,
  type ContextualSampler,
  contextualFrom,
  createSamplerState,
  createStatefulState,
  DESCRIBED_SAMPLERS,
  describedBytes,
  describeSampler,
  hardest,
  planContextual,
  resample,
  SAMPLER_NAMES,
  STATEFUL_NAMES,
  type StatefulSpec,
  samplerFrom,
  statefulSamplerFrom,
} from "../src/index.js";

const n = 1000;
const D = 16;
const counts = Float64Array.from({ length: n }, (_, id) => 1 + ((7 * id) % 50));

/** Bytes of all typed arrays of plain data. */
function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), 0);
}

async function contextual(name: (typeof CONTEXTUAL_NAMES)[number]): Promise<ContextualSampler> {
  const { tableBytes, scratchBytes } = planContextual({ name }, n, D);
  const plan = new MemoryPlan();
  const table = plan.reserve("table", tableBytes);
  const scratch = plan.reserve("scratch", scratchBytes);
  const kernels = instantiateKernels(await compileKernels("reference", false), plan.allocate(false));
  const inputs = { key: keyFromSeed(1), scale: 1, hasBiases: true, unigram: counts };
  return contextualFrom({ name }, n, D, kernels, table, scratch, inputs);
}

function statefulSpec(name: (typeof STATEFUL_NAMES)[number]): StatefulSpec {
  return name === "cross-batch" ? { name, batches: 4, labels: 1024 } : { name };
}

describe("describeSampler", () => {
  it("knows every sampler and no other", () => {
    expect(DESCRIBED_SAMPLERS.map((name) => describeSampler(name).name)).toEqual([...DESCRIBED_SAMPLERS]);
    expect(() => describeSampler("beam" as "uniform")).toThrow(OptionError);
  });

  it("says in whole sentences what there is to say", () => {
    for (const { draws, use, logQ, drawCost, updateCost, source } of DESCRIBED_SAMPLERS.map(describeSampler)) {
      for (const sentence of [draws, use, logQ]) expect(sentence).toMatch(/^[A-Z(][^|]*\.$/);
      for (const words of [drawCost, updateCost, source]) expect(words).toMatch(/^[^|]*[^.|]$/);
    }
  });

  it("agrees with the samplers on kinds: the context is looked at by those that have it", async () => {
    for (const name of SAMPLER_NAMES) expect(describeSampler(name).kind).toBe("static");
    for (const name of STATEFUL_NAMES) expect(describeSampler(name).kind).toBe("stateful");
    for (const name of CONTEXTUAL_NAMES)
      expect(describeSampler(name)).toMatchObject({ kind: "contextual", per: ["row"] });
  });

  it("agrees with the samplers on what is biased", async () => {
    for (const name of CONTEXTUAL_NAMES) expect((await contextual(name)).biased).toBe(describeSampler(name).biased);
    const { biased } = hardest([1, 2], 1, 2, Int32Array.of(0, 1), 1);
    expect(describeSampler("hard").biased).toBe(biased);
    const resampled = resample([1, 2], [0, 0], 1, 0.5, new Int32Array(1), new Float64Array(1));
    expect(describeSampler("two-pass").biased).toBe(resampled.biased);
    for (const name of STATEFUL_NAMES) expect(describeSampler(name).biased).toBe(false);
  });

  it("agrees with the samplers on replacement", () => {
    for (const name of ["uniform", "log-uniform", "unigram"] as const) {
      expect(describeSampler(name).replacement).toBe("either");
      expect(samplerFrom(createSamplerState({ name, replacement: false }, n, { counts })).replacement).toBe(false);
    }
    for (const name of STATEFUL_NAMES) {
      const sampler = () =>
        statefulSamplerFrom(createStatefulState({ ...statefulSpec(name), replacement: false } as StatefulSpec, n));
      if (describeSampler(name).replacement === "either") expect(sampler().replacement).toBe(false);
      else expect(sampler).toThrow(OptionError);
    }
  });

  it("counts the bytes that are there", () => {
    for (const name of ["uniform", "log-uniform", "unigram"] as const) {
      const { unigram } = createSamplerState({ name }, n, { counts });
      expect(describedBytes(name, n, D)).toBe(bytesOf(unigram));
    }
    for (const name of STATEFUL_NAMES) {
      const bytes = bytesOf(createStatefulState(statefulSpec(name), n));
      // Clocks of a few numbers are not counted everywhere.
      expect(Math.abs(describedBytes(name, n, D) - bytes), name).toBeLessThanOrEqual(64);
    }
    for (const name of CONTEXTUAL_NAMES) {
      expect(describedBytes(name, n, D)).toBe(planContextual({ name }, n, D).tableBytes);
    }
  });
});
