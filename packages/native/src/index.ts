export { type Cpu, thisCpu } from "./cpu.js";
export type { Bfloat16Unit } from "./generate/bfloat16/bfloat16-kernels.js";
export type { InstructionSet } from "./generate/vectors.js";
export { type Bfloat16Code, loadNative, type NativeCode, nativeKernels } from "./native.js";
export { allowTiles } from "./tiles.js";
export { chooseSet, isFast, usableSets, usableUnits } from "./usable.js";
