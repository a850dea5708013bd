import type { TextDataset } from "@logq/datasets";
import type { Model } from "@logq/trainers";

/** What the output layer sees of a batch. */
export interface LayerBatch {
  /** H (B, D) */
  readonly hidden: Float32Array;
  /** (B) */
  readonly labels: Int32Array;
}

/** `rows` examples of the validation part, evenly spread over it, as a trained model encodes them; always the same ones. */
export function validationBatch(model: Model, { splits }: TextDataset, rows: number): LayerBatch {
  const tokens = splits.validation!.tokens;
  const { window, dim } = model.head.options;
  const hidden = new Float32Array(rows * dim);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(((row + 0.5) * tokens.length) / rows);
    const words = Array.from(tokens.subarray(Math.max(0, at - window), at));
    hidden.set(model.hidden({ words }), row * dim);
    labels[row] = tokens[at]!;
  }
  return { hidden, labels };
}
