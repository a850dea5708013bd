import { createSamplerState, type Sampler, samplerFrom } from "@logq/samplers";
import { describe, expect, test } from "vitest";
import { kernelGroups } from "../src/kernels/groups.js";
import type { CreateKernels } from "../src/kernels/kernel-group.js";
import { lossGroups } from "../src/losses/groups.js";
import type { Group } from "../src/measure/group.js";
import { requireClose, WrongResultError } from "../src/measure/wrong-result.js";
import { isRefused, refusedRows } from "../src/report/results.js";
import { run } from "../src/run.js";
import { drawVariant } from "../src/samplers.js";
import { brokenKernels, SMALL_KERNELS, SMALL_LOSSES } from "./small.js";

/** The names of all variants, and of those whose check throws WrongResultError. */
async function checked(groups: Group[]): Promise<{ all: string[]; refused: string[] }> {
  const all: string[] = [];
  const refused: string[] = [];
  for (const group of groups) {
    for (const variant of (await group.prepare(group.variants)).variants) {
      const name = `${group.name}: ${variant.name}`;
      all.push(name);
      try {
        await variant.check();
      } catch (error) {
        expect(error).toBeInstanceOf(WrongResultError);
        refused.push(name);
      }
    }
  }
  return { all, refused };
}

async function expectAllRefused(groups: Group[]): Promise<void> {
  const { all, refused } = await checked(groups);
  expect(refused).toEqual(all);
}

/** Groups of kernels whose name begins so, over a back-end that is wrong. */
function groupsNamed(start: RegExp, create: CreateKernels): Group[] {
  const groups = kernelGroups(SMALL_KERNELS, create).filter(({ name }) => start.test(name));
  expect(groups).not.toHaveLength(0);
  return groups;
}

const nothing = () => () => {};

/** Every kernel that is timed, doing nothing. */
const IDLE: readonly [RegExp, CreateKernels][] = [
  [/^(logits|hidden|class)/, brokenKernels("matrix", "multiply", nothing)],
  [/^(hidden|class)/, brokenKernels("matrix", "packRight", nothing)],
  [/^logits/, brokenKernels("matrix", "packRightTransposed", nothing)],
  [/^exp/, brokenKernels("vector", "exp", nothing)],
  [/^sigmoid/, brokenKernels("vector", "sigmoid", nothing)],
  [/^softmax partials/, brokenKernels("tile", "softmaxPartials", nothing)],
  [/^softmax gradient/, brokenKernels("tile", "softmaxGradient", nothing)],
  [/^logistic/, brokenKernels("tile", "logisticTile", nothing)],
  [/^pairs/, brokenKernels("tile", "logisticPairs", () => () => 0)],
  [/^gather/, brokenKernels("rows", "gatherRows", nothing)],
  [/^scatter/, brokenKernels("rows", "scatterRows", nothing)],
  [/^update/, brokenKernels("optimizer", "updateRows", nothing)],
  [/^alias table/, brokenKernels("draws", "aliasIds", nothing)],
  [/^log-uniform/, brokenKernels("draws", "logUniformIds", nothing)],
  [/^log Q of log-uniform/, brokenKernels("draws", "logUniformLogs", nothing)],
  [/^keyed permutation/, brokenKernels("draws", "permuted", nothing)],
  [/^radix/, brokenKernels("indices", "sortPairs", nothing)],
  [/^top/, brokenKernels("tile", "topK", nothing)],
];

describe("what computes something else is not timed", () => {
  test.each(IDLE)("%s: kernels that do nothing are refused on every back-end", async (start, create) => {
    await expectAllRefused(groupsNamed(start, create));
  });

  test("one element of a product that is off by 0.01 is enough", async () => {
    const create = brokenKernels("matrix", "multiply", (multiply, { memory }) => (out, ...rest) => {
      multiply(out, ...rest);
      memory.f32[out >>> 2]! += 0.01;
    });
    await expectAllRefused(groupsNamed(/^logits/, create));
  });

  test("an unstable sort is refused", async () => {
    const create = brokenKernels("indices", "sortPairs", (sort, { memory }) => (keys, values, count, ...rest) => {
      memory.ints(keys, count).reverse();
      memory.ints(values, count).reverse();
      sort(keys, values, count, ...rest);
    });
    // Few enough ids that some come twice.
    await expectAllRefused(
      kernelGroups({ ...SMALL_KERNELS, sorted: [20_000] }, create).filter(({ name }) => /^radix/.test(name)),
    );
  });

  test("a loss whose gradient is 1% off is refused, and its sound neighbours are timed", async () => {
    const create = brokenKernels(
      "tile",
      "softmaxGradient",
      (gradient, { memory }) =>
        (z, ld, C, R, lse, coefficient) => {
          gradient(z, ld, C, R, lse, coefficient);
          memory.f32[z >>> 2]! *= 1.01;
        },
    );
    const results = await run([{ subject: "losses", groups: lossGroups(SMALL_LOSSES, create) }], {
      seconds: 0.001,
      rounds: 1,
      filter: null,
    });
    expect(refusedRows(results).map(({ row }) => row.refused.split(":")[0])).toEqual([
      "full-softmax, wasm",
      "full-softmax, reference",
      "sampled-softmax, wasm",
      "sampled-softmax, reference",
    ]);
    const timed = results.subjects[0]!.groups.flatMap(({ rows }) => rows.filter((row) => !isRefused(row)));
    expect(timed).toHaveLength(15);
  });
});

/** A sampler that is another's in all but its draws. */
function drawingBy(sampler: Sampler, draw: Sampler["draw"]): Sampler {
  return new Proxy(sampler, { get: (target, name) => (name === "draw" ? draw : Reflect.get(target, name, target)) });
}

describe("samplers", () => {
  const n = 500;
  const uniform = () => 1 / n;
  const check = (sampler: Sampler, probability = uniform) =>
    drawVariant("uniform", sampler, () => probability, 64).check();

  test.each([true, false])("the right law passes, replacement %s", (replacement) => {
    check(samplerFrom(createSamplerState({ name: "uniform", replacement }, n)));
  });

  test.each([true, false])("another law than it says is refused, replacement %s", (replacement) => {
    const sampler = samplerFrom(createSamplerState({ name: "log-uniform", replacement }, n));
    expect(() => check(sampler)).toThrow(WrongResultError);
  });

  test("draws from another law than log Q belongs to are refused", () => {
    const sampler = samplerFrom(createSamplerState({ name: "uniform" }, n));
    const draw: Sampler["draw"] = (request, ids, logQ, at) => {
      const drawn = sampler.draw(request, ids, logQ, at);
      // A quarter of the classes is never drawn, another twice as often as it says.
      ids.forEach((id, i) => {
        if (id < n / 4) ids[i] = id + n / 2;
      });
      return drawn;
    };
    expect(() => check(drawingBy(sampler, draw))).toThrow(/share/);
  });

  test("log Q of one try instead of S is refused", () => {
    const sampler = samplerFrom(createSamplerState({ name: "uniform", replacement: false }, n));
    const draw: Sampler["draw"] = (request, ids, logQ, at) => {
      const drawn = sampler.draw(request, ids, logQ, at);
      logQ.fill(Math.log(1 / n));
      return drawn;
    };
    expect(() => check(drawingBy(sampler, draw))).toThrow(/share/);
  });
});

describe("requireClose", () => {
  test("NaN never matches, equal infinities do", () => {
    expect(() => requireClose("x", [Number.NaN], [Number.NaN], { absolute: 1 })).toThrow(WrongResultError);
    expect(() => requireClose("x", [Number.NaN], [1], { relative: 1 })).toThrow(WrongResultError);
    expect(() => requireClose("x", [-Infinity], [-Infinity])).not.toThrow();
    expect(() => requireClose("x", [-Infinity], [Infinity], { absolute: 1 })).toThrow(WrongResultError);
  });

  test("tells the first wrong element and how many there are", () => {
    expect(() => requireClose("x", [1, 2, 3], [1, 5, 6])).toThrow("x: 2 of 3 values are wrong; [1] is 2 instead of 5");
    expect(() => requireClose("x", [1], [1, 2])).toThrow("x: 1 values instead of 2");
  });
});
