import type { Address, Kernels, RowBlock, UpdateRule } from "@logq/kernels";
import { distinctIds, fillUniform } from "../data.js";
import type { KernelSpec } from "./kernel-group.js";
import type { RowsShape } from "./rows.js";

const KINDS = ["sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"] as const;

interface UpdateAddresses {
  readonly table: Address;
  readonly state: Address;
  readonly secondState: Address;
  readonly gradient: Address;
  readonly indices: Address;
}

/** Every optimizer on the rows that a step touched: `count` rows of a table (n, D). */
export function updateSpecs(shape: RowsShape): KernelSpec<UpdateAddresses>[] {
  return KINDS.map((kind) => updateSpec(kind, shape));
}

function ruleOf(kind: UpdateRule["kind"]): UpdateRule {
  return {
    kind,
    learningRate: 0.01,
    weightDecay: 0.001,
    gradientScale: 1,
    momentum: 0.9,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    correction1: 0.1,
    correction2: 0.001,
  };
}

/** Gradients stay away from 0, where adaptive rules divide a rounding by a rounding. */
function gradientsOf({ count, D }: RowsShape, out: Float32Array = new Float32Array(count * D)): Float32Array {
  return fillUniform(out, 9, 0.1, 1);
}

function updateSpec(kind: UpdateRule["kind"], shape: RowsShape): KernelSpec<UpdateAddresses> {
  const { n, D, count } = shape;
  const list = distinctIds(count, n, 10);
  return {
    name: `update ${kind}, ${count} of ${n} rows, D = ${D}`,
    work: { bytes: bytesOf(kind, shape), items: { name: "row", count } },
    tolerance: { relative: 2e-6, absolute: 1e-7 },
    layout: (plan) => ({
      table: plan.reserve("table", 4 * n * D),
      state: plan.reserve("state", 4 * n * D),
      secondState: plan.reserve("second state", 4 * n * D),
      gradient: plan.reserve("gradient", 4 * count * D),
      indices: plan.reserve("indices", 4 * count),
    }),
    bind(kernels, at) {
      const { memory } = kernels;
      for (const table of [at.table, at.state, at.secondState]) memory.floats(table, n * D).fill(0);
      writeRows(kernels, at.table, list, D, (row, d) => weightOf(row, d));
      gradientsOf(shape, memory.floats(at.gradient, count * D));
      memory.ints(at.indices, count).set(list);
      const rule = ruleOf(kind);
      const block: RowBlock = { ...at, ldTable: D, ldGradient: D, count, D };
      return {
        run: () => kernels.optimizer.updateRows(rule, block),
        result() {
          const tables = [at.table, at.state, at.secondState].slice(0, 1 + statesOf(rule, 0).length);
          return tables.flatMap((table) =>
            Array.from(list, (row) => Array.from(memory.floats(table + 4 * D * row, D))).flat(),
          );
        },
      };
    },
    expected: () => updatedRows(ruleOf(kind), shape, list),
  };
}

/** Bytes that one update must read and write. */
function bytesOf(kind: UpdateRule["kind"], { count, D }: RowsShape): number {
  const tables = { sgd: 1, momentum: 2, adagrad: 2, "rowwise-adagrad": 1, adam: 3 }[kind];
  return 4 * count * D * (1 + 2 * tables);
}

function weightOf(row: number, d: number): number {
  return Math.fround(((row % 101) - 50 + (d % 7)) / 64);
}

function writeRows(
  { memory }: Kernels,
  table: Address,
  list: Int32Array,
  D: number,
  value: (row: number, d: number) => number,
): void {
  for (const row of list) for (let d = 0; d < D; d++) memory.f32[(table >>> 2) + row * D + d] = value(row, d);
}

/** Rows and then their state after one update from empty state, by the rules' formulas in float64. */
function updatedRows(rule: UpdateRule, shape: RowsShape, list: Int32Array): number[] {
  const { D } = shape;
  const gradients = gradientsOf(shape);
  const tables: number[][] = [[], ...statesOf(rule, 0).map(() => [])];
  list.forEach((row, j) => {
    const g = Float64Array.from({ length: D }, (_, d) => gradients[j * D + d]! + rule.weightDecay * weightOf(row, d));
    const meanSquare = g.reduce((sum, value) => sum + value * value, 0) / D;
    g.forEach((value, d) => {
      const weight = weightOf(row, d) - rule.learningRate * stepOf(rule, value, meanSquare);
      [weight, ...statesOf(rule, value)].forEach((element, table) => {
        tables[table]!.push(element);
      });
    });
  });
  return tables.flat();
}

/** The state that a first gradient g leaves, of rules that keep some for every element. */
function statesOf({ kind, beta1, beta2 }: UpdateRule, g: number): number[] {
  if (kind === "momentum") return [g];
  if (kind === "adagrad") return [g * g];
  return kind === "adam" ? [(1 - beta1) * g, (1 - beta2) * g * g] : [];
}

/** What the learning rate is multiplied by at a first update. */
function stepOf(rule: UpdateRule, g: number, meanSquare: number): number {
  switch (rule.kind) {
    case "sgd":
    case "momentum":
      return g;
    case "adagrad":
      return g / (Math.abs(g) + rule.epsilon);
    case "rowwise-adagrad":
      return g / (Math.sqrt(meanSquare) + rule.epsilon);
    case "adam": {
      const m = ((1 - rule.beta1) * g) / rule.correction1;
      const v = ((1 - rule.beta2) * g * g) / rule.correction2;
      return m / (Math.sqrt(v) + rule.epsilon);
    }
  }
}
