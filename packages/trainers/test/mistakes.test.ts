/** Mistakes that other software shipped, each with the test that would have found it here. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { availableBackends, compileBackend } from "@logq/blas";
import { BackendError } from "@logq/core";
import { computeLoss } from "@logq/losses";
import { expectAllClose, TestRandom } from "@logq/testing";
import { describe, expect, it } from "vitest";
import { readRun } from "../dist/checkpoint/format.js";
import { planLayout } from "../dist/engine/host.js";
import { OutputLayer, type OutputLayerOptions, saveModel, type Trainer, train } from "../dist/index.js";
import { OPTIMIZERS } from "../dist/optimize/optimizer.js";
import { parameterArrays, readArray, stateArrays, writeRows } from "../dist/table/parameters.js";
import { withDirectory } from "./support/directories.js";
import { type EngineCase, engineSpec, lossSum, parameterBytes, withEngine } from "./support/engines.js";
import { smallSynthetic, withTrainer } from "./support/runs.js";

const BACKENDS = await availableBackends();

async function withLayer<T>(options: OutputLayerOptions, use: (layer: OutputLayer) => Promise<T>): Promise<T> {
  const layer = await OutputLayer.create({ optimizer: { name: "sgd", learningRate: 1 }, ...options });
  try {
    return await use(layer);
  } finally {
    await layer.close();
  }
}

describe("TensorFlow, Keras: a sampled step whose cost is linear in the classes, by a transpose, a dense gradient or a table made unit length", () => {
  const [n, D] = [40, 5];
  const USED = [2, 3, 7];

  /** Labels 7 and 2, draws 7, 3, 7, 7: all other classes are none of the step's business. */
  function knownDraws(of: Partial<EngineCase>) {
    const source = { kind: "pair", inputs: Int32Array.of(0, 1), targets: Int32Array.of(7, 2) } as const;
    const small = { n, D, B: 2, S: 4, lanes: 4, vocabulary: 3, source, sampler: { name: "uniform" } } as const;
    const spec = engineSpec({ loss: "sampled-softmax", ...small, ...of });
    const uniform = spec.training!.candidates!.state!.spec;
    const given = { S: 4, lists: 1, ids: Int32Array.of(7, 3, 7, 7), logQ: null, classLogQ: null };
    const state = { spec: { ...uniform, name: "given" as const }, n, unigram: null, given };
    return { ...spec, training: { ...spec.training!, candidates: { state, S: 4, per: "batch" as const } } };
  }

  it.each([
    ...OPTIMIZERS.map((name) => [name, { optimizer: { name, weightDecay: 0.1 } }, false] as const),
    ["adam, clipped", { optimizer: { name: "adam", clipNorm: 0.01 } }, false],
    ["cosines", { optimizer: { name: "adagrad" } }, true],
  ] as const)(
    "NaN in the rows and states of classes that are neither labels nor drawn is not noticed: %s",
    async (_, of, normalize) => {
      const spec = knownDraws({ ...of, lossOptions: { correction: "none", normalize } });
      await withEngine(spec, {}, async ({ host, train: run }) => {
        const ofClasses = [...parameterArrays(host), ...stateArrays(host)].filter(({ name }) => /^class/.test(name));
        for (const named of ofClasses) {
          const { columns } = named.array;
          const hole = new Float32Array(columns).fill(Number.NaN);
          for (let id = 0; id < n; id++) if (!USED.includes(id)) writeRows(named, id, hole);
        }
        await run(0, 3);
        expect(Number.isFinite(lossSum(host))).toBe(true);
        for (const named of ofClasses) {
          const { columns } = named.array;
          const values = readArray(named);
          const finite = Array.from({ length: n }, (_, id) => id).filter((id) =>
            values.subarray(id * columns, (id + 1) * columns).every(Number.isFinite),
          );
          expect(finite, named.name).toEqual(USED);
        }
      });
    },
  );

  it("of full softmax it is: a step over every class ends in an error", async () => {
    await withEngine(engineSpec({ loss: "full-softmax", n, D, B: 2 }), {}, async ({ host, train: run }) => {
      const [classes] = parameterArrays(host);
      writeRows(classes!, n - 1, new Float32Array(D).fill(Number.NaN));
      await expect(run(0, 1)).rejects.toMatchObject({ code: "LOGQ_DIVERGENCE" });
    });
  });

  it("beside tables and states, a step with a million classes has the memory of one with ten thousand, region by region", async () => {
    const backend = await compileBackend("wasm", true);
    const regions = (classes: number) => {
      const sampler = { name: "log-uniform" } as const;
      const source = { kind: "pair", inputs: Int32Array.of(0), targets: Int32Array.of(0) } as const;
      const shape = { n: classes, D: 16, B: 64, S: 128, lanes: 16, vocabulary: 10, sampler, source } as const;
      const spec = engineSpec({ loss: "sampled-softmax", ...shape, optimizer: { name: "adam" } });
      return planLayout(spec, 2, backend, undefined, Number.POSITIVE_INFINITY).regions;
    };
    const [few, many] = [regions(1e4), regions(1e6)];
    const grown = many.filter(({ bytes }, i) => bytes !== few[i]!.bytes).map(({ name }) => name);
    expect(many.map(({ name }) => name)).toEqual(few.map(({ name }) => name));
    expect(grown).toEqual(
      ["class table", "class bias"].flatMap((name) => ["", ".state", ".secondState"].map((of) => name + of)),
    );
  });
});

describe("Liger-Kernel #512: dW summed in half precision", () => {
  /** Logits are all 0, so p = 1/n and every term of dW is the same. A sum in bfloat16 would stand still after 256 of them. */
  it.each(BACKENDS.flatMap((backend) => (["float32", "bfloat16"] as const).map((products) => ({ backend, products }))))(
    "a step of 2,048 equal rows moves classes by the whole sum to 1e-5: $backend, products in $products",
    async ({ backend, products }) => {
      const [classes, dim, batch] = [4, 3, 2048];
      const h = [1.5, -0.75, 0.25];
      const hidden = Float32Array.from({ length: batch * dim }, (_, i) => h[i % dim]!);
      const options = { classes, dim, batch, loss: "full-softmax", backend, products } as const;
      const made = withLayer(options, async (layer) => {
        layer.setTable(new Float32Array(classes * dim));
        await layer.step(hidden, new Int32Array(batch).fill(2));
        return layer.table();
      });
      const table = await made.catch((error: unknown) => {
        // Not every back-end has such products, and not every processor.
        if (products === "bfloat16" && error instanceof BackendError) return undefined;
        throw error;
      });
      if (table === undefined) return;
      const expected = [0, 1, 2, 3].flatMap((id) => h.map((value) => ((id === 2 ? 1 : 0) - 1 / classes) * value));
      expectAllClose(table, expected, { absolute: 1e-5 });
    },
  );
});

describe("Megatron-LM #737, #7464: label smoothing of each shard instead of the whole", () => {
  it.each([1, 2, 8, 16].flatMap((lanes) => [0, 2 ** 30].map((logitBytes) => ({ lanes, logitBytes }))))(
    "loss and dL/dH are those of undivided classes to 1e-6: $lanes lanes, $logitBytes bytes of logits",
    async ({ lanes, logitBytes }) => {
      const [classes, dim, batch] = [61, 7, 9];
      const random = new TestRandom(5);
      const [hidden, table] = [random.normalFloats(batch * dim), random.normalFloats(classes * dim)];
      const targets = random.integers(batch, classes);
      const options = { loss: "full-softmax", labelSmoothing: 0.2, lanes, logitBytes } as const;
      await withLayer({ classes, dim, batch, ...options }, async (layer) => {
        layer.setTable(table);
        const whole = computeLoss({ spec: layer.options.loss, D: dim, hidden, table, targets });
        const plain = computeLoss({
          spec: { ...layer.options.loss, labelSmoothing: 0 },
          D: dim,
          hidden,
          table,
          targets,
        });
        const { loss, hiddenGradient } = await layer.step(hidden, targets);
        expectAllClose([loss], [whole.loss], { relative: 1e-6 });
        expectAllClose(hiddenGradient, whole.hiddenGradient, { absolute: 1e-6 });
        expect(Math.abs(whole.loss - plain.loss)).toBeGreaterThan(0.05);
      });
    },
  );
});

describe("gensim: updates dropped silently where |logit| >= 6", () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  it.each(BACKENDS)(
    "a label and a candidate of logits ±8 and ±20 have gradients exact to 1e-5: %s",
    async (backend) => {
      const options = { classes: 2, dim: 3, batch: 1, loss: "negative-sampling", negatives: 1, backend } as const;
      for (const z of [-20, -8, 8, 20]) {
        await withLayer(options, async (layer) => {
          // Beside the logit stands a coordinate for each of the two, in which dL/dH shows its gradient alone.
          layer.setTable(Float32Array.of(z, 1, 0, z, 0, 1));
          const { hiddenGradient } = await layer.step(Float32Array.of(1, 0, 0), [0], { candidates: { ids: [1] } });
          expectAllClose(hiddenGradient.subarray(1), [-sigmoid(-z), sigmoid(z)], { relative: 1e-5 });
        });
      }
    },
  );
});

describe("torchrec #2474: a step count, or other state of the optimizer, that is missing from checkpoints", () => {
  /** Puts what a saved run holds into a trainer's engine, and the trainer at the run's step. */
  async function goOn(trainer: Trainer, run: string): Promise<void> {
    const head = await readRun(run);
    const stored = [...head.tables, ...head.states];
    const arrays = [...parameterArrays(trainer.host), ...stateArrays(trainer.host)];
    expect(stored.map(({ name }) => name)).toEqual(arrays.map(({ name }) => name));
    for (const [i, named] of arrays.entries()) {
      const bytes = await readFile(join(run, stored[i]!.file));
      writeRows(named, 0, new Float32Array(new Uint8Array(bytes).buffer));
    }
    trainer.step = head.step;
  }

  it.each(OPTIMIZERS)(
    "a saved run holds all that %s needs to go on with the bits of a run that was not interrupted",
    async (name) => {
      const [dataset, first, rest] = [smallSynthetic(), 7, 5];
      const options = { optimizer: { name }, schedule: { name: "linear" }, maxSteps: first + rest } as const;
      const whole = await withTrainer(dataset, options, async (trainer) => {
        await trainer.runSteps(first + rest);
        return parameterBytes(trainer.host);
      });
      await withDirectory(async (directory) => {
        const run = join(directory, "run");
        const interrupted = await withTrainer(dataset, options, async (trainer) => {
          await trainer.runSteps(first);
          await saveModel(trainer, run, await train(trainer, { signal: AbortSignal.abort() }));
          return parameterBytes(trainer.host);
        });
        const resumed = await withTrainer(dataset, options, async (trainer) => {
          await goOn(trainer, run);
          expect(trainer.step).toBe(first);
          await trainer.runSteps(rest);
          return parameterBytes(trainer.host);
        });
        expect(resumed.equals(whole)).toBe(true);
        expect(interrupted.equals(whole)).toBe(false);
      });
    },
  );
});
