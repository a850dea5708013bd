import { requireInteger } from "@logq/core";
import { type Address, instantiateKernels, type KernelMemory, type Kernels, MemoryPlan } from "@logq/kernels";
import { weighsByQ } from "../candidate-terms.js";
import { countsByLabels } from "../counts.js";
import { describeLoss } from "../loss-facts.js";
import { REFERENCE, sizingKernels } from "../sized-kernels.js";
import type { LossPositives, LossRows } from "../tile-loss.js";
import type { CheckedProblem } from "./check.js";
import type { Panel } from "./panel.js";
import type { ComputeOptions } from "./problem.js";

const TILE_FLOATS = 2 ** 22;
const MOST_ROWS = 256;

/** The memory of one computation. Blocks of at most R rows pass through it one after the other; the panel stays. */
export interface Workspace {
  readonly kernels: Kernels;
  readonly memory: KernelMemory;
  /** Most rows of a block. */
  readonly R: number;
  /** Classes (or slots) of a block's logits. */
  readonly C: number;
  readonly tileClasses: number;
  /** (U, D), and its gradient. */
  readonly panel: Address;
  readonly panelGradient: Address;
  readonly panelNorms: Address;
  /** (C, D): the candidates' rows of the panel, and their gradient. The panel itself in full losses; 0 per row. */
  readonly classes: Address;
  readonly classGradient: Address;
  /** classes packed as a right operand (C, D) */
  readonly packedClasses: Address;
  /** (R, D), its gradient, and it packed as (D, R) and as (R, D) */
  readonly hidden: Address;
  readonly hiddenGradient: Address;
  readonly hiddenNorms: Address;
  readonly packedColumns: Address;
  readonly packedRows: Address;
  /** (C, ld): logits, then gradients */
  readonly z: Address;
  /** (C): terms and the sum of a gradient over rows */
  readonly add: Address;
  readonly inner: Address;
  readonly weight: Address;
  readonly rowSums: Address;
  /** (C): panel rows of merged candidates */
  readonly candidateRows: Address;
  readonly rows: LossRows;
  /** Positives of a block; offsets start at 0. */
  readonly positives: LossPositives;
  /** Panel row of each positive of the block. */
  readonly positiveRows: Address;
  readonly pairs: PairSpace;
}

/** Room for the (panel row, hidden row, weight) triples of a block. */
export interface PairSpace {
  readonly keys: Address;
  readonly values: Address;
  readonly scratch: Address;
  readonly offsets: Address;
  readonly hiddenRows: Address;
  readonly weights: Address;
  /** (pairs, D): one sum for each distinct key */
  readonly sums: Address;
  /** Per-row candidates alone, (R, S): offsets of rows, and panel rows and gradients in row order */
  readonly slotOffsets: Address;
  readonly slotRows: Address;
  readonly slotWeights: Address;
}

export function createWorkspace(problem: CheckedProblem, panel: Panel, options: ComputeOptions): Workspace {
  const { B, D, labels, candidates, spec } = problem;
  const perRow = candidates?.perRow ?? false;
  const C = perRow ? (candidates?.S ?? 0) : (panel.merged?.ids.length ?? panel.U);
  const R = blockRows(problem, C, options.blockRows);
  const longest = mostLabels(labels.offsets, R);
  const pairs = longest + (perRow ? R * C : 0);
  const plan = new MemoryPlan();
  const backend = options.backend ?? REFERENCE;
  const sizes = sizingKernels(backend);
  const floats = (name: string, count: number) => plan.reserve(name, 4 * count);
  const doubles = (name: string, count: number) => plan.reserve(name, 8 * count);
  const full = candidates === null;
  const pairwise = describeLoss(spec.name).kind === "pairwise";
  const panelAddress = floats("panel", panel.U * D);
  const panelGradient = floats("panel gradient", panel.U * D);
  const layout = {
    panel: panelAddress,
    panelGradient,
    panelNorms: floats("panel norms", panel.U),
    classes: full ? panelAddress : perRow ? 0 : floats("candidates", C * D),
    classGradient: full ? panelGradient : perRow ? 0 : floats("candidate gradients", C * D),
    packedClasses: perRow ? 0 : plan.reserve("packed candidates", sizes.matrix.packedBytes(C, D)),
    hidden: floats("hidden", R * D),
    hiddenGradient: floats("hidden gradient", R * D),
    hiddenNorms: floats("hidden norms", R),
    packedColumns: plan.reserve("packed hidden, transposed", sizes.matrix.packedBytes(D, R)),
    packedRows: plan.reserve("packed hidden", sizes.matrix.packedBytes(R, D)),
    z: floats("logits", C * leadingDimension(R)),
    add: floats("terms", C),
    inner: floats("terms before the cap", C),
    weight: floats("candidate weights", C),
    rowSums: floats("sums over rows", C),
    candidateRows: floats("candidate rows", C),
    rows: {
      R: 0,
      draws: candidates?.S ?? 0,
      first: 0,
      scale: 1 / spec.temperature,
      weight: floats("row weights", R),
      loss: doubles("row losses", R),
      coefficient: floats("coefficients", R),
      max: floats("row maxima", R),
      sum: doubles("row sums", R),
      decay: 0,
      blocks: 0,
      ldBlocks: 0,
      lse: floats("log partitions", R),
      total: doubles("row totals", R),
      uniform: floats("smoothing", R),
      tileFactor: countsByLabels(spec) ? floats("candidate factors", R) : 0,
    },
    positives: {
      offsets: floats("label offsets", R + 1),
      dot: floats("label dots", longest),
      add: floats("label terms", longest),
      inner: floats("label terms before the cap", longest),
      mass: floats("label masses", longest),
      pull: pairwise ? doubles("label pulls", longest) : 0,
    },
    positiveRows: floats("label rows", longest),
    pairs: {
      keys: floats("pair keys", pairs),
      values: floats("pair indices", pairs),
      scratch: plan.reserve("sort scratch", sizes.indices.sortScratchBytes(pairs)),
      offsets: floats("pair offsets", pairs + 1),
      hiddenRows: floats("pair rows", pairs),
      weights: floats("pair weights", pairs),
      sums: floats("pair sums", pairs * D),
      slotOffsets: floats("slot offsets", R + 1),
      slotRows: floats("slot rows", perRow ? R * C : 0),
      slotWeights: floats("slot weights", perRow ? R * C : 0),
    },
  };
  const memory = plan.allocate(backend.shared);
  // Pairwise losses meet all candidates of a row at once.
  const tileClasses = perRow || pairwise ? C : Math.min(C, requireInteger("tileClasses", options.tileClasses ?? C, 1));
  return { kernels: instantiateKernels(backend, memory), memory, R: Math.min(R, B), C, tileClasses, ...layout };
}

/** Rows of a tile start at multiples of 16 bytes, so that a tile may start at any class. */
export function leadingDimension(R: number): number {
  return (R + 3) & ~3;
}

function blockRows({ B, spec, candidates }: CheckedProblem, C: number, asked: number | undefined): number {
  const usual = Math.max(1, Math.min(MOST_ROWS, Math.floor(TILE_FLOATS / C)));
  const R = Math.min(B, requireInteger("blockRows", asked ?? usual, 1));
  // A weight belongs to a class of a tile. Weights that differ from row to row therefore need tiles of one row.
  return weighsByQ(spec) && candidates?.perRow ? 1 : R;
}

/** The most labels that a block of R rows holds. */
function mostLabels(offsets: Int32Array, R: number): number {
  const B = offsets.length - 1;
  let most = 0;
  for (let r = 0; r < B; r += R) most = Math.max(most, offsets[Math.min(B, r + R)] - offsets[r]);
  return most;
}
