import type { Address, Kernels, MemoryPlan } from "@logq/kernels";
import { countsByLabels, describeLoss, weighsByQ } from "@logq/losses";
import type { BatchCapacity } from "./batch-layout.js";
import { selectionBytes } from "./selection.js";
import { CLASS_BLOCK, type EngineSpec, rowsPerBlock } from "./spec.js";

/** What the three phases of a candidate step share. U rows of the panel, C shared candidates, P labels, B rows. */
export interface CandidateSpace {
  /** float32 (U, ld) the rows of this step's classes; of length 1 if logits are cosines */
  readonly panel: Address;
  /** float32 (U) lengths of those rows, cosine only */
  readonly panelNorms: Address;
  /** float32 (U) biases; 0 without bias */
  readonly panelBias: Address;
  /** Candidates packed for dH, a block of CLASS_BLOCK after the other, packedBlockBytes apart; 0 where the back-end multiplies with the panel itself. */
  readonly packedPanel: Address;
  readonly packedBlockBytes: number;
  /** Rows of H packed for dW, a block of rows after the other, packedRowsBytes apart. */
  readonly packedHidden: Address;
  readonly packedRowsBytes: number;
  /** float32 (B, ld) and (B): H brought to length 1 and the lengths, cosine only */
  readonly unitHidden: Address;
  readonly hiddenNorms: Address;
  /** float32 (B, ld): rows of H times the factors that losses leave to products, what class gradients are summed from */
  readonly scaledHidden: Address;
  /**
   * float32: logits, then gradients, a block of R batch rows after the other, each [candidate][row of the block] with leading dimension R: the
   * rows that one unit works on lie together, so they share neither cache sets nor pages with other units'.
   */
  readonly logits: Address;
  /** Soft cap only, with bias: float32 (C) and (P), what is added before it */
  readonly inner: Address;
  readonly positiveInner: Address;
  /** float32 (C) */
  readonly add: Address;
  readonly weight: Address;
  /** float32 (P) */
  readonly positiveDot: Address;
  readonly positiveAdd: Address;
  readonly positiveBias: Address;
  /** float32 (S·B): what is added to a row's own candidates' logits, and their biases */
  readonly rowAdd: Address;
  readonly rowBias: Address;
  /** Soft cap only: float32 (S·B), its derivatives at a row's own candidates */
  readonly rowSlope: Address;
  /** float32 (B, S): how often a row's own candidates count; 0 if once each */
  readonly rowWeight: Address;
  /** float32 (P + S·B): gradients of the sorted entries */
  readonly sortedWeight: Address;
  /** rows' state: float32 max, decay, lse, coefficient (B); float64 sum, loss (B) */
  readonly max: Address;
  readonly decay: Address;
  readonly lse: Address;
  readonly coefficient: Address;
  /** float32 (B): how often a row's candidates count, where that follows from its labels; else 0 */
  readonly tileFactor: Address;
  readonly sum: Address;
  readonly loss: Address;
  /** Label smoothing only: float32 (B), what it takes off the gradients of a row */
  readonly uniform: Address;
  /** Label smoothing: float64 (B), sums of logits. Losses of pairs: scratch, float64 (B) and (P) */
  readonly total: Address;
  readonly positivePull: Address;
  /** Clipping only: float32 (U, ld) and (U) */
  readonly gradient: Address;
  readonly biasGradient: Address;
  /** Bytes of a worker's scratch. */
  readonly scratchBytes: number;
}

export function planCandidateSpace(
  plan: MemoryPlan,
  spec: EngineSpec,
  capacity: BatchCapacity,
  kernels: Kernels,
): CandidateSpace {
  const { table, training, normalize } = spec;
  const { B, optimizer } = training!;
  const { select } = training!.candidates!;
  const { panelRows: U, candidates: C, positives: P, rowCandidates } = capacity;
  const own = rowCandidates * B;
  const R = rowsPerBlock(B);
  const blocks = Math.ceil(B / R);
  const floats = (name: string, count: number) => (count > 0 ? plan.reserve(`step ${name}`, 4 * count) : 0);
  const packedBlockBytes = wholeLines(kernels.matrix.packedBytes(CLASS_BLOCK, table.D));
  const packedRowsBytes = wholeLines(kernels.matrix.packedBytes(R, table.D));
  const pairwise = describeLoss(training!.loss.name).kind === "pairwise";
  const smooths = training!.loss.labelSmoothing > 0;
  const capsBias = spec.bias && training!.loss.softCap > 0;
  const clip = optimizer.clipNorm > 0;
  return {
    panel: floats("panel", U * table.ld),
    panelNorms: floats("panel norms", normalize ? U : 0),
    panelBias: floats("panel bias", spec.bias ? U : 0),
    packedPanel:
      kernels.matrix.multiplyUnpacked === undefined
        ? plan.reserve("step packed panel", packedBlockBytes * Math.ceil(C / CLASS_BLOCK))
        : 0,
    packedBlockBytes,
    packedHidden: plan.reserve("step packed hidden", packedRowsBytes * blocks),
    packedRowsBytes,
    unitHidden: floats("unit hidden", normalize ? B * table.ld : 0),
    scaledHidden: floats("scaled hidden", C > 0 ? B * table.ld : 0),
    hiddenNorms: floats("hidden norms", normalize ? B : 0),
    logits: floats("logits", (C + rowCandidates) * R * blocks),
    inner: floats("candidate terms before the cap", capsBias ? C : 0),
    positiveInner: floats("label terms before the cap", capsBias ? P : 0),
    add: floats("candidate terms", C),
    weight: floats("candidate weights", C),
    positiveDot: floats("label logits", P),
    positiveAdd: floats("label terms", P),
    positiveBias: floats("label bias", spec.bias ? P : 0),
    rowAdd: floats("row candidate terms", own),
    rowBias: floats("row candidate bias", spec.bias ? own : 0),
    rowSlope: floats("row candidate slopes", spec.softCap > 0 ? own : 0),
    rowWeight: floats("row candidate weights", weighsByQ(training!.loss) ? own : 0),
    sortedWeight: floats("sorted gradients", P + own),
    max: floats("row max", B),
    decay: floats("row decay", B),
    lse: floats("row lse", B),
    coefficient: floats("row coefficient", B),
    tileFactor: floats("row factor", countsByLabels(training!.loss) ? B : 0),
    sum: plan.reserve("step row sum", 8 * B),
    loss: plan.reserve("step row loss", 8 * B),
    uniform: floats("row uniform", smooths ? B : 0),
    total: pairwise || smooths ? plan.reserve("step row total", 8 * B) : 0,
    positivePull: pairwise ? plan.reserve("step label pulls", 8 * P) : 0,
    gradient: floats("class gradients", clip ? U * table.ld : 0),
    biasGradient: floats("bias gradients", clip && spec.bias ? U : 0),
    scratchBytes:
      wholeLines(kernels.matrix.packedBytes(table.D, R)) +
      wholeLines(4 * CLASS_BLOCK * table.ld) +
      wholeLines(4 * CLASS_BLOCK) +
      (smooths ? wholeLines(4 * table.ld) : 0) +
      (select === undefined ? 0 : wholeLines(selectionBytes(select, R))),
  };
}

export function wholeLines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
