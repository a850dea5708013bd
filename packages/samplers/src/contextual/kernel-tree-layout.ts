import type { Address } from "@logq/kernels";
import { UNIFORMS_BYTES } from "../uniforms.js";
import type { ValidKernelTreeOptions } from "./kernel-tree-options.js";
import { TreeShape } from "./kernel-tree-shape.js";
import { type ContextualPlan, MAX_CONTEXTS } from "./types.js";

/** The most draws that go down together; a row's draws go in parts of so many, each by its own uniforms, so the size is no part of the law. */
export const MOST_TOGETHER = 256;

/** Where things lie in the shared table. Matrices are float32, but for the stored rows, with rows padded to 16 bytes. */
export interface TreeTable {
  /** (r, D): the projection; 0: none. */
  readonly projection: Address;
  readonly packedProjection: Address;
  /** (frequencies, D): of random features; 0: none. */
  readonly frequencies: Address;
  readonly packedFrequencies: Address;
  /** (n, width), rowBytes apart: the stored rows, of the table type. */
  readonly rows: Address;
  /** (n): what multiplies a class, linear, over the greatest of its block. */
  readonly factors: Address;
  /** (blocks): natural log of that greatest. */
  readonly factorOffsets: Address;
  /** (nodes, F): the sums of features, over e^offset of the node. */
  readonly features: Address;
  /** (nodes): the masses that clamp or lift, over e^offset. 0: no class of the node has mass. */
  readonly masses: Address;
  /** (nodes): natural log. */
  readonly offsets: Address;
  /** (nodes): e^{offset − offset of the parent}, in [1e-30, 1]; 0 without mass. */
  readonly shares: Address;
}

/** Where things lie in a thread's scratch. */
export interface TreeScratch {
  /** (MAX_CONTEXTS, F): the features of the contexts. */
  readonly contexts: Address;
  /** (MAX_CONTEXTS, width): what is multiplied with stored rows. */
  readonly queries: Address;
  /** (r): a context that is projected. */
  readonly projected: Address;
  /** Numbers of the rows that one call scores, int32, and the scores. */
  readonly indices: Address;
  readonly scores: Address;
  /** (block, D) or (block, r): class rows as they are read, or projected. */
  readonly classRows: Address;
  /** (block, width): stored rows of a block as float32; 0: they lie so in the table. */
  readonly wideRows: Address;
  /** (block): biases, or squared norms. */
  readonly perClass: Address;
  /** (block, frequencies) or (block, r) and (r, r). */
  readonly products: Address;
  readonly packed: Address;
  /** Pairs of float64. */
  readonly uniforms: Address;
}

/** Sizes, places and bytes of a kernel tree: the same in every thread. */
export class TreeLayout {
  readonly shape: TreeShape;
  readonly D: number;
  /** Width of projected rows, and of stored ones: r or D. */
  readonly r: number;
  readonly width: number;
  /** Numbers of a node, and rows of the matrix of frequencies (0 for the quadratic kernel). */
  readonly F: number;
  readonly frequencies: number;
  readonly ldD: number;
  readonly ldR: number;
  /** Of stored rows and queries as float32. */
  readonly ldRows: number;
  /** From one stored row to the next in the table. */
  readonly rowBytes: number;
  readonly ldF: number;
  readonly plan: ContextualPlan;
  readonly table: TreeTable;
  readonly scratch: TreeScratch;
  /** Bytes set aside for packed right operands. */
  readonly packedTableBytes: number;
  readonly packedScratchBytes: number;

  /** @param table where the table begins, and `scratch` the scratch; both 0 to plan only */
  constructor(options: ValidKernelTreeOptions, n: number, D: number, table: Address, scratch: Address) {
    const { block, arity, projection: r, rows, features, kind, tableType } = options;
    const shape = new TreeShape(n, block, arity);
    const quadratic = options.name === "quadratic-kernel";
    const frequencies = quadratic ? 0 : kind === "positive" ? features : features / 2;
    const F = quadratic ? (r * (r + 1)) / 2 : features;
    const width = rows === "whole" ? D : r;
    const [ldD, ldR, ldF, ldRows] = [pad(D), pad(r), pad(F), pad(width)];
    const projected = r < D;
    this.shape = shape;
    this.D = D;
    this.r = r;
    this.width = width;
    this.F = F;
    this.frequencies = frequencies;
    this.ldD = ldD;
    this.ldR = ldR;
    this.ldF = ldF;
    this.ldRows = ldRows;
    const narrow = tableType === "bfloat16";
    this.rowBytes = narrow ? 2 * Math.ceil(width / 8) * 8 : 4 * ldRows;
    this.packedTableBytes = packedBound(D, Math.max(frequencies, projected ? r : 0));
    this.packedScratchBytes = packedBound(block, r);

    const shared = new Places(table);
    this.table = {
      projection: projected ? shared.floats(r * ldD) : 0,
      packedProjection: projected ? shared.bytes(this.packedTableBytes) : 0,
      frequencies: frequencies > 0 ? shared.floats(frequencies * ldD) : 0,
      packedFrequencies: frequencies > 0 ? shared.bytes(this.packedTableBytes) : 0,
      rows: shared.bytes(n * this.rowBytes),
      factors: shared.floats(n),
      factorOffsets: shared.floats(shape.counts[0]),
      features: shared.floats(shape.nodes * ldF),
      masses: shared.floats(shape.nodes),
      offsets: shared.floats(shape.nodes),
      shares: shared.floats(shape.nodes),
    };
    const own = new Places(scratch);
    const mostScored = Math.max(MOST_TOGETHER * Math.max(arity, block), ...shape.counts.slice(-1));
    this.scratch = {
      contexts: own.floats(MAX_CONTEXTS * ldF),
      queries: own.floats(MAX_CONTEXTS * ldRows),
      projected: own.floats(r),
      indices: own.floats(mostScored),
      scores: own.floats(mostScored),
      classRows: own.floats(block * ldD),
      wideRows: narrow ? own.floats(block * ldRows) : 0,
      perClass: own.floats(block),
      products: own.floats(Math.max(block * frequencies, block * ldR + r * r)),
      packed: own.bytes(this.packedScratchBytes),
      uniforms: own.bytes(UNIFORMS_BYTES),
    };
    this.plan = { tableBytes: shared.end - table, scratchBytes: own.end - scratch };
  }
}

/** Gives out places one after the other, each on a cache line. */
class Places {
  end: number;

  constructor(start: Address) {
    this.end = start;
  }

  floats(count: number): Address {
    return this.bytes(4 * count);
  }

  bytes(bytes: number): Address {
    const address = this.end;
    this.end += Math.ceil(bytes / 64) * 64;
    return address;
  }
}

/** Elements of a row padded to 16 bytes. */
function pad(elements: number): number {
  return Math.ceil(elements / 4) * 4;
}

/** No back-end packs a right operand (K, N) into more: panels of at most 64 columns, or descriptors. */
function packedBound(K: number, N: number): number {
  return 4 * K * Math.ceil(N / 64) * 64 + 4096;
}
