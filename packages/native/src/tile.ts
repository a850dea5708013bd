import type { TileKernels } from "@logq/kernels";
import type { Bind, BoundKernel } from "./bind.js";

/** What a loss does to tiles of logits. What is no work, what is done once a step and row, and pairs of labels and candidates, is `others`'s, kernels over the same memory. */
export function nativeTile(bind: Bind, others: TileKernels): TileKernels {
  return { ...others, ...softmaxKernels(bind), ...elementKernels(bind), ...sumKernels(bind), topK: topKernel(bind) };
}

/** Writes what most kernels begin with: a tile's place and size. */
function setTile({ words }: BoundKernel, first: number, z: number, ld: number, C: number, R: number): void {
  words[first] = z;
  words[first + 1] = 4 * ld;
  words[first + 2] = C;
  words[first + 3] = R;
}

type SoftmaxKernels = Pick<
  TileKernels,
  "softmaxPartials" | "softmaxGradient" | "softmaxExponentials" | "softmaxFactors"
>;

function softmaxKernels(bind: Bind): SoftmaxKernels {
  const partials = bind("softmaxPartials");
  const gradient = bind("softmaxGradient");
  const exponentials = bind("softmaxExponentials");
  const factors = bind("softmaxFactors");
  return {
    softmaxPartials(z, ld, C, R, scale, add, max, sum) {
      const { words, floats } = partials;
      setTile(partials, 2, z, ld, C, R);
      floats[6] = scale;
      words[7] = add;
      words[8] = max;
      words[9] = sum;
      partials.run();
    },

    softmaxGradient(z, ld, C, R, lse, coefficient) {
      const { words } = gradient;
      setTile(gradient, 2, z, ld, C, R);
      words[6] = lse;
      words[7] = coefficient;
      gradient.run();
    },

    softmaxExponentials(z, ld, C, R, scale, add, reference, sum, decay, total, blocks, ldBlocks) {
      const { words, floats } = exponentials;
      setTile(exponentials, 2, z, ld, C, R);
      floats[6] = scale;
      words[7] = add;
      words[8] = reference;
      words[9] = sum;
      words[10] = decay;
      words[11] = total;
      words[12] = blocks;
      words[13] = 4 * ldBlocks;
      return exponentials.run();
    },

    softmaxFactors(out, reference, lse, coefficient, R) {
      const { words } = factors;
      words[2] = out;
      words[3] = reference;
      words[4] = lse;
      words[5] = coefficient;
      words[6] = R;
      factors.run();
    },
  };
}

type ElementKernels = Pick<TileKernels, "logisticTile" | "hingeTile" | "subtractPerRow" | "scaleColumns">;

function elementKernels(bind: Bind): ElementKernels {
  const logistic = bind("logisticTile");
  const hinge = bind("hingeTile");
  const subtract = bind("subtractPerRow");
  const scaleColumns = bind("scaleColumns");
  return {
    logisticTile(z, ld, C, R, scale, add, weight, coefficient, loss) {
      const { words, floats } = logistic;
      setTile(logistic, 2, z, ld, C, R);
      floats[6] = scale;
      words[7] = add;
      words[8] = weight;
      words[9] = coefficient;
      words[10] = loss;
      logistic.run();
    },

    hingeTile(z, ld, C, R, scale, add, weight, margin, coefficient, loss) {
      const { words, floats } = hinge;
      setTile(hinge, 2, z, ld, C, R);
      floats[6] = scale;
      words[7] = add;
      words[8] = weight;
      words[9] = coefficient;
      words[10] = loss;
      floats[11] = margin;
      hinge.run();
    },

    subtractPerRow(z, ld, C, R, value) {
      setTile(subtract, 2, z, ld, C, R);
      subtract.words[6] = value;
      subtract.run();
    },

    scaleColumns(z, ld, C, R, factor) {
      setTile(scaleColumns, 2, z, ld, C, R);
      scaleColumns.words[6] = factor;
      scaleColumns.run();
    },
  };
}

type SumKernels = Pick<TileKernels, "sumOverClasses" | "sumOverRows" | "sumOverTiles">;

function sumKernels(bind: Bind): SumKernels {
  const overClasses = bind("sumOverClasses");
  const plain = bind("sumOverTiles");
  const weighted = bind("weightedSumOverTiles");
  const sumOverTiles: TileKernels["sumOverTiles"] = (out, z, ld, step, C, R, rows, weight) => {
    const kernel = weight === 0 ? plain : weighted;
    const { words } = kernel;
    words[2] = out;
    setTile(kernel, 3, z, ld, C, R);
    words[7] = 4 * step;
    words[8] = rows;
    words[9] = weight;
    kernel.run();
  };
  return {
    sumOverClasses(out, z, ld, C, R) {
      overClasses.words[2] = out;
      setTile(overClasses, 3, z, ld, C, R);
      overClasses.run();
    },

    sumOverRows: (out, z, ld, C, R, weight) => sumOverTiles(out, z, ld, 0, C, R, R, weight),

    sumOverTiles,
  };
}

function topKernel(bind: Bind): TileKernels["topK"] {
  const best = bind("topK");
  const { words, floats } = best;
  return (values, ids, k, z, ld, C, R, scale, add, floor, firstId, idStep) => {
    if (k === 0) return;
    words[2] = values;
    words[3] = ids;
    words[4] = k;
    setTile(best, 5, z, ld, C, R);
    floats[9] = scale;
    words[10] = add;
    words[11] = floor;
    words[12] = firstId;
    words[13] = idStep;
    best.run();
  };
}
