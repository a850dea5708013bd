import type { Key } from "@logq/core";
import type { Address, Kernels } from "@logq/kernels";
import type { TreeLayout } from "./kernel-tree-layout.js";
import type { FeatureKind } from "./kernel-tree-options.js";
import type { NodeFeatures } from "./node-features.js";
import { MATRIX, orthogonalRows } from "./orthogonal-rows.js";
import { type BlockRows, writeMatrix } from "./stored-rows.js";

/** What the log of nothing counts as: e^… is 0. */
const NOTHING = -1e30;

/**
 * e^{⟨u, v⟩} with u = √s·h, v = √s·w, s = sharpness·scale, as a mean over random features, ω ~ N(0, I):
 * positive: e^{⟨ω,u⟩ − ‖u‖²/2} · e^{⟨ω,v⟩ − ‖v‖²/2} (Choromanski et al., "Rethinking Attention with Performers", ICLR 2021), or
 * trigonometric: e^{‖u‖²/2}·(cos ⟨ω,u⟩, sin ⟨ω,u⟩) · e^{‖v‖²/2}·(cos ⟨ω,v⟩, sin ⟨ω,v⟩) (Rahimi and Recht, NeurIPS 2007).
 * Factors that depend on the context alone cancel; a context's positive features are divided by their sum, its trigonometric ones by their number, so that
 * an inner product is a weighted mean of the node's features. Each node is divided by e^offset, the largest of its classes', so that nothing overflows
 * however long rows are.
 */
export class RandomFeatures implements NodeFeatures {
  readonly floor: number;
  readonly lift = 0;
  readonly #kernels: Kernels;
  readonly #layout: TreeLayout;
  readonly #positive: boolean;
  /** s: sharpness·scale. */
  readonly #scale: number;

  /** @param floor the least estimate, as a share of the node's mean feature (positive) or of the bound Σ g·e^{‖v‖²/2} (trigonometric) */
  constructor(kernels: Kernels, layout: TreeLayout, kind: FeatureKind, scale: number, floor: number) {
    this.#kernels = kernels;
    this.#layout = layout;
    this.#positive = kind === "positive";
    this.#scale = scale;
    this.floor = floor;
  }

  prepare(key: Key): void {
    const { D, frequencies, table } = this.#layout;
    writeMatrix(this.#kernels, this.#layout, table.frequencies, frequencies, {
      rows: orthogonalRows(key, MATRIX.frequencies, frequencies, D, false),
      scale: Math.sqrt(this.#scale),
      packed: table.packedFrequencies,
    });
  }

  writeBlock(block: number, { whole, ldWhole }: BlockRows, offset: number): void {
    const { D, frequencies, shape, table, scratch } = this.#layout;
    const { rows, matrix } = this.#kernels;
    const count = shape.classesOf(block);
    const { products, perClass } = scratch;
    matrix.multiply(products, frequencies, whole, ldWhole, 1, table.packedFrequencies, count, D, frequencies, false);
    rows.pairDots(perClass, whole, ldWhole, 0, whole, ldWhole, 0, count, D);
    const { f32 } = this.#kernels.memory;
    const factors = (table.factors >>> 2) + block * shape.block;
    // From squared norms to the logs of what multiplies e^⟨ω,v⟩ or the waves.
    const half = (this.#positive ? -0.5 : 0.5) * this.#scale;
    for (let i = 0, at = perClass >>> 2; i < count; i++, at++) {
      f32[at] = Math.max(offset + Math.log(f32[factors + i]) + half * f32[at], NOTHING);
    }
    if (this.#positive) this.#sumExponentials(block, count);
    else this.#sumWaves(block, count);
  }

  #sumExponentials(block: number, count: number): void {
    const { frequencies: M, ldF, table, scratch } = this.#layout;
    const { memory, vector, dense } = this.#kernels;
    const { f32 } = memory;
    const products = scratch.products >>> 2;
    let offset = -Infinity;
    for (let i = 0; i < count; i++) {
      const shift = f32[(scratch.perClass >>> 2) + i];
      for (let at = products + i * M; at < products + (i + 1) * M; at++) {
        f32[at] += shift;
        if (f32[at] > offset) offset = f32[at];
      }
    }
    if (offset <= NOTHING / 2) {
      this.#leaveEmpty(block);
      return;
    }
    for (let at = products; at < products + count * M; at++) f32[at] -= offset;
    vector.exp(scratch.products, scratch.products, count * M);
    const features = table.features + 4 * block * ldF;
    dense.columnSums(features, scratch.products, M, count, M);
    let mass = 0;
    for (let m = 0; m < M; m++) mass += f32[(features >>> 2) + m];
    f32[(table.masses >>> 2) + block] = mass / M;
    f32[(table.offsets >>> 2) + block] = offset;
  }

  #sumWaves(block: number, count: number): void {
    const { frequencies: half, ldF, table, scratch } = this.#layout;
    const { f32 } = this.#kernels.memory;
    const weights = scratch.perClass >>> 2;
    let offset = NOTHING;
    for (let i = 0; i < count; i++) offset = Math.max(offset, f32[weights + i]);
    if (offset <= NOTHING / 2) {
      this.#leaveEmpty(block);
      return;
    }
    let mass = 0;
    for (let i = 0; i < count; i++) {
      const weight = Math.exp(f32[weights + i] - offset);
      f32[weights + i] = weight;
      mass += weight;
    }
    const features = (table.features >>> 2) + block * ldF;
    for (let m = 0; m < half; m++) {
      let cosines = 0;
      let sines = 0;
      for (let i = 0; i < count; i++) {
        const angle = f32[(scratch.products >>> 2) + i * half + m];
        cosines += f32[weights + i] * Math.cos(angle);
        sines += f32[weights + i] * Math.sin(angle);
      }
      f32[features + m] = cosines;
      f32[features + half + m] = sines;
    }
    f32[(table.masses >>> 2) + block] = mass;
    f32[(table.offsets >>> 2) + block] = offset;
  }

  /** A block of classes without mass. */
  #leaveEmpty(block: number): void {
    const { F, ldF, table } = this.#layout;
    this.#kernels.vector.fill(table.features + 4 * block * ldF, 0, F);
    this.#kernels.memory.f32[(table.masses >>> 2) + block] = 0;
    this.#kernels.memory.f32[(table.offsets >>> 2) + block] = 0;
  }

  writeContext(out: Address, hidden: Address): void {
    const { D, frequencies, ldD, table } = this.#layout;
    const { memory, rows, vector } = this.#kernels;
    const { f32 } = memory;
    rows.pairDots(out, table.frequencies, ldD, 0, hidden, 0, 0, frequencies, D);
    const first = out >>> 2;
    const end = first + frequencies;
    if (this.#positive) {
      let greatest = -Infinity;
      for (let at = first; at < end; at++) greatest = Math.max(greatest, f32[at]);
      for (let at = first; at < end; at++) f32[at] -= greatest;
      vector.exp(out, out, frequencies);
      let sum = 0;
      for (let at = first; at < end; at++) sum += f32[at];
      for (let at = first; at < end; at++) f32[at] /= sum;
      return;
    }
    for (let at = first; at < end; at++) {
      const angle = f32[at];
      f32[at] = Math.cos(angle) / frequencies;
      f32[at + frequencies] = Math.sin(angle) / frequencies;
    }
  }
}
