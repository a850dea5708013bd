import type { BackendChoice } from "@logq/blas";
import { keyFromSeed, OptionError } from "@logq/core";
import { type AnyDataset, openDataset, SPLIT_NAMES, type SplitName } from "@logq/datasets";
import { loadModel, type Model, readRun } from "@logq/trainers";
import { requireDataset, requireRun } from "../base/directories.js";
import { dataDirectory } from "../models/data.js";
import { realContexts } from "./contexts.js";
import { type Layer, logSoftmaxOf, normaliseRows } from "./layer.js";

/** Beyond so many classes fewer contexts are looked at, unless somebody says how many. */
const MANY = 100_000;

export interface LayerRequest {
  readonly run: string;
  readonly data?: string;
  readonly split?: SplitName;
  readonly contexts?: number;
  readonly backend?: BackendChoice;
}

export interface LoadedLayer {
  readonly layer: Layer;
  readonly run: string;
  readonly data: string;
  readonly split: SplitName;
}

/** The output layer of a saved run at real contexts of its dataset. @throws MissingFileError, OptionError, FileFormatError */
export async function loadLayer(request: LayerRequest): Promise<LoadedLayer> {
  const run = await requireRun(request.run);
  const head = await readRun(run);
  const data = await requireDataset(dataDirectory(head, run, request.data));
  const dataset = await openDataset(data);
  requireSameClasses(data, dataset, head.shape.classes, head.dataset.kind);
  const split = request.split ?? heldOut(dataset);
  const count = request.contexts ?? (head.shape.classes > MANY ? 16 : 64);
  const contexts = realContexts(head, dataset, split, count);
  const model = await loadModel(run, request.backend === undefined ? {} : { backend: request.backend });
  try {
    const inputs = contexts.map(({ input }) => model.hidden(input));
    const targets = Int32Array.from(contexts, ({ target }) => target);
    return { layer: layerOf(model, inputs, targets, dataset.classes.counts), run, data, split };
  } finally {
    await model.close();
  }
}

function layerOf(model: Model, inputs: readonly Float32Array[], targets: Int32Array, counts: Float64Array): Layer {
  const { classes: n, dim: D, normalize, temperature, softCap } = model.head.shape;
  if ((softCap ?? 0) > 0) {
    throw new OptionError(
      `samplers are measured against logits without a cap, and those of the run are capped at ${softCap}`,
      {
        softCap,
      },
    );
  }
  const rows = model.table();
  const hidden = new Float32Array(inputs.length * D);
  for (const [i, vector] of inputs.entries()) hidden.set(vector, i * D);
  if (normalize) for (const table of [rows, hidden]) normaliseRows(table, D);
  const parts = { n, D, rows, biases: model.biases(), scale: 1 / temperature };
  return {
    ...parts,
    counts: counts.map((count) => Math.max(count, 0.1)),
    hidden,
    targets,
    logSoftmax: inputs.map((_, i) => logSoftmaxOf(parts, hidden.subarray(i * D, (i + 1) * D))),
    key: keyFromSeed("samplers"),
  };
}

/** The first part that training did not see, else the training part. */
export function heldOut(dataset: AnyDataset): SplitName {
  const [train, ...others] = SPLIT_NAMES;
  return others.find((name) => dataset.splits[name] !== undefined) ?? train;
}

function requireSameClasses(data: string, { kind, classes }: AnyDataset, trained: number, of: string): void {
  if (kind === of && classes.size === trained) return;
  throw new OptionError(
    `${data} holds ${kind} data of ${classes.size} classes; the run was trained on ${of} data of ${trained} classes`,
    { data, kind, classes: classes.size, trained },
  );
}
