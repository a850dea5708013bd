/** The most nodes right below the root: all are scored for every context, so a level fewer pays for a few nodes more. */
const ROOT_WIDTH = 64;

/** Classes of a unit of refresh, about. */
const UNIT_CLASSES = 4096;

/**
 * How n classes hang in a tree. Level 0 are blocks of classes in the order of ids; node j of level k + 1 has the nodes arity·j … of level k as its
 * children; the root has all nodes of the highest level. Nodes are numbered level after level, so siblings lie one after another.
 */
export class TreeShape {
  readonly n: number;
  readonly block: number;
  readonly arity: number;
  /** Nodes of each level. */
  readonly counts: readonly number[];
  /** Number of the first node of each level. */
  readonly firsts: readonly number[];
  readonly nodes: number;
  /** The level whose nodes are the units of refresh. */
  readonly unitLevel: number;
  readonly units: number;

  constructor(n: number, block: number, arity: number) {
    const counts = [Math.ceil(n / block)];
    while (counts[counts.length - 1] > ROOT_WIDTH) counts.push(Math.ceil(counts[counts.length - 1] / arity));
    const firsts: number[] = [];
    let nodes = 0;
    for (const count of counts) {
      firsts.push(nodes);
      nodes += count;
    }
    let unitLevel = 0;
    while (unitLevel + 1 < counts.length && block * arity ** unitLevel < UNIT_CLASSES) unitLevel++;
    this.n = n;
    this.block = block;
    this.arity = arity;
    this.counts = counts;
    this.firsts = firsts;
    this.nodes = nodes;
    this.unitLevel = unitLevel;
    this.units = counts[unitLevel];
  }

  get levels(): number {
    return this.counts.length;
  }

  /** How many classes a block has: `block`, or fewer for the last. */
  classesOf(block: number): number {
    return Math.min(this.block, this.n - block * this.block);
  }

  /** Where the descendants on level `level` of nodes from `node` on, of a higher level `above`, begin; at most the count of the level. */
  firstBelow(node: number, above: number, level: number): number {
    return Math.min(node * this.arity ** (above - level), this.counts[level]);
  }

  /** The first unit of a slice, for `slices` slices of all units. */
  firstUnit(slice: number, slices: number): number {
    return Math.floor((slice * this.units) / slices);
  }
}
