import { KERNEL_KINDS, PHASES, type WorkerProfile } from "@logq/trainers";

/** Columns of kernels; what is left of a worker's busy time is JavaScript. */
const HEADS = ["busy", "waiting", ...KERNEL_KINDS, "JavaScript"];

type Row = readonly [name: string, cells: readonly number[]];

/**
 * Where the time of a training went, in milliseconds a step: a line for each phase and worker, then the sum of all workers with its shares. Phases in
 * which no worker spent a thousandth of the time are left out.
 */
export function describeProfile(profiles: readonly WorkerProfile[], steps: number): string {
  const per = 1 / Math.max(1, steps);
  const rows: Row[] = [];
  const total = HEADS.map(() => 0);
  const all = profiles.reduce((sum, profile) => sum + timeOf(profile), 0);
  for (const phase of PHASES) {
    const time = profiles.reduce((sum, profile) => sum + timeOf(profile, phase), 0);
    if (time === 0 || time < all / 1000) continue;
    for (const [worker, profile] of profiles.entries()) {
      const cells = cellsOf(profile, phase).map((value) => value * per);
      for (const [i, value] of cells.entries()) total[i]! += value;
      rows.push([profiles.length === 1 ? phase : `${phase} ${worker}`, cells]);
    }
  }
  const whole = total[0]! + total[1]!;
  const lines = [
    line("", HEADS),
    ...rows.map(([name, cells]) => line(name, cells.map(milliseconds))),
    line("all", total.map(milliseconds)),
    line(
      "share",
      total.map((value) => (whole === 0 ? "" : `${((100 * value) / whole).toFixed(1)}%`)),
    ),
  ];
  return `\nMilliseconds a step by phase and worker; evaluations count in their own phases:\n${lines.join("")}`;
}

function cellsOf(profile: WorkerProfile, phase: (typeof PHASES)[number]): number[] {
  const times = profile[phase];
  if (times === undefined) return HEADS.map(() => 0);
  const kernels = KERNEL_KINDS.map((kind) => times.kernels[kind]);
  const script = times.busy - kernels.reduce((a, b) => a + b, 0);
  return [times.busy, times.waiting, ...kernels, script];
}

function timeOf(profile: WorkerProfile, phase?: (typeof PHASES)[number]): number {
  return PHASES.filter((name) => phase === undefined || name === phase).reduce(
    (sum, name) => sum + (profile[name]?.busy ?? 0) + (profile[name]?.waiting ?? 0),
    0,
  );
}

function milliseconds(value: number): string {
  return value === 0 ? "·" : value.toFixed(3);
}

function line(name: string, cells: readonly string[]): string {
  return `${name.padEnd(12)}${cells.map((cell) => cell.padStart(11)).join("")}\n`;
}
