import { availableBackends } from "@logq/blas";
import { describe, expect, it } from "vitest";
import { runOptions } from "../dist/model/options.js";
import { writeScalars } from "../dist/table/export.js";
import { engineSpec, readTables, withEngine } from "./support/engines.js";

const BACKENDS = await availableBackends();

/** Biases fall with the class: most of a row's probability is on the first of them, as it is on frequent words. */
const PEAKED = {
  loss: "full-softmax",
  n: 3001,
  D: 12,
  B: 70,
  lanes: 4,
  bias: true,
  optimizer: { name: "sgd", learningRate: 1 },
} as const;

async function stepWith(gradientFilter: number, of: object = {}, workers = 0) {
  return withEngine(engineSpec({ ...PEAKED, gradientFilter, ...of }), { workers }, async ({ host, train }) => {
    const { n } = host.spec.table;
    writeScalars(
      host,
      host.layout.table.bias,
      Float32Array.from({ length: n }, (_, id) => -2 * Math.log(1 + id)),
    );
    const before = readTables(host);
    await train(0, 1);
    const left = host.layout.full.training!.left >>> 3;
    const lanes = [0, 1, 2, 3].map((lane) => [
      host.memory.f64[left + 2 * lane]!,
      host.memory.f64[left + 2 * lane + 1]!,
    ]);
    return {
      before,
      after: readTables(host),
      share: lanes.reduce((sum, [share]) => sum + share!, 0) / 4,
      mass: lanes.reduce((sum, [, mass]) => sum + mass!, 0),
    };
  });
}

function norm(values: Iterable<number>): number {
  return Math.hypot(...values);
}

function longestRow(table: Float32Array, D: number): number {
  let longest = 0;
  for (let at = 0; at < table.length; at += D) longest = Math.max(longest, norm(table.subarray(at, at + D)));
  return longest;
}

describe("a gradient filter", () => {
  it.each([1e-3, 1e-2, 0.1])(
    "of %d leaves no more than that out of a row, and dH wrong by no more than coefficient·ε·max‖w‖",
    async (epsilon) => {
      const [exact, filtered] = [await stepWith(0), await stepWith(epsilon)];
      expect(filtered.mass).toBeLessThanOrEqual(epsilon * (1 + 1e-5));
      expect(filtered.share).toBeGreaterThan(0.02);
      const { D, B } = PEAKED;
      const limit = (epsilon / B) * longestRow(exact.before.classes, D);
      const [a, b] = [exact.after.encoder[0]!, filtered.after.encoder[0]!];
      let worst = 0;
      for (let at = 0; at < a.length; at += D) {
        worst = Math.max(worst, norm(Array.from({ length: D }, (_, d) => a[at + d]! - b[at + d]!)));
      }
      expect(worst).toBeGreaterThan(0);
      // An input may occur in several rows of a batch: at most three times in this one.
      expect(worst).toBeLessThanOrEqual(3 * limit);
      const change = norm(exact.after.classes.map((w, i) => w - exact.before.classes[i]!));
      const error = norm(exact.after.classes.map((w, i) => w - filtered.after.classes[i]!));
      expect(error / change).toBeLessThan(epsilon);
    },
  );

  it("leaves out more the more it may", async () => {
    const shares = [];
    for (const epsilon of [1e-4, 1e-3, 1e-2, 1e-1]) shares.push((await stepWith(epsilon)).share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[3]! - shares[0]!).toBeGreaterThan(0.2);
  });

  it("of next to nothing leaves nothing out of a near-uniform softmax", async () => {
    const { share, mass } = await stepWith(1e-6, { lossOptions: { temperature: 1000 } });
    expect([share, mass]).toEqual([0, 0]);
  });

  it("never leaves out a label: its class row moves towards the hidden vector in any case", async () => {
    const [exact, filtered] = [await stepWith(0), await stepWith(0.9)];
    const changed = (tables: typeof exact) =>
      tables.after.classes.reduce((count, w, i) => count + (w !== tables.before.classes[i] ? 1 : 0), 0);
    expect(filtered.share).toBeGreaterThan(0.8);
    expect(changed(filtered)).toBeGreaterThan(50 * PEAKED.D);
    expect(changed(filtered)).toBeLessThan(changed(exact));
  });

  it.each(BACKENDS)(
    "has the same bits for 0, 1, 2 and 3 workers, logits kept or anew, on %s",
    async (backend) => {
      const bytes = async (workers: number, keepLogits: boolean) =>
        withEngine(
          engineSpec({
            ...PEAKED,
            n: 1001,
            gradientFilter: 0.01,
            keepLogits,
            optimizer: { name: "adagrad", clipNorm: 1 },
          }),
          { workers, backend },
          async ({ host, train }) => {
            await train(0, 3);
            return Buffer.from(readTables(host).classes.buffer);
          },
        );
      for (const kept of [true, false]) {
        const alone = await bytes(0, kept);
        for (const workers of [1, 2, 3]) expect((await bytes(workers, kept)).equals(alone)).toBe(true);
      }
    },
    60_000,
  );

  it.each([
    [{ loss: "one-vs-all", gradientFilter: 0.1 }],
    [{ loss: "full-softmax", labelSmoothing: 0.1, gradientFilter: 0.1 }],
    [{ loss: "full-softmax", gradientFilter: 1 }],
    [{ loss: "full-softmax", gradientFilter: -0.1 }],
    [{ gradientFilter: 0.1 }],
  ] as const)("is refused with %j", (options) => {
    expect(() => runOptions("labels", options)).toThrow(expect.objectContaining({ code: "LOGQ_OPTION" }));
  });
});
