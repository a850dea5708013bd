import type { Address } from "@logq/kernels";

/**
 * A loss is what happens to tiles of logits: values and gradients, no matrix product and no update. The engine owns every buffer; a loss
 * owns nothing, allocates nothing and checks nothing. The objects below hold plain numbers and byte addresses into the kernels' memory; they
 * are made once and their fields are changed from tile to tile.
 *
 * A block of rows goes through a loss like this:
 *
 *     normalised   begin(rows)  partials(tile, rows)…  settle(positives, rows)  gradient(tile, rows)…
 *               or  begin(rows)  exponentials(tile, rows)…  settle(positives, rows), and each tile's factors
 *     separable    begin(rows)  tile(tile, rows)…      settle(positives, rows)
 *     pairwise     pairs(tile, positives, rows)
 *
 * When several lanes share a block of rows, each lane has its own LossRows (its own max, sum, total, loss; weight may be shared), begins it
 * and walks its tiles; `fold` joins the lanes; `settle` is called once, on the joined rows. The order of folds fixes the bits. Pairwise losses have no lanes.
 */
export type TileLoss = WalkedLoss | PairwiseLoss;

/** The losses whose tiles are walked one after the other; all losses over every class are. */
export type WalkedLoss = NormalisedLoss | SeparableLoss;

/**
 * The rows of a block, R of them: what a loss is told about each and where it keeps what it knows of each. Vectors are contiguous and
 * have R elements. Those that a kind of loss does not use may be 0.
 */
export interface LossRows {
  /** Rows of the batch in this block. */
  R: number;
  /** Losses of candidates that `countsDraws`. In: S, how many draws a row meets, duplicates and removed hits among them. */
  draws: number;
  /** Pairwise only. In: which row of the batch the first one is. */
  first: number;
  /** 1/τ, linear: every raw dot product (and bias) is multiplied by it, and so is every gradient. */
  scale: number;
  /** In. float32: the row's share of the loss of the batch: its weight / the sum of weights. 0: the row is ignored. */
  weight: Address;
  /** Out, after `settle`. float64: weight[r]·ℓ_r, in nats. Before, separable losses sum Σ softplus there. */
  loss: Address;
  /** Out, after `settle` (separable: after `begin`). float32: what a probability in the tile is multiplied by to be a gradient. */
  coefficient: Address;
  /** Normalised: float32, greatest logit so far, or, of `exponentials`, the row's reference. Pairwise: scratch. */
  max: Address;
  /** Normalised only. float64: Σ exp(z − max) so far. */
  sum: Address;
  /** Normalised only, written by `exponentials`. float32: what sums relative to an older reference must be multiplied by. */
  decay: Address;
  /** Normalised only, written by `exponentials`. float32: the sums of blocks of 64 classes of the tile, ldBlocks apart. 0: not wanted. */
  blocks: Address;
  ldBlocks: number;
  /** Normalised only. Out, after `settle`. float32: log Σ exp z. 0 in ignored rows. */
  lse: Address;
  /** Label smoothing: float64, Σ z over all classes so far. Pairwise: scratch. */
  total: Address;
  /** Label smoothing only. Out, after `settle`. float32: what the smoothing takes off the gradient of every class of the row; of candidates times their weight. */
  uniform: Address;
  /** Separable only. In. float32, >= 0: how often the row's tiles count beside its labels (see `LossSpec.negativesPerLabel`). 0: once. */
  tileFactor: Address;
}

/**
 * A tile of logits z[c·ld + r], c < C classes (or candidates), r < rows.R, float32. On entry z holds raw dot products h_r·w_c, with −∞ where a
 * (class, row) pair takes no part (accidental hits that are removed, exclusions). On exit of `gradient` (normalised), `tile` (separable) or `pairs`
 * it holds dLoss/d(h_r·w_c), which is dLoss/db_c per row as well; 0 for pairs that took no part.
 */
export interface LossTile {
  z: Address;
  /** Leading dimension in elements, >= R. */
  ld: number;
  C: number;
  /** What z is multiplied by: 1/τ, or 1 if z was scaled, capped and corrected element by element (per-row candidates). Gradients always use rows.scale. */
  scale: number;
  /** float32 (C), added after scaling: see `candidateTerms`. 0: absent. */
  add: Address;
  /** Sampled softmax with a soft cap only. float32 (C), added before it: see `candidateTerms`. 0: absent. */
  inner: Address;
  /**
   * float32 (C), separable and pairwise losses, and a sampled softmax that smooths labels: how often each class counts, see `candidateTerms`. 0: once
   * each; to a pairwise loss it says besides that the classes of the tile are single draws in the order in which they were drawn.
   */
  weight: Address;
}

/** The labels of a block's rows, ragged. Row r has those in [offsets[r], offsets[r+1]); the ids in one row are distinct. */
export interface LossPositives {
  /** int32 (R + 1), indices into the vectors below as they are (offsets[0] need not be 0). */
  offsets: Address;
  /** float32. On entry h·w_t, raw; on exit of `settle` dLoss/d(h·w_t): if `labelsInTiles`, a part to be added to the tile's gradient, else all. */
  dot: Address;
  /** float32, added to scale·dot: see `candidateTerms`. 0: absent. `pathLoss` needs it, and overwrites it. */
  add: Address;
  /** Sampled softmax with a soft cap only. float32, added before it: see `candidateTerms`. 0: absent. */
  inner: Address;
  /** float32, the label's mass y_l >= 0 (of `pathLoss` with the sign of a decision): shares that sum to 1 in normalised losses, normally 1 each in others. 0: 1 each. */
  mass: Address;
  /** Pairwise only. float64: scratch. */
  pull: Address;
}

interface CommonWalkedLoss {
  /** True if the tiles cover all classes, labels included (full losses). False if labels are seen by `settle` alone (candidate losses). */
  readonly labelsInTiles: boolean;

  /** Empties what `rows` accumulates. Reads weight. */
  begin(rows: LossRows): void;

  /** Adds what `from` has accumulated to `into`: a step of the fold over lanes. `from` is left as it is. */
  fold(into: LossRows, from: LossRows): void;

  /**
   * Once all tiles are in: brings the labels in, writes rows.loss and turns positives.dot into gradients.
   * A row whose weight is 0 gets loss 0 and gradients 0 whatever its logits are. A normalised loss ignores rows without labels as well.
   */
  settle(positives: LossPositives, rows: LossRows): void;
}

/** The softmax family: a logit's gradient needs the sum over all of them, so tiles are walked twice. */
export interface NormalisedLoss extends CommonWalkedLoss {
  readonly kind: "normalised";

  /**
   * z ← tile.scale·z + add[c], and the tile's share of the partition goes into rows. A tile that is computed anew after `settle`, rather than kept,
   * goes through here again to get its scale and add, with the rows of a lane, which are no longer needed, as the scratch that is overwritten.
   */
  partials(tile: LossTile, rows: LossRows): void;

  /**
   * `partials` and all of the exponentials of the gradient in one walk: z ← e^{z' − max}, z' being what `partials` leaves. max[r] need not be the
   * greatest logit then, and differs from tile to tile and lane to lane: whoever keeps z keeps it beside. The gradient is z times
   * coefficient·e^{max − lse} (`softmaxFactors`), when smoothing less `uniform`, of candidates times their weight. Answers how many rows' max moved; their
   * `decay` is not 1.
   */
  exponentials(tile: LossTile, rows: LossRows): number;

  /** Turns z, as `partials` left it, into gradients, in place. Reads lse, coefficient and, when smoothing, uniform. */
  gradient(tile: LossTile, rows: LossRows): void;
}

/** The logistic family: each logit stands alone, so value and gradient are one pass. */
export interface SeparableLoss extends CommonWalkedLoss {
  readonly kind: "separable";

  /** Adds the tile's loss to rows.loss (unweighted until `settle`) and turns z into gradients, in place. */
  tile(tile: LossTile, rows: LossRows): void;
}

/** The losses of pairs of a label and a candidate: what a candidate costs depends on the logits of its row's labels. */
export interface PairwiseLoss {
  readonly kind: "pairwise";
  readonly labelsInTiles: false;

  /**
   * All at once, of a tile that holds all candidates of its rows: writes rows.loss, and turns z and positives.dot into gradients, in place. A row whose
   * weight is 0 gets loss 0 and gradients 0 whatever its logits are; a row without labels has no pairs.
   */
  pairs(tile: LossTile, positives: LossPositives, rows: LossRows): void;
}
