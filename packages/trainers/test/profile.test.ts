import { availableBackends, compileBackend, instantiateBackend } from "@logq/blas";
import { syntheticDataset } from "@logq/datasets";
import { KernelMemory } from "@logq/kernels";
import { expect, it } from "vitest";
import { KERNEL_KINDS, Trainer, type WorkerProfile } from "../src/index.js";
import { Profile, readProfile } from "../src/parallel/profile.js";
import { MOST_OPERANDS } from "../src/parallel/profiled-kernels.js";

const dataset = syntheticDataset({ classes: 500, examples: 256, validationExamples: 1, testExamples: 1 });

async function trained(profile: boolean): Promise<{ loss: number; profiles: WorkerProfile[] }> {
  const trainer = await Trainer.create(dataset, { batch: 32, negatives: 64, dim: 16, epochs: 2, workers: 0, profile });
  try {
    await trainer.runSteps(16);
    return { loss: trainer.statistics().lastLoss, profiles: trainer.profile() };
  } finally {
    await trainer.close();
  }
}

it("timing the kernels changes no bit, and tells every kind that a sampled step uses", async () => {
  const [plain, timed] = [await trained(false), await trained(true)];
  expect(timed.loss).toBe(plain.loss);
  const phases = (profiles: WorkerProfile[]) => new Set(profiles.flatMap((profile) => Object.keys(profile)));
  for (const name of ["build", "gather", "rows", "table"]) {
    expect(phases(plain.profiles)).toContain(name);
    expect(phases(timed.profiles)).toContain(name);
  }
  const sum = (profiles: WorkerProfile[], kind: (typeof KERNEL_KINDS)[number]) =>
    profiles.flatMap((profile) => Object.values(profile)).reduce((total, times) => total + times.kernels[kind], 0);
  for (const kind of KERNEL_KINDS) expect(sum(plain.profiles, kind)).toBe(0);
  for (const kind of ["gather", "products", "loss", "optimizer", "sums", "drawing"] as const) {
    expect(sum(timed.profiles, kind)).toBeGreaterThan(0);
  }
  for (const profile of timed.profiles) {
    for (const { busy, kernels } of Object.values(profile)) {
      expect(Object.values(kernels).reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(busy + 0.01);
    }
  }
});

it("a phase within another counts as itself: nothing is counted twice", () => {
  const profile = new Profile();
  const start = performance.now();
  profile.begin("table");
  profile.within("build", () => {
    profile.addKernel(0, 1);
    const until = performance.now() + 3;
    while (performance.now() < until);
  });
  profile.wait();
  profile.end();
  const elapsed = performance.now() - start;
  const { table, build } = readProfile(profile.times, "start");
  expect(build!.busy).toBeGreaterThanOrEqual(3);
  expect(build!.kernels.gather).toBe(1);
  expect(table!.kernels.gather).toBe(0);
  expect(table!.busy + table!.waiting + build!.busy).toBeLessThanOrEqual(elapsed);
});

it("no kernel has more operands than a timed one hands on", async () => {
  for (const name of await availableBackends()) {
    const kernels = instantiateBackend(await compileBackend(name, true), KernelMemory.create(2 ** 20, true));
    const functions = Object.values(kernels).flatMap((group) =>
      Object.values((group ?? {}) as object).filter((kernel) => typeof kernel === "function"),
    );
    expect(functions.length).toBeGreaterThan(50);
    for (const kernel of functions) expect(kernel.length).toBeLessThanOrEqual(MOST_OPERANDS);
  }
});
