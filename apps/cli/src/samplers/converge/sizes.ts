/** How much worse than full softmax at equal steps still counts as near: what the least S is sought for. */
export const NEAR = 0.01;
/** Nearer than this, more candidates have nothing left to show. */
export const SETTLED = 0.003;

/** A size that was tried, and by what share of it full softmax is better; below 0 where it is not. */
export interface Tried {
  readonly negatives: number;
  readonly excess: number;
}

/**
 * The size to try next, or undefined when enough is known. The middle of `sizes` comes first and then the middles of what is left, so that a grid that is
 * cut short has seen the region that matters; sizes above one that is settled are left out. Then the gap in which the least near size lies is halved, in
 * logarithms, down to a factor of two.
 * @param sizes ascending
 */
export function nextSize(sizes: readonly number[], tried: readonly Tried[]): number | undefined {
  const known = new Set(tried.map(({ negatives }) => negatives));
  const settled = leastWithin(tried, SETTLED) ?? Number.POSITIVE_INFINITY;
  const open = middlesFirst(sizes).find((S) => !known.has(S) && S < settled);
  if (open !== undefined) return open;
  const near = leastWithin(tried, NEAR);
  if (near === undefined) return undefined;
  const far = Math.max(0, ...tried.filter(({ negatives }) => negatives < near).map(({ negatives }) => negatives));
  const between = Math.round(Math.sqrt(near * far));
  return far > 0 && near > 2 * far && !known.has(between) ? between : undefined;
}

/** The least size whose excess is within `bound`. */
function leastWithin(tried: readonly Tried[], bound: number): number | undefined {
  const sizes = tried.filter(({ excess }) => excess <= bound).map(({ negatives }) => negatives);
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

/** The middle, then the middles of both halves, and so on: 16, 64, 256, 1024 as 64, 16, 256, 1024. */
export function middlesFirst(sizes: readonly number[]): number[] {
  const order: number[] = [];
  let parts = [sizes];
  while (parts.length > 0) {
    parts = parts.flatMap((part) => {
      const middle = (part.length - 1) >> 1;
      if (part.length === 0) return [];
      order.push(part[middle]!);
      return [part.slice(0, middle), part.slice(middle + 1)];
    });
  }
  return order;
}
