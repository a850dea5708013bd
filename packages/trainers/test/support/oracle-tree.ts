import type { ClassTree } from "@logq/losses";

/** A node above a class, and whether the class is under its first child. */
export interface NodeAbove {
  readonly node: number;
  readonly first: boolean;
}

/** The nodes above a class from the bottom up, found in the lists of children alone. */
export function nodesAbove({ children }: ClassTree, id: number): NodeAbove[] {
  const above: NodeAbove[] = [];
  for (let at = children.indexOf(~id); at >= 0; at = children.indexOf(at >> 1)) {
    above.push({ node: at >> 1, first: at % 2 === 0 });
  }
  return above;
}

interface TreeRows {
  readonly H: readonly number[];
  /** (nodes, D) */
  readonly V: Float64Array;
  readonly bias: Float64Array | undefined;
  readonly D: number;
  readonly scale: number;
  /** Of each row, among which it shares its weight. */
  readonly labels: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

/** The hierarchical softmax by its definition in float64: log p(class) = Σ log σ(±y) over the nodes above it, y = scale·(h·v + b). */
export function treeLoss(tree: ClassTree, { H, V, bias, D, scale, labels, weights }: TreeRows) {
  const dW = new Float64Array(V.length);
  const dBias = new Float64Array(V.length / D);
  const dH = new Float64Array(H.length);
  let loss = 0;
  labels.forEach((own, row) => {
    for (const { node, first } of own.flatMap((id) => nodesAbove(tree, id))) {
      const sign = first ? 1 : -1;
      let y = bias?.[node] ?? 0;
      for (let d = 0; d < D; d++) y += H[row * D + d]! * V[node * D + d]!;
      const weight = weights[row]! / own.length;
      loss += weight * Math.log1p(Math.exp(-sign * scale * y));
      const slope = (-sign * scale * weight) / (1 + Math.exp(sign * scale * y));
      dBias[node] = dBias[node]! + slope;
      for (let d = 0; d < D; d++) {
        dW[node * D + d] = dW[node * D + d]! + slope * H[row * D + d]!;
        dH[row * D + d] = dH[row * D + d]! + slope * V[node * D + d]!;
      }
    }
  });
  return { loss, dW, dBias, dH };
}
