import type { Kernels } from "@logq/kernels";
import { CLASSIFIER_TERM } from "../label-terms.js";
import { logisticLoss } from "../separable-loss.js";
import type { SeparableLoss } from "../tile-loss.js";
import { missDecisions, pullDecisions, sumDecisions, weighDecisions } from "./decisions.js";

/**
 * The hierarchical softmax as a loss of tiles. What others have as labels are here the decisions on the paths of a row's labels: LossPositives names
 * nodes, their masses are +m or −m by the side that the path takes (`Decisions.mass`), and `add`, which must be there, is overwritten. Nodes of a row need
 * not be distinct: paths of several labels share some. There are no candidates, and tiles are empty.
 */
export function pathLoss(kernels: Kernels): SeparableLoss {
  const { memory } = kernels;
  const { f32, f64, i32 } = memory;
  return {
    ...logisticLoss(kernels, CLASSIFIER_TERM),

    tile() {
      // There are no candidates.
    },

    settle(positives, rows) {
      const offsets = positives.offsets >>> 2;
      const [first, end] = [i32[offsets], i32[offsets + rows.R]];
      weighDecisions(kernels, positives, first, end, rows.scale);
      for (let r = 0; r < rows.R; r++) {
        const weight = f32[(rows.weight >>> 2) + r];
        const loss =
          weight === 0 ? 0 : weight * sumDecisions(memory, positives, i32[offsets + r], i32[offsets + r + 1]);
        f64[(rows.loss >>> 3) + r] = loss;
      }
      missDecisions(kernels, positives, first, end);
      for (let r = 0; r < rows.R; r++) {
        const factor = rows.scale * f32[(rows.weight >>> 2) + r];
        pullDecisions(memory, positives, i32[offsets + r], i32[offsets + r + 1], factor);
      }
    },
  };
}
