import type { Kernels, PieceKernels } from "@logq/kernels";
import { KERNEL_KINDS, type KernelKind, Profile, readProfile, type TimingCost } from "./profile.js";

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
} as const satisfies Record<Exclude<keyof Kernels, "name" | "memory" | "pieces">, KernelKind>;

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

/** The most operands that a kernel may have: passing them by name is what keeps a wrapper cheap. */
export const MOST_OPERANDS = 20;

// biome-ignore lint/suspicious/noExplicitAny: operands of all kernels go through as they are
type Kernel = (...operands: any[]) => unknown;

/** The same kernels, each call timed into `profile`. Costs about a tenth of a microsecond a call; unwrapped kernels cost nothing. */
export function profiledKernels(kernels: Kernels, profile: Profile): Kernels {
  profile.setCost(timingCost());
  const groups = Object.entries(GROUPS).flatMap(([name, kind]) => {
    const group = kernels[name as keyof typeof GROUPS];
    return group === undefined ? [] : [[name, timedGroup(group, kind, profile)]];
  });
  return { ...kernels, ...Object.fromEntries(groups), pieces: timedPieces(kernels.pieces, profile) };
}

function timedPieces(pieces: PieceKernels | undefined, profile: Profile): PieceKernels | undefined {
  if (pieces === undefined) return undefined;
  return {
    open(table) {
      const rows = pieces.open(table);
      return rows && (timedGroup(rows, "optimizer", profile) as typeof rows);
    },
  };
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
  return (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) => {
    const start = performance.now();
    const answer = kernel(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
    profile.addKernel(kind, performance.now() - start);
    return answer;
  };
}

const [ROUNDS, CALLS] = [10, 2_000];

/** Milliseconds that timing costs a call, of a kernel that does nothing: the quickest of some rounds, so rather too little than too much. */
function timingCost(): TimingCost {
  let seen = Number.POSITIVE_INFINITY;
  let whole = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const profile = new Profile();
    const nothing = timed(() => 0, 0, profile);
    profile.begin("initialise");
    const start = performance.now();
    for (let call = 0; call < CALLS; call++) nothing();
    whole = Math.min(whole, (performance.now() - start) / CALLS);
    profile.wait();
    const { kernels } = readProfile(profile.times, "start").initialise!;
    seen = Math.min(seen, kernels[KERNEL_KINDS[0]] / CALLS);
  }
  return { seen, whole };
}
