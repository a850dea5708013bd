import { allLogProbabilities } from "@logq/losses";
import { scratchAt } from "../full-space.js";
import type { EngineHost } from "../host.js";
import { openQueries, openWalk } from "./adaptive-evaluation.js";

/** log p of every class (n), in id order, of the first hidden vector, which an evaluation has left in memory. Between commands only. */
export function adaptiveScores(host: EngineHost): Float32Array {
  const { spec, layout } = host;
  const own = layout.adaptive!.scratch;
  const scratch = scratchAt(own, layout.scratch + layout.scratchBytes - own.end);
  const kernels = host.kernels();
  const walk = openWalk(kernels, spec, layout, scratch);
  return allLogProbabilities(kernels, openQueries(spec, layout, scratch), walk, 1);
}
