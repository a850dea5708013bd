import { keyFromSeed } from "@logq/core";
import {
  type KernelTreeInputs,
  kernelTreeFrom,
  planKernelTree,
  type QuadraticKernelOptions,
  type RandomFeaturesOptions,
} from "../src/contextual/index.js";
import type { ContextualMaker } from "./contextual-bench.js";
import { type ContextualContractOptions, contextualContract } from "./contextual-contract.js";

type Options = QuadraticKernelOptions | RandomFeaturesOptions;

function maker(options: Options, inputs: (n: number) => Partial<KernelTreeInputs> = () => ({})): ContextualMaker {
  const key = keyFromSeed("kernel tree");
  return {
    plan: (n, D) => planKernelTree(fitted(options, D), n, D),
    create: (n, D, kernels, table, scratch) =>
      kernelTreeFrom(fitted(options, D), n, D, kernels, table, scratch, {
        key,
        scale: 1.3,
        hasBiases: true,
        ...inputs(n),
      }),
  };
}

/** A projection is never wider than the rows. */
function fitted(options: Options, D: number): Options {
  const { projection } = options;
  return projection === undefined ? options : { ...options, projection: Math.min(projection, D) };
}

/** Every fifth class never occurs. */
const counts = (n: number) => Array.from({ length: n }, (_, id) => (id % 5 === 4 ? 0 : 1000 / (id + 3)));
const withoutMass = (n: number) => Array.from({ length: n }, (_, id) => id).filter((id) => id % 5 === 4);

const small = { block: 8, arity: 2, refreshSteps: 3 } as const;
const narrow = { ...small, tableType: "bfloat16" } as const;
/** One class, blocks that are not full, widths around the eight numbers that are rounded together. */
const awkward = [
  { n: 1, D: 1, S: 3 },
  { n: 33, D: 7, S: 20 },
  { n: 75, D: 8, S: 257 },
  { n: 203, D: 9, S: 40 },
  { n: 131, D: 128, S: 32 },
];
const deep = [{ n: 1000, D: 23, S: 300 }];

const cases: [string, Options, Partial<ContextualContractOptions>?, ((n: number) => Partial<KernelTreeInputs>)?][] = [
  ["quadratic kernel", { name: "quadratic-kernel", refreshSteps: 3 }],
  ["quadratic kernel, projected to 3, a deep tree", { name: "quadratic-kernel", projection: 3, ...small }],
  [
    "quadratic kernel in blocks too, more draws than go together",
    { name: "quadratic-kernel", blockLaw: "kernel", projection: 3, ...small, classFactor: "none" },
    { shapes: [...deep, { n: 33, D: 7, S: 257 }], steps: 100 },
  ],
  [
    "quadratic kernel by unigram",
    { name: "quadratic-kernel", classFactor: "unigram", blockLaw: "kernel", ...small },
    { withoutMass },
    (n) => ({ unigram: counts(n) }),
  ],
  [
    "quadratic kernel, softmax of projected rows in blocks",
    { name: "quadratic-kernel", rows: "projected", projection: 2, ...small },
  ],
  ["positive features", { name: "random-features", ...small }],
  [
    "positive features, projected, by unigram",
    { name: "random-features", projection: 3, classFactor: "unigram", ...small },
    { withoutMass },
    (n) => ({ unigram: counts(n) }),
  ],
  ["trigonometric features", { name: "random-features", kind: "trigonometric", ...small }],
  [
    "trigonometric features by unigram",
    { name: "random-features", kind: "trigonometric", classFactor: "unigram", ...small },
    { withoutMass },
    (n) => ({ unigram: counts(n) }),
  ],
  [
    "quadratic kernel, rows of bfloat16",
    { name: "quadratic-kernel", refreshSteps: 3, tableType: "bfloat16" },
    { shapes: awkward },
  ],
  [
    "quadratic kernel in blocks too, projected to 3, rows of bfloat16",
    { name: "quadratic-kernel", blockLaw: "kernel", projection: 3, ...narrow },
    { shapes: [...deep, ...awkward.slice(0, 2)], steps: 100 },
  ],
  [
    "quadratic kernel by unigram, projected to 2, whole rows of bfloat16",
    { name: "quadratic-kernel", projection: 2, classFactor: "unigram", ...narrow },
    { withoutMass, shapes: awkward },
    (n) => ({ unigram: counts(n) }),
  ],
  ["positive features, rows of bfloat16", { name: "random-features", ...narrow }, { shapes: awkward }],
  ["positive features, projected rows of bfloat16", { name: "random-features", projection: 9, ...narrow }],
  ["trigonometric features, rows of bfloat16", { name: "random-features", kind: "trigonometric", ...narrow }],
];

for (const [title, options, contract, inputs] of cases) {
  contextualContract(title, maker(options, inputs), { refreshSteps: options.refreshSteps!, ...contract });
}
