import type { Address } from "../memory.js";

/**
 * What a loss does to a tile of logits z[c·ld + r], c < C classes, r < R rows of the batch, in place.
 * Row vectors (R) and class vectors (C) are contiguous. An address of 0 for an optional vector means "absent".
 *
 * The softmax partials of a row are (m, s): m float32, s float64 (a sum of up to tens of millions of terms is carried exactly enough).
 * The empty set is (−∞, 0). A logit of −∞ is a class that takes no part. NaN or +∞ in z leaves a non-finite m or s: nothing is hidden.
 */
export interface TileKernels {
  /** Sets max[r] = −∞ and sum[r] = 0. */
  clearPartials(max: Address, sum: Address, R: number): void;

  /**
   * z ← scale·z + add[c] (add may be 0: absent), then folds the tile's (m, s) into max[r], sum[r].
   * scale is 1/τ, linear; add (C) float32.
   */
  softmaxPartials(
    z: Address,
    ld: number,
    C: number,
    R: number,
    scale: number,
    add: Address,
    max: Address,
    sum: Address,
  ): void;

  /** (max, sum) ← (max, sum) ⊕ (otherMax, otherSum), row by row; M = −∞ yields (−∞, 0). */
  foldPartials(max: Address, sum: Address, otherMax: Address, otherSum: Address, R: number): void;

  /** out[r] = max[r] + log(sum[r]), float32; −∞ for the empty set. */
  logSumExp(out: Address, max: Address, sum: Address, R: number): void;

  /**
   * z ← coefficient[r] · exp(z − lse[r]): the softmax part of the gradient, z as softmaxPartials left it.
   * A row whose coefficient is 0 gets zeros whatever its logits are.
   */
  softmaxGradient(z: Address, ld: number, C: number, R: number, lse: Address, coefficient: Address): void;

  /**
   * The softmax in one walk. With x = scale·z + add[c] (add may be 0), z ← e^{x − reference[r]} and sum[r] += Σ_c e^{x − reference[r]}, float64.
   * A row keeps its reference, a logit seen earlier, from tile to tile while no logit is more than 32 above it; else it moves to the tile's greatest
   * logit, sum is brought to it first, and decay[r] = e^{old − new} is what everything that was summed with the old one must be multiplied by
   * (1 where it did not move). Answers how many references moved. (reference, sum) are partials and fold as (max, sum) do; begin with
   * `clearPartials`. total[r] += Σ_c x, float64; 0: not wanted. blocks[b·ldBlocks + r] = Σ of the exponentials of classes
   * 64·b … 64·b + 63, float32; 0: not wanted. Terms below e^−87 of the reference's become 0.
   */
  softmaxExponentials(
    z: Address,
    ld: number,
    C: number,
    R: number,
    scale: number,
    add: Address,
    reference: Address,
    sum: Address,
    decay: Address,
    total: Address,
    blocks: Address,
    ldBlocks: number,
  ): number;

  /**
   * The rows of a softmax once all its tiles are in, and its labels l of offsets[r] <= l < offsets[r + 1], int32, with z = scale·dot[l] + add[l] and
   * masses y = mass[l] (add and mass may be 0: absent, and 1 each). `apart`: labels are not in the partials (max, sum), and are folded in. With
   * M = Σ y, a row's weight w and ε = smoothing,
   *
   *     lse = max + log(sum)                                               with labels apart log(e^max·sum + Σ_l e^z)
   *     loss = w·((1−ε)·Σ_l y·(lse − z) + ε·M·(lse − total/classes) + zLoss·lse²)          float64
   *     coefficient = scale·w·(M + 2·zLoss·lse)                             what a probability is multiplied by to be a gradient
   *     uniform = scale·w·M·ε/classes                                       what ε takes off the gradient of every class
   *     dot[l] ← −scale·w·(1−ε)·y                                           and coefficient·e^{z − lse} beside it with labels apart
   *
   * A row of weight 0 or M = 0 gets zeros in all five, whatever its logits are. total (R) float64 and uniform are neither read nor written where ε is
   * 0; all others are float32.
   */
  settleSoftmax(
    offsets: Address,
    dot: Address,
    add: Address,
    mass: Address,
    apart: boolean,
    R: number,
    scale: number,
    weight: Address,
    max: Address,
    sum: Address,
    zLoss: number,
    smoothing: number,
    classes: number,
    total: Address,
    lse: Address,
    coefficient: Address,
    uniform: Address,
    loss: Address,
  ): void;

  /** out[r] = coefficient[r] · e^{reference[r] − lse[r]}: times what softmaxExponentials left in z it is softmaxGradient. 0 where coefficient is 0. */
  softmaxFactors(out: Address, reference: Address, lse: Address, coefficient: Address, R: number): void;

  /**
   * The logistic losses, value and gradient at once: with y = scale·z + add[c] (add may be 0),
   * loss[r] += Σ_c weight[c]·softplus(y) and z ← coefficient[r]·weight[c]·σ(y). weight (C) may be 0: all ones. loss (R) is float64.
   * y = −∞ gives 0 to both. A row whose coefficient is 0 gets zeros and adds nothing.
   */
  logisticTile(
    z: Address,
    ld: number,
    C: number,
    R: number,
    scale: number,
    add: Address,
    weight: Address,
    coefficient: Address,
    loss: Address,
  ): void;

  /**
   * The logistic loss of all pairs of a candidate c < C and a label l < T of one row, value and gradients at once. The row's logits are every ld-th
   * number from z on. With y_c = scale·z + add[c] (add may be 0) and d = y_c − labels[l] (T, float32, logits as they are compared), answers
   * Σ_c Σ_l weight[c]·mass[l]·softplus(d), adds Σ_c weight[c]·mass[l]·σ(d) to pull[l] (T, float64), and turns z into
   * coefficient·Σ_l weight[c]·mass[l]·σ(d). weight (C) and mass (T) may be 0: all ones. y = −∞ gives 0 to all; NaN and y = +∞ show in the answer.
   */
  logisticPairs(
    z: Address,
    ld: number,
    C: number,
    scale: number,
    add: Address,
    weight: Address,
    labels: Address,
    mass: Address,
    T: number,
    coefficient: number,
    pull: Address,
  ): number;

  /**
   * The hinge, value and gradient at once: with y = scale·z + add[c] (add may be 0),
   * loss[r] += Σ_c weight[c]·max(0, y − margin) and z ← coefficient[r]·weight[c] where y > margin, 0 elsewhere. weight (C) may be 0: all ones.
   * loss (R) is float64, margin linear, in units of y. y = −∞ gives 0 to both, NaN shows in the loss. A row whose coefficient is 0 gets zeros and adds nothing.
   */
  hingeTile(
    z: Address,
    ld: number,
    C: number,
    R: number,
    scale: number,
    add: Address,
    weight: Address,
    margin: number,
    coefficient: Address,
    loss: Address,
  ): void;

  /**
   * z ← cap·tanh(y/cap), y = scale·z + add[c] (add may be 0), cap > 0, in units of y: logits within ±cap. ±∞ stay what they are: a class
   * that takes no part, and an overflow, which must show; NaN stays NaN. Error below 1e-6 of the value, and the
   * rounding of y.
   */
  softCap(z: Address, ld: number, C: number, R: number, scale: number, add: Address, cap: number): void;

  /**
   * The way back of softCap through exponentials: of z = factor[r]·e^{x + add[c] − reference[r]} (factor and add may be 0: 1 and absent), x being what
   * softCap made, z ← z·(1 − (x/cap)²). 0 stays 0, NaN stays NaN.
   */
  softCapSlopes(
    z: Address,
    ld: number,
    C: number,
    R: number,
    reference: Address,
    factor: Address,
    add: Address,
    cap: number,
  ): void;

  /** out[r] += Σ_c z[c][r], out (R) float64. */
  sumOverClasses(out: Address, z: Address, ld: number, C: number, R: number): void;

  /** z[c][r] ← z[c][r] − value[r], value (R) float32. */
  subtractPerRow(z: Address, ld: number, C: number, R: number, value: Address): void;

  /** out[c] = Σ_r weight[r]·z[c][r], out (C) and weight (R) float32; weight may be 0: all ones. The gradient of the class bias. */
  sumOverRows(out: Address, z: Address, ld: number, C: number, R: number, weight: Address): void;

  /**
   * The same over `rows` rows that lie in tiles of R >= 1, each `step` elements behind the one before; the last may have fewer:
   * out[c] = Σ_r weight[r]·z[step·⌊r/R⌋ + c·ld + r mod R], weight (rows).
   */
  sumOverTiles(
    out: Address,
    z: Address,
    ld: number,
    step: number,
    C: number,
    R: number,
    rows: number,
    weight: Address,
  ): void;

  /** z[c][r] ← factor[r] · z[c][r], factor (R) float32. */
  scaleColumns(z: Address, ld: number, C: number, R: number, factor: Address): void;

  /**
   * Offers the tile's logits x = scale·z + add[c] (add may be 0) to each row's list of its k best classes. values (R, k) float32 and ids (R, k) int32
   * are sorted, best first: the higher logit wins, and of equal logits the lower id. The id of tile row c is firstId + c·idStep. −∞ and NaN are
   * never taken. A fresh list holds −∞ and id −1 (`clearTopK`). z stays as it is.
   *
   * floor (R) float32, or 0: logits below it need not enter, and it is raised to the worst entry of a full list. Lists that are merged in the end may
   * share it, also between threads: any value found there was the k-th best of something, so the merged list is the same.
   */
  topK(
    values: Address,
    ids: Address,
    k: number,
    z: Address,
    ld: number,
    C: number,
    R: number,
    scale: number,
    add: Address,
    floor: Address,
    firstId: number,
    idStep: number,
  ): void;

  clearTopK(values: Address, ids: Address, k: number, R: number): void;

  /** Merges the lists (otherValues, otherIds) into (values, ids), row by row, by the same order. No id stands in both. */
  mergeTopK(values: Address, ids: Address, otherValues: Address, otherIds: Address, k: number, R: number): void;
}
