import { OptionError } from "@logq/core";
import { describeMachine } from "./machine/describe.js";
import { MachineProbe, type ProbeReading } from "./machine/probe.js";
import type { Group, Variant, Work } from "./measure/group.js";
import { measure } from "./measure/measure.js";
import type { Timing } from "./measure/statistics.js";
import {
  type GroupResults,
  type Rates,
  RESULTS_FORMAT,
  type ResultRow,
  type Results,
  type Settings,
  type SubjectName,
  type SubjectResults,
} from "./report/results.js";

/** What to run: groups by subject, in order. */
export type Plan = readonly { readonly subject: SubjectName; readonly groups: readonly Group[] }[];

/** Told as things happen. */
export interface RunEvents {
  started?(run: Pick<Results, "date" | "machine" | "settings">): void;
  group?(subject: SubjectName, group: Group): void;
  measured?(group: GroupResults): void;
}

/** The longest that one of the four measurements of a probe takes. */
const LONGEST_PROBE_MS = 60;

/**
 * Checks and times every variant whose name holds the filter, group by group. A variant whose result is wrong is reported and not timed.
 * @throws OptionError if the filter leaves nothing
 */
export async function run(plan: Plan, settings: Settings, events: RunEvents = {}): Promise<Results> {
  const chosen = applyFilter(plan, settings.filter);
  const head = { date: new Date().toISOString(), machine: describeMachine(), settings };
  events.started?.(head);
  const probe = await MachineProbe.start();
  try {
    const ask = () => probe.read(Math.min(LONGEST_PROBE_MS, Math.max(5, 200 * settings.seconds)));
    let before = await ask();
    const subjects: SubjectResults[] = [];
    for (const { subject, groups } of chosen) {
      const results: GroupResults[] = [];
      for (const { group, wanted } of groups) {
        events.group?.(subject, group);
        const rows = await runGroup(group, wanted, settings);
        const after: ProbeReading = await ask();
        const result = { name: group.name, probe: { before, after }, rows };
        events.measured?.(result);
        results.push(result);
        before = after;
      }
      subjects.push({ subject, groups: results });
    }
    return { format: RESULTS_FORMAT, ...head, subjects };
  } finally {
    await probe.close();
  }
}

interface Chosen {
  readonly subject: SubjectName;
  readonly groups: readonly { readonly group: Group; readonly wanted: readonly string[] }[];
}

/** Variants whose "subject: group: variant" holds the text, in any case of letters; all without a filter. */
function applyFilter(plan: Plan, filter: string | null): Chosen[] {
  const text = (filter ?? "").toLowerCase();
  const chosen = plan
    .map(({ subject, groups }) => ({
      subject,
      groups: groups
        .map((group) => ({
          group,
          wanted: group.variants.filter((name) => `${subject}: ${group.name}: ${name}`.toLowerCase().includes(text)),
        }))
        .filter(({ wanted }) => wanted.length > 0),
    }))
    .filter(({ groups }) => groups.length > 0);
  if (chosen.length > 0) return chosen;
  const names = plan.flatMap(({ groups }) => groups.map(({ name }) => name));
  throw new OptionError(`--filter ${filter} matches nothing; the groups are:\n  ${names.join("\n  ")}`, {
    filter,
    names,
  });
}

async function runGroup(group: Group, wanted: readonly string[], settings: Settings): Promise<ResultRow[]> {
  const prepared = await group.prepare(wanted);
  try {
    const refused = new Map<Variant, string>();
    for (const variant of prepared.variants) {
      try {
        await variant.check();
      } catch (error) {
        refused.set(variant, error instanceof Error ? error.message : String(error));
      }
    }
    const sound = prepared.variants.filter((variant) => !refused.has(variant));
    const timings = await measure(sound, settings);
    return prepared.variants.map((variant) => {
      const reason = refused.get(variant);
      if (reason !== undefined) return { variant: variant.name, refused: reason };
      const timing = timings[sound.indexOf(variant)]!;
      return { variant: variant.name, ...timing, ...ratesOf(variant.work, timing) };
    });
  } finally {
    await prepared.close?.();
  }
}

function ratesOf({ flops, bytes, items }: Work, { medianMs }: Timing): Rates {
  const perSecond = (amount: number | undefined) => (amount === undefined ? null : amount / medianMs / 1e6);
  return {
    gigaflops: perSecond(flops),
    gigabytes: perSecond(bytes),
    itemNanoseconds: items === undefined ? null : (1e6 * medianMs) / items.count,
    item: items?.name ?? null,
  };
}
