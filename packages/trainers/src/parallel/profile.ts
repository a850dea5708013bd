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

/** What a team does: the steps of a training, evaluations, or all that comes once, before both. */
export const ACTIVITIES = ["start", "training", "evaluation"] as const;

export type Activity = (typeof ACTIVITIES)[number];

/** Words of a phase: busy, waiting, what taking times cost, then the kinds of kernels. */
const [BUSY, WAITING, OWN, KERNELS] = [0, 1, 2, 3];
const STRIDE = KERNELS + KERNEL_KINDS.length;

/** Words of an activity. */
const ACTIVITY_LENGTH = STRIDE * PHASES.length;

/** Words of a worker's profile. */
export const PROFILE_LENGTH = ACTIVITY_LENGTH * ACTIVITIES.length;

/** What taking the time of one kernel costs, in milliseconds: that which the clock sees, and all of it. */
export interface TimingCost {
  readonly seen: number;
  readonly whole: number;
}

/** Where a worker's milliseconds go. Phases are told with a look at the clock each; kernels only if they are wrapped (`profiledKernels`). */
export class Profile {
  readonly times: Float64Array;
  #activity = 0;
  #at = 0;
  #since = 0;
  #cost: TimingCost = { seen: 0, whole: 0 };

  constructor(times: Float64Array = new Float64Array(PROFILE_LENGTH)) {
    this.times = times;
  }

  /** What the phases from here on are of. */
  enter(activity: Activity): void {
    this.#activity = ACTIVITY_LENGTH * ACTIVITIES.indexOf(activity);
  }

  /** From now on units of `phase` are running. */
  begin(phase: PhaseName): void {
    this.#at = this.#place(phase);
    this.#since = performance.now();
  }

  /** The units are done: what follows is waiting, until `end`. */
  wait(): void {
    this.#add(BUSY);
  }

  end(): void {
    this.#add(WAITING);
  }

  /** Units of another phase than the one under way: `run` counts as `phase`. */
  within(phase: PhaseName, run: () => void): void {
    const outer = this.#at;
    this.#add(BUSY);
    this.#at = this.#place(phase);
    run();
    this.#add(BUSY);
    this.#at = outer;
  }

  /** A kernel of `kind` took as many milliseconds by the clock; what taking them cost is told apart. */
  addKernel(kind: number, milliseconds: number): void {
    this.times[this.#at + KERNELS + kind]! += milliseconds - this.#cost.seen;
    this.times[this.#at + OWN]! += this.#cost.whole;
  }

  /** From now on each kernel's time is known to cost as much. */
  setCost(cost: TimingCost): void {
    this.#cost = cost;
  }

  #place(phase: PhaseName): number {
    return this.#activity + STRIDE * PHASES.indexOf(phase);
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
  /** The part of `busy` that went into taking the times of kernels: what the phase would not take without a profile. */
  readonly own: number;
  /** Parts of `busy` as well, if kernels were timed; what is missing is JavaScript. */
  readonly kernels: Readonly<Record<KernelKind, number>>;
}

/** Of one worker: only the phases that took any time. */
export type WorkerProfile = Readonly<Partial<Record<PhaseName, PhaseTimes>>>;

/** A worker's profile of an activity by name. */
export function readProfile(times: Float64Array, activity: Activity): WorkerProfile {
  const phases: Partial<Record<PhaseName, PhaseTimes>> = {};
  const first = ACTIVITY_LENGTH * ACTIVITIES.indexOf(activity);
  for (const [index, name] of PHASES.entries()) {
    const at = first + STRIDE * index;
    const [busy, waiting, own] = [times[at + BUSY]!, times[at + WAITING]!, times[at + OWN]!];
    if (busy + waiting === 0) continue;
    const kernels = Object.fromEntries(KERNEL_KINDS.map((kind, k) => [kind, times[at + KERNELS + k]!]));
    phases[name] = { busy, waiting, own, kernels: kernels as Record<KernelKind, number> };
  }
  return phases;
}

/** Share of the time of steps that a worker spent in units. */
export function busyShare(times: Float64Array): number {
  let busy = 0;
  let waiting = 0;
  for (const phase of Object.values(readProfile(times, "training"))) {
    busy += phase.busy;
    waiting += phase.waiting;
  }
  return busy / Math.max(1e-9, busy + waiting);
}
