import { allItemsSource, type EngineCase, labelSource, someWords, textSource, userSource } from "./engines.js";

const labels = labelSource(67, 23, 130);
const fewLabels = labelSource(29, 23, 130);

const skipGram = textSource(67, 130, { window: 3, mode: "neighbours", stretches: someWords(67, 0.3) });
const cbow = textSource(67, 130, { window: 3, mode: "around", stretches: someWords(67, 0.3) });

/** Every loss with its options, each with a source and an encoder of its own. All by sgd: an error in a gradient is an error in a table. */
export const LOSS_CASES: Readonly<Record<string, EngineCase>> = {
  "negative sampling, skip-gram, five negatives a label, sums": {
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
    source: skipGram,
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.05 },
  },
  "negative sampling, skip-gram, hits removed": {
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 5 },
    source: skipGram,
    S: 4,
  },
  "negative sampling, skip-gram, rows' own candidates": {
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 2, accidentalHits: "keep" },
    source: skipGram,
    per: "row",
    S: 6,
  },
  "negative sampling, skip-gram, batches of words that are all left out": {
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
    source: textSource(67, 130, { window: 3, mode: "neighbours", stretches: someWords(67, -0.2) }),
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.05 },
    B: 3,
  },
  "negative sampling, CBOW": {
    loss: "negative-sampling",
    lossOptions: { negativesPerLabel: 5, accidentalHits: "keep" },
    source: cbow,
    encoder: { reduce: "sum" },
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.05 },
  },
  "sampled softmax, skip-gram": { loss: "sampled-softmax", source: skipGram },
  "full softmax, skip-gram, batches of words that are all left out": {
    loss: "full-softmax",
    source: textSource(67, 130, { window: 3, mode: "neighbours", stretches: someWords(67, -0.2) }),
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.01 },
    B: 3,
  },
  "full softmax, skip-gram, sums": {
    loss: "full-softmax",
    source: skipGram,
    reduction: "sum",
    optimizer: { name: "sgd", learningRate: 0.01 },
  },
  "full softmax": { loss: "full-softmax" },
  "full softmax, logits anew": { loss: "full-softmax", keepLogits: false },
  "full softmax, two tiles a lane": { loss: "full-softmax", n: 601, lanes: 2 },
  "full softmax, label smoothing, temperature": {
    loss: "full-softmax",
    lossOptions: { labelSmoothing: 0.1, temperature: 0.7 },
    n: 530,
    lanes: 2,
    keepLogits: false,
  },
  "full softmax, several labels": { loss: "full-softmax", source: labels, vocabulary: 23 },
  "full softmax, cosine": { loss: "full-softmax", lossOptions: { normalize: true, temperature: 0.2 } },
  "full softmax, cosine, logits anew, no bias": {
    loss: "full-softmax",
    lossOptions: { normalize: true, temperature: 0.2 },
    keepLogits: false,
    bias: false,
  },
  "full softmax, seen left out": {
    loss: "full-softmax",
    lossOptions: { exclude: "seen" },
    source: userSource("user", 67, 31, 9),
    vocabulary: 31,
    n: 67,
  },
  "full softmax, users with all their items": {
    loss: "full-softmax",
    source: allItemsSource(67, 31, 9),
    vocabulary: 31,
    n: 67,
  },
  "full softmax, a gradient filter without a budget": { loss: "full-softmax", gradientFilter: 1e-30 },
  "full softmax, the same, cosine, logits anew, several labels, clipped": {
    loss: "full-softmax",
    gradientFilter: 1e-30,
    keepLogits: false,
    source: labels,
    vocabulary: 23,
    n: 601,
    lanes: 2,
    lossOptions: { normalize: true, temperature: 0.2 },
    optimizer: { name: "sgd", clipNorm: 0.05 },
  },
  "full softmax, fewer classes than lanes": { loss: "full-softmax", n: 5, lanes: 8, vocabulary: 9 },
  "sampled softmax, importance": { loss: "sampled-softmax" },
  "sampled softmax, a panel of several blocks": { loss: "sampled-softmax", n: 900, S: 300, B: 41 },
  "sampled softmax, hits removed": { loss: "sampled-softmax", lossOptions: { accidentalHits: "remove" }, n: 23, S: 40 },
  "sampled softmax, partition": {
    loss: "sampled-softmax",
    lossOptions: { correction: "partition", accidentalHits: "remove" },
    n: 29,
  },
  "sampled softmax, uncorrected": { loss: "sampled-softmax", lossOptions: { correction: "none" } },
  "sampled softmax, temperature": { loss: "sampled-softmax", lossOptions: { temperature: 0.5 } },
  "sampled softmax, cosine": { loss: "sampled-softmax", lossOptions: { normalize: true, temperature: 0.1 } },
  "sampled softmax, without replacement": {
    loss: "sampled-softmax",
    sampler: { name: "log-uniform", replacement: false },
    lossOptions: { accidentalHits: "remove" },
  },
  "sampled softmax, several labels": { loss: "sampled-softmax", source: labels, vocabulary: 23 },
  "sampled softmax, several labels, hits removed": {
    loss: "sampled-softmax",
    lossOptions: { accidentalHits: "remove" },
    source: fewLabels,
    vocabulary: 23,
    n: 29,
    S: 33,
  },
  "sampled softmax, seen left out, more copies than candidates": {
    loss: "sampled-softmax",
    lossOptions: { exclude: "seen" },
    source: userSource("user", 4, 31, 12),
    vocabulary: 31,
    n: 4,
    S: 4,
  },
  "sampled softmax, users with all their items, partition": {
    loss: "sampled-softmax",
    lossOptions: { correction: "partition", accidentalHits: "remove" },
    source: allItemsSource(67, 31, 9),
    vocabulary: 31,
    n: 67,
  },
  "sampled softmax, rows' own": { loss: "sampled-softmax", per: "row", S: 9 },
  "sampled softmax, rows' own, hits removed": {
    loss: "sampled-softmax",
    per: "row",
    S: 9,
    n: 19,
    lossOptions: { accidentalHits: "remove" },
  },
  "sampled softmax, rows' own, cosine, temperature": {
    loss: "sampled-softmax",
    per: "row",
    S: 9,
    lossOptions: { normalize: true, temperature: 0.3 },
  },
  "sampled softmax, rows' own, partition, several labels": {
    loss: "sampled-softmax",
    per: "row",
    S: 7,
    source: labels,
    vocabulary: 23,
    lossOptions: { correction: "partition", accidentalHits: "remove" },
  },
  "sampled softmax, rows' own, seen left out": {
    loss: "sampled-softmax",
    per: "row",
    S: 6,
    lossOptions: { exclude: "seen" },
    source: userSource("history", 40, 21, 9),
    n: 40,
  },
  nce: { loss: "nce" },
  "nce, temperature, several labels": {
    loss: "nce",
    lossOptions: { temperature: 0.6 },
    source: labels,
    vocabulary: 23,
    S: 50,
  },
  "nce, rows' own": { loss: "nce", per: "row", S: 8, n: 19 },
  "nce, cosine": { loss: "nce", lossOptions: { normalize: true, temperature: 0.2 } },
  "negative sampling": { loss: "negative-sampling", n: 23, S: 40 },
  "negative sampling, hits kept": { loss: "negative-sampling", lossOptions: { accidentalHits: "keep" }, n: 23, S: 40 },
  "negative sampling, skip-gram pairs, rows' own": {
    loss: "negative-sampling",
    per: "row",
    S: 5,
    source: textSource(67, 60, { window: 2, mode: "pair" }),
  },
  "sampled logistic": { loss: "sampled-logistic", n: 23, S: 40 },
  "sampled logistic, rows' own": { loss: "sampled-logistic", per: "row", S: 8, n: 23 },
  "one-vs-all": { loss: "one-vs-all", source: labels, vocabulary: 23 },
  "one-vs-all, logits anew, temperature": {
    loss: "one-vs-all",
    n: 530,
    lanes: 2,
    keepLogits: false,
    lossOptions: { temperature: 0.8 },
  },
  "one-vs-all, cosine": { loss: "one-vs-all", lossOptions: { normalize: true, temperature: 0.2 } },
  "one-vs-all, users with all their items": {
    loss: "one-vs-all",
    source: allItemsSource(67, 31, 9),
    vocabulary: 31,
    n: 67,
  },
  "one-vs-all, fewer classes than lanes": { loss: "one-vs-all", n: 5, lanes: 8, vocabulary: 9 },
  "one-vs-all, seen left out": {
    loss: "one-vs-all",
    lossOptions: { exclude: "seen" },
    source: userSource("user", 67, 31, 9),
    vocabulary: 31,
  },
  "sampled one-vs-all": { loss: "sampled-one-vs-all", source: labels, vocabulary: 23, S: 50 },
  "sampled one-vs-all, rows' own": { loss: "sampled-one-vs-all", per: "row", S: 9, n: 23 },
};

/** Encoders, with the loss that is cheapest to get right. */
export const ENCODER_CASES: Readonly<Record<string, EngineCase>> = {
  "weighted mean": { loss: "full-softmax", source: labels, vocabulary: 23 },
  "weighted sum": { loss: "sampled-softmax", source: labels, vocabulary: 23, encoder: { reduce: "sum" } },
  "words around, some without any": {
    loss: "sampled-softmax",
    source: textSource(67, 150, { window: 2, mode: "around" }),
  },
  "history through a linear layer": {
    loss: "full-softmax",
    source: userSource("history", 67, 40, 9),
    encoder: { embedding: 11 },
  },
  "window through tanh": {
    loss: "sampled-softmax",
    source: textSource(67, 150, { window: 3, filled: true }),
    encoder: { input: "concat", window: 3, embedding: 5, hidden: [13] },
  },
  "window through two relu layers and a dropout of 0.3": {
    loss: "full-softmax",
    source: textSource(67, 150, { window: 3, filled: true }),
    encoder: { input: "concat", window: 3, embedding: 5, hidden: [13, 9], activation: "relu", dropout: 0.3 },
  },
  "bag through tanh and a dropout of 0.5": {
    loss: "nce",
    source: labels,
    vocabulary: 23,
    encoder: { embedding: 9, hidden: [70], dropout: 0.5 },
    optimizer: { name: "sgd", learningRate: 0.02 },
  },
};

const window = { loss: "sampled-softmax", source: textSource(67, 150, { window: 3, filled: true }) } as const;
const dense = { input: "concat", window: 3, embedding: 5, hidden: [13] } as const;

/** Optimizers and schedules, on tables of every kind. */
export const OPTIMIZER_CASES: Readonly<Record<string, EngineCase>> = {
  "sgd, decay": { ...window, encoder: dense, optimizer: { name: "sgd", learningRate: 0.3, weightDecay: 0.05 } },
  momentum: { ...window, encoder: dense, optimizer: { name: "momentum", momentum: 0.8, initialAccumulator: 0.5 } },
  "momentum, decay, all classes": {
    loss: "full-softmax",
    optimizer: { name: "momentum", learningRate: 0.2, weightDecay: 0.02 },
  },
  adagrad: { ...window, encoder: dense, optimizer: { name: "adagrad", initialAccumulator: 0.01 } },
  "adagrad, decay, all classes": {
    loss: "full-softmax",
    optimizer: { name: "adagrad", initialAccumulator: 0.01, weightDecay: 0.02 },
  },
  "row-wise adagrad": { ...window, encoder: dense, optimizer: { name: "rowwise-adagrad", initialAccumulator: 0.01 } },
  "row-wise adagrad, all classes": {
    loss: "full-softmax",
    lossOptions: { normalize: true, temperature: 0.2 },
    optimizer: { name: "rowwise-adagrad", initialAccumulator: 0.01, weightDecay: 0.02 },
  },
  adam: { ...window, encoder: dense, optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01 } },
  "adam, decay, all classes": {
    loss: "full-softmax",
    optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01, weightDecay: 0.02 },
  },
  "clipped sgd": { ...window, encoder: dense, optimizer: { name: "sgd", clipNorm: 0.05, weightDecay: 0.05 } },
  "clipping that never bites": { ...window, encoder: dense, optimizer: { name: "sgd", clipNorm: 1000 } },
  "clipped sgd, all classes, no bias": {
    loss: "full-softmax",
    n: 601,
    lanes: 2,
    bias: false,
    optimizer: { name: "sgd", clipNorm: 0.05 },
  },
  "clipped adagrad, one-vs-all": {
    loss: "one-vs-all",
    optimizer: { name: "adagrad", clipNorm: 0.5, initialAccumulator: 0.01 },
  },
  "clipped adam, rows' own": {
    loss: "nce",
    per: "row",
    S: 8,
    source: labels,
    vocabulary: 23,
    optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01, clipNorm: 0.1 },
  },
  "dense layers at a third of the rate": {
    ...window,
    encoder: dense,
    optimizer: { name: "momentum", learningRate: 0.3, denseFactor: 1 / 3, clipNorm: 0.5 },
  },
  "linear schedule after a warm-up": {
    loss: "full-softmax",
    totalSteps: 5,
    schedule: { name: "linear", warmupSteps: 2, finalFactor: 0.1 },
  },
  "cosine schedule": { loss: "sampled-softmax", totalSteps: 5, schedule: { name: "cosine", finalFactor: 0.2 } },
  "inverse square root, adam": {
    ...window,
    encoder: dense,
    schedule: { name: "inverse-square-root", warmupSteps: 1 },
    optimizer: { name: "adam", learningRate: 0.05, epsilon: 0.01 },
  },
};
