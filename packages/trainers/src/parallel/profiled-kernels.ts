import type { Kernels } from "@logq/kernels";
import { KERNEL_KINDS, type KernelKind, type Profile } from "./profile.js";

/** What the kernels of a group are counted as. */
const GROUPS = {
  matrix: "products",
  bfloat16Matrix: "products",
  tile: "loss",
  rows: "sums",
  dense: "dense",
  optimizer: "optimizer",
  vector: "vectors",
  narrow: "optimizer",
  indices: "drawing",
  draws: "drawing",
} as const satisfies Record<Exclude<keyof Kernels, "name" | "memory">, KernelKind>;

/** Kernels that are counted apart from their group. */
const APART: Readonly<Record<string, KernelKind>> = {
  packRight: "packing",
  packRightTransposed: "packing",
  gatherRows: "gather",
  widenRows: "gather",
  pairDots: "products",
  normalizeRows: "dense",
  normalizeRowsBackward: "dense",
};

type Kernel = (...operands: unknown[]) => unknown;

/** The same kernels, each call timed into `profile`. Costs about a tenth of a microsecond a call; unwrapped kernels cost nothing. */
export function profiledKernels(kernels: Kernels, profile: Profile): Kernels {
  const groups = Object.entries(GROUPS).flatMap(([name, kind]) => {
    const group = kernels[name as keyof typeof GROUPS];
    return group === undefined ? [] : [[name, timedGroup(group, kind, profile)]];
  });
  return { ...kernels, ...Object.fromEntries(groups) };
}

function timedGroup(group: object, kind: KernelKind, profile: Profile): object {
  return Object.fromEntries(
    Object.entries(group).map(([name, kernel]) => [
      name,
      typeof kernel === "function"
        ? timed(kernel as Kernel, KERNEL_KINDS.indexOf(APART[name] ?? kind), profile)
        : kernel,
    ]),
  );
}

function timed(kernel: Kernel, kind: number, profile: Profile): Kernel {
  return (...operands) => {
    const start = performance.now();
    const answer = kernel(...operands);
    profile.addKernel(kind, performance.now() - start);
    return answer;
  };
}
