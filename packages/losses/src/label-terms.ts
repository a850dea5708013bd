import { sigmoid, softplus } from "./functions.js";

/** What a label with logit y and mass m adds to the loss of its row, beyond what the tiles hold. */
export interface LabelTerm {
  /** Whether the tiles hold the label's class as well. */
  readonly inTiles: boolean;
  readonly loss: (y: number, m: number) => number;
  /** dloss/dy */
  readonly slope: (y: number, m: number) => number;
}

/** −m·log σ(y). The labels of NCE and its relatives are outside the tiles. */
export const CLASSIFIER_TERM: LabelTerm = {
  inTiles: false,
  loss: (y, m) => m * softplus(-y),
  slope: (y, m) => -m * sigmoid(-y),
};

/** −m·y: the tiles hold softplus(y) of the labels already, and softplus(y) − y = softplus(−y). */
export const CORRECTION_TERM: LabelTerm = { inTiles: true, loss: (y, m) => -m * y, slope: (_, m) => -m };

/** m·softplus(−y) − softplus(y): as often as its mass says, in place of what the tiles hold of a label. */
export const WEIGHTED_TERM: LabelTerm = {
  inTiles: true,
  loss: (y, m) => (m === 1 ? -y : m * softplus(-y) - softplus(y)),
  slope: (y, m) => (m === 1 ? -1 : -m * sigmoid(-y) - sigmoid(y)),
};

/** softplus(y) − m·y: the binary cross-entropy of a label that is outside the tiles. */
export const INDICATOR_TERM: LabelTerm = {
  inTiles: false,
  loss: (y, m) => (m === 1 ? softplus(-y) : m * softplus(-y) + (1 - m) * softplus(y)),
  slope: (y, m) => (m === 1 ? -sigmoid(-y) : (1 - m) * sigmoid(y) - m * sigmoid(-y)),
};

/** m·(1 − y): what a cosine lacks to 1. */
export const SHORTFALL_TERM: LabelTerm = { inTiles: false, loss: (y, m) => m * (1 - y), slope: (_, m) => -m };
