export { type Cpu, thisCpu } from "./cpu.js";
export type { InstructionSet } from "./generate/vectors.js";
export { loadNative, type NativeCode, nativeKernels } from "./native.js";
export { chooseSet, usableSets } from "./usable.js";
