import { type CreateKernels, createKernels } from "../kernels/kernel-group.js";
import type { Group } from "../measure/group.js";
import { PLAIN_LOSSES } from "./plain-loss.js";
import { termsGroup } from "./terms-group.js";
import { type LossTileShape, tileLossGroup } from "./tile-group.js";

/** S = 1024 candidates against a batch of 256 rows. */
export const LOSS_SHAPE: LossTileShape = { C: 1024, R: 256 };

/** Every loss on one tile, and the terms of its candidates. */
export function lossGroups(shape: LossTileShape = LOSS_SHAPE, create: CreateKernels = createKernels): Group[] {
  return [...PLAIN_LOSSES.map((name) => tileLossGroup(name, shape, create)), termsGroup(shape.C)];
}
