import { kernelGroups } from "./kernels/groups.js";
import { lossGroups } from "./losses/groups.js";
import type { Group } from "./measure/group.js";
import type { SubjectName } from "./report/results.js";
import { samplerGroups } from "./samplers.js";
import { stepGroups } from "./step.js";

/** The groups of each subject, at the sizes that results are kept for. */
export const SUBJECT_GROUPS: Readonly<Record<SubjectName, () => Group[]>> = {
  kernels: () => kernelGroups(),
  samplers: () => samplerGroups(),
  losses: () => lossGroups(),
  step: () => stepGroups(),
};
