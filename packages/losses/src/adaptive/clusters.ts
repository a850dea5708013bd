import { OptionError, requireAllFinite, requireInteger, requireNumber, ShapeError } from "@logq/core";

/** How n classes, the most frequent first, are cut into a head and K tails. */
export interface AdaptiveSpec {
  /** Width of the hidden vector. */
  readonly D: number;
  readonly n: number;
  /** (K), ascending, in [1, n): the head has classes [0, cutoffs[0]), tail i classes [cutoffs[i], cutoffs[i + 1]), the last one up to n. Empty: a full softmax. */
  readonly cutoffs: readonly number[];
  /** Tail i (from 0) has width ⌊D / divValue^(i + 1)⌋, at least 1. Default 4. */
  readonly divValue?: number;
  /** Whether the head has a bias; tails have none. Default false. */
  readonly headBias?: boolean;
}

/** Classes [first, first + size), seen through a projection to `width` numbers. */
export interface AdaptiveTail {
  readonly first: number;
  readonly size: number;
  readonly width: number;
}

/** A spec after the border. */
export interface AdaptiveClusters {
  readonly D: number;
  readonly n: number;
  /** Classes of the head. */
  readonly h: number;
  /** (K) */
  readonly tails: readonly AdaptiveTail[];
  readonly headBias: boolean;
}

export const DEFAULT_DIV_VALUE = 4;

/**
 * The clusters of a spec; the meaning of every option is that of torch.nn.AdaptiveLogSoftmaxWithLoss, but that a tail of width 0 is refused.
 * @throws OptionError if cutoffs do not rise, leave [1, n), or ask for a tail of width 0
 */
export function adaptiveClusters(spec: AdaptiveSpec): AdaptiveClusters {
  const D = requireInteger("D", spec.D, 1);
  const n = requireInteger("n", spec.n, 1, 2 ** 31 - 1);
  const divValue = requireNumber("divValue", spec.divValue ?? DEFAULT_DIV_VALUE, 1);
  const { cutoffs } = spec;
  for (let i = 0; i < cutoffs.length; i++) {
    requireInteger(`cutoffs[${i}]`, cutoffs[i], 1, n - 1);
    if (i === 0 || cutoffs[i] > cutoffs[i - 1]) continue;
    throw new OptionError(`cutoffs[${i}] is ${cutoffs[i]}, but must be above the ${cutoffs[i - 1]} before it`, {
      index: i,
      value: cutoffs[i],
      before: cutoffs[i - 1],
    });
  }
  const tails = cutoffs.map((first, i) => ({
    first,
    size: (cutoffs[i + 1] ?? n) - first,
    width: tailWidth(D, divValue, i),
  }));
  return { D, n, h: cutoffs[0] ?? n, tails, headBias: spec.headBias ?? false };
}

/** ⌊D / divValue^(i + 1)⌋. Throws OptionError where that is 0. */
export function tailWidth(D: number, divValue: number, i: number): number {
  const width = Math.floor(D / divValue ** (i + 1));
  if (width >= 1) return width;
  throw new OptionError(`tail ${i} would have a width of ${D} / ${divValue}^${i + 1}, which is below 1`, {
    tail: i,
    D,
    divValue,
  });
}

/** Which cluster a class is of: 0 for the head, i + 1 for tail i. */
export function clusterOf({ tails }: AdaptiveClusters, id: number): number {
  let cluster = tails.length;
  while (cluster > 0 && tails[cluster - 1].first > id) cluster--;
  return cluster;
}

/** The numbers of an adaptive softmax, each row-major float32. The same shapes hold its gradients. */
export interface AdaptiveParameters {
  /** (h + K, D): the head's classes, then one row for each tail. */
  readonly headTable: Float32Array;
  /** (h + K), or null without bias. */
  readonly headBias: Float32Array | null;
  readonly tails: readonly AdaptiveTailParameters[];
}

export interface AdaptiveTailParameters {
  /** (width, D) */
  readonly projection: Float32Array;
  /** (size, width) */
  readonly table: Float32Array;
}

/** Throws ShapeError, with both lengths, unless every array has the shape that the clusters ask for, and NotFiniteError unless its numbers are finite. */
export function requireAdaptiveParameters(clusters: AdaptiveClusters, parameters: AdaptiveParameters): void {
  requireShapes(clusters, parameters);
  requireAllFinite("headTable", parameters.headTable);
  if (parameters.headBias) requireAllFinite("headBias", parameters.headBias);
  parameters.tails.forEach(({ projection, table }, i) => {
    requireAllFinite(`tails[${i}].projection`, projection);
    requireAllFinite(`tails[${i}].table`, table);
  });
}

function requireShapes(clusters: AdaptiveClusters, parameters: AdaptiveParameters): void {
  const { D, h, tails, headBias } = clusters;
  const rows = h + tails.length;
  requireShape("headTable", parameters.headTable.length, [rows, D]);
  if (headBias !== (parameters.headBias !== null)) {
    const [is, should] = headBias ? ["null", "given"] : ["given", "null"];
    throw new ShapeError(`headBias is ${is}, but must be ${should}: the spec's headBias is ${headBias}`, { headBias });
  }
  if (parameters.headBias) requireShape("headBias", parameters.headBias.length, [rows]);
  if (parameters.tails.length !== tails.length) {
    throw new ShapeError(`there are ${parameters.tails.length} tails, but ${tails.length} cutoffs`, {
      actual: parameters.tails.length,
      expected: tails.length,
    });
  }
  tails.forEach(({ size, width }, i) => {
    requireShape(`tails[${i}].projection`, parameters.tails[i].projection.length, [width, D]);
    requireShape(`tails[${i}].table`, parameters.tails[i].table.length, [size, width]);
  });
}

function requireShape(name: string, actual: number, shape: readonly number[]): void {
  const expected = shape.reduce((product, side) => product * side, 1);
  if (actual === expected) return;
  throw new ShapeError(`${name} must have ${expected} elements, shape (${shape.join(", ")}), but has ${actual}`, {
    name,
    actual,
    expected,
    shape,
  });
}
