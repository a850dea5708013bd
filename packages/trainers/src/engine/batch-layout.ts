import { type EncoderInput, planSegments, type Segments } from "@logq/encoders";
import type { Address, MemoryPlan } from "@logq/kernels";
import type { EngineSpec } from "./spec.js";

/** Indices of the int32 words that say what a built batch holds. */
export const HEAD = {
  rows: 0,
  /** entries of the labels of all rows together: P */
  positives: 1,
  /** distinct candidates shared by the batch: C */
  candidates: 2,
  /** rows of the panel: the candidates, then the labels that were not drawn; U */
  panelRows: 3,
  /** distinct input ids */
  uniqueInputs: 4,
  /** rows with weight above 0 */
  validRows: 5,
  /** excluded (class, row) pairs, where they stand by class */
  masks: 6,
  /** 1 + the step whose candidates have been drawn into this batch ahead of its labels, modulo 2^31; 0: none */
  drawnFor: 7,
  /** labels of all rows together, however many entries each is */
  labels: 8,
} as const;

const HEAD_WORDS = 16;

/** Where one batch lies. Vectors over labels are in row order; "sorted" ones in the order of the panel (candidate losses) or of physical rows. */
export interface BatchLayout {
  readonly head: Address;
  /** float32 (B): a row's share of the batch's loss */
  readonly rowWeight: Address;
  readonly input: EncoderInput;
  readonly segments: Segments;
  /** int32 (B + 1) */
  readonly positiveOffsets: Address;
  /** int32 (P) class ids; of a tree the nodes on the labels' paths */
  readonly positiveIds: Address;
  /** float32 (P) masses; of a tree with the sign of the decision */
  readonly positiveMass: Address;
  /** float32 (P) log Q of the labels */
  readonly positiveLogQ: Address;
  /** int32 (P) the label's place in the panel (candidate losses) or its physical row (else) */
  readonly positivePlace: Address;
  /** int32 (P + row candidates): entries sorted by place; entry e < P is a label, P + slot·B + row a row's own candidate */
  readonly sortedEntries: Address;
  /** int32: the places of the sorted entries (full losses), or of the panel's runs: (U + 1) offsets into sortedEntries */
  readonly sortedPlaces: Address;
  /** int32: the batch row of each sorted entry */
  readonly sortedRows: Address;
  /** int32 (U), where rows have no candidates of their own: class ids of the panel */
  readonly panelIds: Address;
  /** int32 (U) physical rows of the panel */
  readonly panelRows: Address;
  /** float32 (C) log Q of the distinct candidates, and int32 (C) how often each was drawn */
  readonly candidateLogQ: Address;
  readonly candidateMultiplicity: Address;
  /** Shared candidates: int32 (B + 1) and candidate positions that take no part in a row; evaluations over a tree: class ids, ascending. Else `maskOffsets` is 0. */
  readonly maskOffsets: Address;
  /** All classes: int32 physical rows of the excluded pairs, ascending, and the batch row of each. Else `maskRows` is 0. */
  readonly maskPositions: Address;
  readonly maskRows: Address;
  /** int32 (S·B), slot after slot: panel places of the rows' own candidates */
  readonly rowCandidatePlace: Address;
  /** float32 (S·B): their log Q; +∞ where a candidate takes no part in its row */
  readonly rowCandidateLogQ: Address;
}

/** What a batch must have room for. */
export interface BatchCapacity {
  readonly rows: number;
  readonly inputs: number;
  readonly positives: number;
  /** S of a shared draw, or 0 */
  readonly candidates: number;
  /** S of a row's own draw, or 0 */
  readonly rowCandidates: number;
  readonly panelRows: number;
  readonly masks: number;
  /** Whether masks stand by class: where all classes are walked. */
  readonly masksByClass: boolean;
  readonly training: boolean;
}

/** The most rows a panel can have: every label and every candidate different, but no more than there are classes. */
export function trainingCapacity(spec: EngineSpec): BatchCapacity {
  const training = spec.training!;
  const { B, candidates, loss, capacity } = training;
  const shared = candidates?.per === "batch" ? candidates.S : 0;
  const own = candidates?.per === "row" ? candidates.S : 0;
  const positives = B * capacity.maxTargets;
  const masked =
    (loss.accidentalHits === "remove" ? capacity.maxTargets : 0) + (loss.exclude === "seen" ? capacity.maxExcluded : 0);
  return {
    rows: B,
    inputs: B * capacity.maxInputs,
    positives,
    candidates: shared,
    rowCandidates: own,
    panelRows: candidates === undefined ? 0 : Math.min(spec.table.n, positives + shared + B * own),
    masks: B * (candidates === undefined ? masked : Math.min(shared, masked)),
    masksByClass: candidates === undefined,
    training: true,
  };
}

export function evaluationCapacity(spec: EngineSpec): BatchCapacity {
  const rows = spec.evaluationRows;
  const { maxInputs, maxTargets, maxExcluded } = spec.capacity;
  return {
    rows,
    inputs: rows * maxInputs,
    positives: rows * Math.max(1, maxTargets),
    candidates: 0,
    rowCandidates: 0,
    panelRows: 0,
    masks: spec.maxK > 0 ? rows * maxExcluded : 0,
    masksByClass: spec.tree === undefined,
    training: false,
  };
}

export function planBatch(plan: MemoryPlan, name: string, spec: EngineSpec, capacity: BatchCapacity): BatchLayout {
  const { rows, inputs, positives, candidates, rowCandidates, panelRows, masks, masksByClass, training } = capacity;
  const reserve = (what: string, count: number) => (count > 0 ? plan.reserve(`${name}.${what}`, 4 * count) : 0);
  const own = rowCandidates * rows;
  const { input } = spec.encoder;
  const bag = input === "bag";
  return {
    head: reserve("head", HEAD_WORDS),
    rowWeight: reserve("rowWeight", rows),
    input: {
      offsets: bag ? reserve("inputOffsets", rows + 1) : 0,
      ids: input === "external" ? 0 : reserve("inputIds", inputs),
      weights: bag ? reserve("inputWeights", inputs) : 0,
    },
    segments:
      training && input !== "external"
        ? planSegments(plan, `${name}.segments`, inputs, bag)
        : { unique: 0, offsets: 0, rows: 0, weights: 0 },
    positiveOffsets: reserve("positiveOffsets", rows + 1),
    positiveIds: reserve("positiveIds", positives),
    positiveMass: reserve("positiveMass", positives),
    positiveLogQ: reserve("positiveLogQ", candidates + rowCandidates > 0 ? positives : 0),
    positivePlace: reserve("positivePlace", positives),
    sortedEntries: reserve("sortedEntries", training ? positives + own : 0),
    sortedPlaces: reserve("sortedPlaces", training ? Math.max(positives, panelRows) + own + 1 : 0),
    sortedRows: reserve("sortedRows", training ? positives + own : 0),
    panelIds: reserve("panelIds", rowCandidates > 0 ? 0 : panelRows),
    panelRows: reserve("panelRows", panelRows),
    candidateLogQ: reserve("candidateLogQ", candidates),
    candidateMultiplicity: reserve("candidateMultiplicity", candidates),
    maskOffsets: reserve("maskOffsets", masks > 0 && !masksByClass ? rows + 1 : 0),
    maskPositions: reserve("maskPositions", masks),
    maskRows: reserve("maskRows", masksByClass ? masks : 0),
    rowCandidatePlace: reserve("rowCandidatePlace", own),
    rowCandidateLogQ: reserve("rowCandidateLogQ", own),
  };
}
