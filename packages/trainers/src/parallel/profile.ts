/** The phases a profile tells apart. Building a batch is told apart from the phase whose slack it fills. */
export const PHASES = [
  "initialise",
  "build",
  "gather",
  "draw",
  "rows",
  "table",
  "clip",
  "classes",
  "fold",
  "hidden",
  "update",
  "rank",
] as const;

export type PhaseName = (typeof PHASES)[number];

/** What kernels do, as a detailed profile tells it apart. Updating rows where they lie is one pass: optimizer and scatter. */
export const KERNEL_KINDS = [
  "gather",
  "products",
  "packing",
  "loss",
  "optimizer",
  "sums",
  "drawing",
  "dense",
  "vectors",
] as const;

export type KernelKind = (typeof KERNEL_KINDS)[number];

/** Words of a phase: busy, waiting, then the kinds of kernels. */
const STRIDE = 2 + KERNEL_KINDS.length;

/** Words of a worker's profile. */
export const PROFILE_LENGTH = STRIDE * PHASES.length;

/** Where a worker's milliseconds go. Phases are told with a look at the clock each; kernels only if they are wrapped (`profiledKernels`). */
export class Profile {
  readonly times: Float64Array;
  #at = 0;
  #since = 0;

  constructor(times: Float64Array = new Float64Array(PROFILE_LENGTH)) {
    this.times = times;
  }

  /** From now on units of `phase` are running. */
  begin(phase: PhaseName): void {
    this.#at = STRIDE * PHASES.indexOf(phase);
    this.#since = performance.now();
  }

  /** The units are done: what follows is waiting, until `end`. */
  wait(): void {
    this.#add(0);
  }

  end(): void {
    this.#add(1);
  }

  /** Units of another phase than the one under way: `run` counts as `phase`. */
  within(phase: PhaseName, run: () => void): void {
    const outer = this.#at;
    this.#add(0);
    this.#at = STRIDE * PHASES.indexOf(phase);
    run();
    this.#add(0);
    this.#at = outer;
  }

  addKernel(kind: number, milliseconds: number): void {
    this.times[this.#at + 2 + kind]! += milliseconds;
  }

  #add(word: number): void {
    const now = performance.now();
    this.times[this.#at + word]! += now - this.#since;
    this.#since = now;
  }
}

/** Milliseconds of one worker in one phase. */
export interface PhaseTimes {
  readonly busy: number;
  readonly waiting: number;
  /** Parts of `busy`, if kernels were timed; what is missing is JavaScript. */
  readonly kernels: Readonly<Record<KernelKind, number>>;
}

/** Of one worker: only the phases that took any time. */
export type WorkerProfile = Readonly<Partial<Record<PhaseName, PhaseTimes>>>;

/** A worker's profile by name. */
export function readProfile(times: Float64Array): WorkerProfile {
  const phases: Partial<Record<PhaseName, PhaseTimes>> = {};
  for (const [index, name] of PHASES.entries()) {
    const at = STRIDE * index;
    const [busy, waiting] = [times[at]!, times[at + 1]!];
    if (busy + waiting === 0) continue;
    const kernels = Object.fromEntries(KERNEL_KINDS.map((kind, k) => [kind, times[at + 2 + k]!]));
    phases[name] = { busy, waiting, kernels: kernels as Record<KernelKind, number> };
  }
  return phases;
}

/** Share of the time that a worker spent in units. */
export function busyShare(times: Float64Array): number {
  let busy = 0;
  let waiting = 0;
  for (const phase of Object.values(readProfile(times))) {
    busy += phase.busy;
    waiting += phase.waiting;
  }
  return busy / Math.max(1e-9, busy + waiting);
}
