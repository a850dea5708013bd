import { type Activity, KERNEL_KINDS, type KernelKind, PHASES, type Trainer, type WorkerProfile } from "@logq/trainers";

/** Columns of kernels; what is left of a worker's busy time is JavaScript. */
const HEADS = ["busy", "waiting", ...KERNEL_KINDS, "JavaScript", "profile"];

/** What a step is for. The others make it ready: packing, drawing, JavaScript. */
const USEFUL: readonly KernelKind[] = ["gather", "products", "loss", "optimizer", "sums", "dense", "vectors"];

type Row = readonly [name: string, cells: readonly number[]];

type Timed = Exclude<Activity, "start">;

/** The profiles of all workers, by what they did. */
export type Profiles = Readonly<Record<Timed, readonly WorkerProfile[]>>;

export function profilesOf(trainer: Trainer): Profiles {
  return { training: trainer.profile("training"), evaluation: trainer.profile("evaluation") };
}

/** Where the time of a training went: that of its steps, a step, and that of its evaluations. */
export function describeProfiles({ training, evaluation }: Profiles, steps: number): string {
  const evaluations = describeProfile(evaluation, 1);
  return (
    `\nMilliseconds a step by phase and worker:\n${describeProfile(training, steps)}${usefulShare(training)}` +
    (evaluations === "" ? "" : `\nMilliseconds of all evaluations:\n${evaluations}`)
  );
}

/**
 * A line for each phase and worker, then the sum of all workers with its shares. Phases in which no worker spent a thousandth of the time are left out.
 * Empty if nothing took any time.
 */
function describeProfile(profiles: readonly WorkerProfile[], times: number): string {
  const per = 1 / Math.max(1, times);
  const rows: Row[] = [];
  const total = HEADS.map(() => 0);
  const all = wholeTime(profiles);
  if (all === 0) return "";
  for (const phase of PHASES) {
    const time = profiles.reduce((sum, profile) => sum + timeOf(profile, phase), 0);
    if (time < all / 1000) continue;
    for (const [worker, profile] of profiles.entries()) {
      const cells = cellsOf(profile, phase).map((value) => value * per);
      for (const [i, value] of cells.entries()) total[i]! += value;
      rows.push([profiles.length === 1 ? phase : `${phase} ${worker}`, cells]);
    }
  }
  const whole = total[0]! + total[1]!;
  return [
    line("", HEADS),
    ...rows.map(([name, cells]) => line(name, cells.map(milliseconds))),
    line("all", total.map(milliseconds)),
    line(
      "share",
      total.map((value) => percent(value / whole)),
    ),
  ].join("");
}

/** How much of all workers' time is what a step is for, the profile's own apart. */
function usefulShare(profiles: readonly WorkerProfile[]): string {
  const phases = profiles.flatMap((profile) => Object.values(profile));
  const own = phases.reduce((sum, times) => sum + times.own, 0);
  const useful = phases.reduce((sum, { kernels }) => sum + USEFUL.reduce((part, kind) => part + kernels[kind], 0), 0);
  const whole = wholeTime(profiles) - own;
  if (useful === 0) return "";
  return `${USEFUL.join(", ")}: ${percent(useful / whole)} of workers x wall time without the profile's own\n`;
}

function cellsOf(profile: WorkerProfile, phase: (typeof PHASES)[number]): number[] {
  const times = profile[phase];
  if (times === undefined) return HEADS.map(() => 0);
  const { busy, waiting, own } = times;
  const kernels = KERNEL_KINDS.map((kind) => times.kernels[kind]);
  const script = busy - own - kernels.reduce((a, b) => a + b, 0);
  return [busy, waiting, ...kernels, script, own];
}

function wholeTime(profiles: readonly WorkerProfile[]): number {
  return profiles.reduce((sum, profile) => sum + timeOf(profile), 0);
}

function timeOf(profile: WorkerProfile, phase?: (typeof PHASES)[number]): number {
  return PHASES.filter((name) => phase === undefined || name === phase).reduce(
    (sum, name) => sum + (profile[name]?.busy ?? 0) + (profile[name]?.waiting ?? 0),
    0,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function milliseconds(value: number): string {
  return value === 0 ? "·" : value.toFixed(3);
}

function line(name: string, cells: readonly string[]): string {
  return `${name.padEnd(12)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
}
