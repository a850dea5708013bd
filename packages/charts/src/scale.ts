/** A map from data to pixels and back, linear in the value or in its logarithm. Charts need it to place labels; Plot draws with the same numbers. */
export interface PixelScale {
  readonly type: "log" | "linear";
  readonly domain: readonly [number, number];
  readonly range: readonly [number, number];
  toPixel(value: number): number;
  toValue(pixel: number): number;
}

export function pixelScale(
  type: "log" | "linear",
  domain: readonly [number, number],
  range: readonly [number, number],
): PixelScale {
  const inner = type === "log" ? Math.log : identity;
  const outer = type === "log" ? Math.exp : identity;
  const [d0, d1] = [inner(domain[0]), inner(domain[1])];
  const [r0, r1] = range;
  return {
    type,
    domain,
    range,
    toPixel: (value) => r0 + ((inner(value) - d0) / (d1 - d0)) * (r1 - r0),
    toValue: (pixel) => outer(d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0)),
  };
}

/** A domain that holds all `values` (> 0) with a little air, ends on 1, 2 or 5 times a power of ten and has some width. */
export function logDomain(values: readonly number[]): [number, number] {
  const low = floor125(Math.min(...values) * 0.85);
  const high = ceil125(Math.max(...values) * 1.02);
  return low < high ? [low, high] : [floor125(low * 0.5), ceil125(high * 2)];
}

/** Ticks of a log domain: powers of ten, and 2 and 5 times them where fewer than three would be left. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const within = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const decades: number[] = [];
  const fine: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    const ten = power < 0 ? 1 / 10 ** -power : 10 ** power;
    decades.push(ten);
    fine.push(ten, 2 * ten, 5 * ten);
  }
  const coarse = decades.filter(within);
  return coarse.length >= 3 ? coarse : fine.filter(within);
}

/**
 * A domain between round numbers that holds all `values`, and 0 as well if `fromZero`, in about `wanted` equal steps.
 */
export function linearDomain(
  values: readonly number[],
  wanted = 4,
  fromZero = true,
): { domain: [number, number]; ticks: number[] } {
  const zero = fromZero ? [0] : [];
  const high = Math.max(...zero, ...values);
  const low = Math.min(...zero, ...values);
  const step = ceil125((high - low || 1) / wanted);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { domain: [ticks[0]!, ticks.at(-1)!], ticks };
}

/** Drops ticks that would stand closer than `gap` pixels to the last one kept; the last tick always stays. */
export function thin(ticks: readonly number[], scale: PixelScale, gap: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks.toReversed()) {
    const previous = kept.at(-1);
    if (previous === undefined || Math.abs(scale.toPixel(previous) - scale.toPixel(tick)) >= gap) kept.push(tick);
  }
  return kept.reverse();
}

/**
 * Moves labels that want to stand at `wanted` pixels apart until neighbours are `gap` apart, each as near as can be to where it wants to be, all
 * within [low, high] if they fit. Groups that touch move as one, to the mean of their wishes.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const groups: { members: number[]; start: number }[] = [];
  for (const index of order) {
    let group = { members: [index], start: wanted[index]! };
    for (let last = groups.at(-1); last !== undefined && last.start + last.members.length * gap > group.start; ) {
      groups.pop();
      const members = [...last.members, ...group.members];
      const mean = members.reduce((sum, member, at) => sum + wanted[member]! - at * gap, 0) / members.length;
      group = { members, start: mean };
      last = groups.at(-1);
    }
    const room = high - (group.members.length - 1) * gap;
    group.start = Math.max(low, Math.min(room, group.start));
    groups.push(group);
  }
  return place(groups, wanted.length, gap, high);
}

/** Positions of the members of each group; groups that the clamp pushed into each other are pushed up again. */
function place(
  groups: readonly { members: number[]; start: number }[],
  length: number,
  gap: number,
  high: number,
): number[] {
  const at = new Array<number>(length).fill(0);
  let ceiling = high;
  for (const group of groups.toReversed()) {
    const start = Math.min(group.start, ceiling - (group.members.length - 1) * gap);
    group.members.forEach((member, i) => {
      at[member] = start + i * gap;
    });
    ceiling = start - gap;
  }
  return at;
}

function identity(value: number): number {
  return value;
}

function floor125(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const lead = value / ten;
  return clean((lead >= 5 - 1e-9 ? 5 : lead >= 2 - 1e-9 ? 2 : 1) * ten);
}

function ceil125(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const lead = value / ten;
  return clean((lead <= 1 + 1e-9 ? 1 : lead <= 2 + 1e-9 ? 2 : lead <= 5 + 1e-9 ? 5 : 10) * ten);
}

function clean(value: number): number {
  return Number(value.toPrecision(12));
}
