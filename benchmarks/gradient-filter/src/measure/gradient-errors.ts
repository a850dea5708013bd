import { OutputLayer } from "@logq/trainers";
import { type Approximation, EXACT, type GradientErrors } from "../report/results.js";
import type { LayerBatch } from "./validation-batch.js";

/** An output layer's parameters, and a batch for it. */
export interface LayerProblem extends LayerBatch {
  /** W (n, D) in id order. */
  readonly table: Float32Array;
  /** (n) */
  readonly biases: Float32Array;
  /** D */
  readonly dim: number;
}

/**
 * A step of plain SGD moves the table by −rate·dW. At rate 1 most of a small gradient is lost when it is added to a row in float32, and with it what
 * a small ε leaves out; at this rate the row is lost in the gradient instead. A power of 2, so that multiplying rounds nothing.
 */
const RATE = 2 ** 20;

/** What one step came to. */
interface Step {
  /** dH (B, D), of the batch's mean. */
  readonly hiddenGradient: Float32Array;
  /** W − RATE·dW (n, D). */
  readonly after: Float32Array;
}

/** The errors of the gradients of one step with each approximation, against an exact step. `EXACT` measures whether two of those agree. */
export async function gradientErrors(
  problem: LayerProblem,
  approximations: readonly Approximation[],
  workers: number,
): Promise<GradientErrors[]> {
  const exact = await step(problem, EXACT, workers);
  const longest = longestRow(problem.table, problem.dim);
  const errors: GradientErrors[] = [];
  for (const approximation of approximations) {
    const filtered = await step(problem, approximation, workers);
    errors.push({
      ...hiddenErrors(exact.hiddenGradient, filtered.hiddenGradient, problem.dim),
      tableRelative: relative(distance(filtered.after, exact.after), distance(exact.after, problem.table)),
      bound: approximation.products === "float32" ? approximation.epsilon * longest : null,
    });
  }
  return errors;
}

async function step(problem: LayerProblem, { epsilon, products }: Approximation, workers: number): Promise<Step> {
  const { table, biases, dim, hidden, labels } = problem;
  const layer = await OutputLayer.create({
    classes: biases.length,
    dim,
    batch: labels.length,
    loss: "full-softmax",
    classBias: "zero",
    optimizer: { name: "sgd", learningRate: RATE },
    gradientFilter: epsilon,
    products,
    workers,
  });
  try {
    layer.setTable(table, biases);
    const { hiddenGradient } = await layer.step(hidden, labels);
    return { hiddenGradient: hiddenGradient.slice(), after: layer.table() };
  } finally {
    await layer.close();
  }
}

function hiddenErrors(exact: Float32Array, filtered: Float32Array, dim: number) {
  const rows = exact.length / dim;
  let hiddenRelative = 0;
  let largest = 0;
  for (let at = 0; at < exact.length; at += dim) {
    const own = exact.subarray(at, at + dim);
    const error = distance(filtered.subarray(at, at + dim), own);
    largest = Math.max(largest, error);
    hiddenRelative = Math.max(hiddenRelative, relative(error, length(own)));
  }
  return { hiddenRelative, hiddenLargest: rows * largest };
}

/** Where the gradient is 0, and so is the filtered one, there is no error. */
const relative = (error: number, size: number) => (error === 0 ? 0 : error / size);

function longestRow(table: Float32Array, dim: number): number {
  let longest = 0;
  for (let at = 0; at < table.length; at += dim) longest = Math.max(longest, length(table.subarray(at, at + dim)));
  return longest;
}

function length(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

function distance(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(squares);
}
