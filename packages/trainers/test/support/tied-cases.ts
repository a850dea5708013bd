import { type EngineCase, someWords, textSource, userSource } from "./engines.js";

const histories = userSource("history", 67, 40, 9);
const before = textSource(67, 150, { window: 3, filled: true });
const around = textSource(67, 150, { window: 2, mode: "around" });
const concat = { input: "concat", window: 3, embedding: 7, hidden: [13] } as const;

/**
 * Tied tables: sources whose inputs are classes, some of them twice in a row's bag or window; rows that are inputs, classes, or both in a step; every
 * optimizer.
 */
export const TIED_CASES: Readonly<Record<string, EngineCase>> = Object.fromEntries(
  Object.entries({
    "sampled softmax, histories": { loss: "sampled-softmax", source: histories },
    "sampled softmax, a panel of several blocks, more inputs than a block": {
      loss: "sampled-softmax",
      n: 900,
      S: 300,
      B: 97,
      source: textSource(900, 300, { window: 5, mode: "around" }),
    },
    "sampled softmax, few classes, hits removed": {
      loss: "sampled-softmax",
      lossOptions: { accidentalHits: "remove" },
      n: 9,
      D: 5,
      lanes: 4,
      source: userSource("history", 9, 40, 9),
    },
    "sampled softmax, cosine, a single draw": {
      loss: "sampled-softmax",
      S: 1,
      lossOptions: { normalize: true, temperature: 0.3 },
      source: around,
    },
    "sampled softmax, seen left out, rows' own": {
      loss: "sampled-softmax",
      per: "row",
      S: 6,
      lossOptions: { exclude: "seen" },
      source: userSource("history", 40, 21, 9),
      n: 40,
    },
    "sampled softmax, a window through tanh and a dropout of 0.3, adam": {
      loss: "sampled-softmax",
      source: before,
      encoder: { ...concat, dropout: 0.3 },
      optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01 },
    },
    "sampled softmax, dropout on a bag, row-wise adagrad, decay": {
      loss: "sampled-softmax",
      source: around,
      encoder: { dropout: 0.4 },
      optimizer: { name: "rowwise-adagrad", initialAccumulator: 0.01, weightDecay: 0.02 },
    },
    "sampled softmax, a window, clipped adagrad": {
      loss: "sampled-softmax",
      source: before,
      encoder: concat,
      optimizer: { name: "adagrad", clipNorm: 0.05, initialAccumulator: 0.01 },
    },
    "nce, rows' own, momentum": {
      loss: "nce",
      per: "row",
      S: 8,
      source: histories,
      optimizer: { name: "momentum", learningRate: 0.02, weightDecay: 0.02 },
    },
    "negative sampling, CBOW, batches of words that are all left out": {
      loss: "negative-sampling",
      lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
      source: textSource(67, 130, { window: 3, mode: "around", stretches: someWords(67, -0.2) }),
      encoder: { reduce: "sum" },
      reduction: "sum",
      optimizer: { name: "sgd", learningRate: 0.05 },
      B: 3,
    },
    "negative sampling, skip-gram, sums": {
      loss: "negative-sampling",
      lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
      source: textSource(67, 130, { window: 3, mode: "neighbours", stretches: someWords(67, 0.3) }),
      reduction: "sum",
      optimizer: { name: "sgd", learningRate: 0.02 },
    },
    "bpr, histories, no bias": { loss: "bpr", bias: false, source: histories },
    "full softmax, histories": { loss: "full-softmax", source: histories },
    "full softmax, two tiles a lane, logits anew": {
      loss: "full-softmax",
      n: 601,
      lanes: 2,
      keepLogits: false,
      source: textSource(601, 150, { window: 3, mode: "around" }),
    },
    "full softmax, cosine, label smoothing, a sum of words around": {
      loss: "full-softmax",
      lossOptions: { normalize: true, temperature: 0.3, labelSmoothing: 0.1 },
      encoder: { reduce: "sum" },
      source: around,
    },
    "full softmax, fewer classes than lanes": {
      loss: "full-softmax",
      n: 5,
      lanes: 8,
      source: textSource(5, 150, { window: 2, mode: "around" }),
    },
    "full softmax, a window with dropout, adam, decay": {
      loss: "full-softmax",
      source: before,
      encoder: { ...concat, dropout: 0.3 },
      optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01, weightDecay: 0.02 },
    },
    "full softmax, clipped row-wise adagrad": {
      loss: "full-softmax",
      n: 601,
      lanes: 2,
      source: textSource(601, 150, { window: 3, mode: "around" }),
      optimizer: { name: "rowwise-adagrad", clipNorm: 0.05, initialAccumulator: 0.01 },
    },
    "one-vs-all, histories, seen left out, clipped momentum": {
      loss: "one-vs-all",
      lossOptions: { exclude: "seen" },
      source: histories,
      optimizer: { name: "momentum", learningRate: 0.02, clipNorm: 0.05 },
    },
  } satisfies Record<string, EngineCase>).map(([name, of]) => [name, { ...of, tied: true }]),
);
