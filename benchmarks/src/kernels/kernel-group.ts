import { availableBackends, compileBackend, instantiateBackend } from "@logq/blas";
import { type BackendName, KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";
import type { Group, Variant, Work } from "../measure/group.js";
import { requireClose, type Tolerance } from "../measure/wrong-result.js";

/** Binds a back-end to a memory. Tests hand in one that is wrong. */
export type CreateKernels = (backend: BackendName, memory: KernelMemory) => Promise<Kernels>;

export const createKernels: CreateKernels = async (backend, memory) =>
  instantiateBackend(await compileBackend(backend, memory.shared), memory);

/** Bytes that back-ends need for what only they can read: the most of all, since they share a memory here. */
export interface Sizes {
  packed(K: number, N: number): number;
  sortScratch(count: number): number;
  readonly drawScratch: number;
}

/** A kernel over operands that are filled in. */
export interface Bound {
  run(): void;
  /** Untimed, before each run: restores what it consumes. */
  readonly before?: () => void;
  /** What the last run wrote, as `expected` has it. */
  result(): ArrayLike<number>;
}

/** One way of running a kernel. */
export interface Form {
  readonly name: string;
  readonly backend: BackendName;
  /** WebAssembly only: operands were packed before the clock started. */
  readonly packedBefore?: boolean;
}

const AVAILABLE = await availableBackends();

/** Those with kernels of their own; a BLAS has products alone. */
const EACH_BACKEND: readonly Form[] = [
  ...AVAILABLE.filter((name) => name === "native").map((name) => ({ name, backend: name })),
  { name: "wasm", backend: "wasm" },
  { name: "reference", backend: "reference" },
];

/** A kernel to be timed. `A` says where its operands lie. */
export interface KernelSpec<A> {
  readonly name: string;
  readonly work: Work;
  /** Default: on each back-end with kernels of its own. */
  readonly forms?: readonly Form[];
  readonly tolerance: Tolerance;
  layout(plan: MemoryPlan, sizes: Sizes): A;
  /** Fills the operands; called more than once for each form, always over one memory. */
  bind(kernels: Kernels, at: A, form: Form): Bound;
  /** The result of the first run, from its definition and in float64. */
  expected(): ArrayLike<number>;
}

/** The forms of a kernel, all over one memory, each held to `expected` before it is timed. */
export function kernelGroup<A>(spec: KernelSpec<A>, create: CreateKernels = createKernels): Group {
  const forms = spec.forms ?? EACH_BACKEND;
  return {
    name: spec.name,
    variants: forms.map((form) => form.name),
    async prepare(wanted) {
      const plan = new MemoryPlan();
      const at = spec.layout(plan, await sizesOf(create));
      const memory = plan.allocate(false);
      let expected: ArrayLike<number> | undefined;
      const variants: Variant[] = [];
      for (const form of forms.filter(({ name }) => wanted.includes(name))) {
        const kernels = await create(form.backend, memory);
        let bound = spec.bind(kernels, at, form);
        variants.push({
          name: form.name,
          work: spec.work,
          check() {
            // Anew: a kernel that works in place may have been checked over the same operands.
            bound = spec.bind(kernels, at, form);
            bound.before?.();
            bound.run();
            expected ??= spec.expected();
            requireClose(`${spec.name}, ${form.name}`, bound.result(), expected, spec.tolerance);
          },
          run: () => bound.run(),
          ...(bound.before === undefined ? {} : { before: () => bound.before!() }),
        });
      }
      return { variants };
    },
  };
}

async function sizesOf(create: CreateKernels): Promise<Sizes> {
  const memory = KernelMemory.create(0, false);
  const all = await Promise.all(AVAILABLE.map((name) => create(name, memory)));
  return {
    packed: (K, N) => Math.max(...all.map(({ matrix }) => matrix.packedBytes(K, N))),
    sortScratch: (count) => Math.max(...all.map(({ indices }) => indices.sortScratchBytes(count))),
    drawScratch: Math.max(...all.map(({ draws }) => draws.scratchBytes)),
  };
}

/** A copy of `rows` rows of `columns` elements that are `ld` apart. */
export function readRows(kernels: Kernels, address: number, rows: number, columns: number, ld: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) out.set(kernels.memory.floats(address + 4 * i * ld, columns), i * columns);
  return out;
}
