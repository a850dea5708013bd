import { compileKernels, instantiateKernels, KernelMemory, type Kernels } from "@logq/kernels";
import { bindKernel } from "../dist/bind.js";
import { generateProgram } from "../dist/generate/program.js";
import { type InstructionSet, loadNative, nativeKernels, usableSets } from "../dist/index.js";
import { boundKernels } from "../dist/native.js";
import { comparedBind, emulatedBind } from "./support/emulator/bind.js";

interface Flavour {
  readonly name: string;
  readonly shared: true;
  readonly create: (memory: KernelMemory) => Kernels;
}

const WORKSPACE_BYTES = 16 * 2 ** 20;

/** Beyond 2 GiB, where addresses are negative as an int32; the pages below are never touched and cost nothing. */
const HIGH_BASE = 2 ** 31 + 4_160;

const wasm = await compileKernels("wasm", true);

const flavour = (name: string, create: (memory: KernelMemory, others: Kernels) => Kernels): Flavour => ({
  name,
  shared: true,
  create: (memory) => create(memory, instantiateKernels(wasm, memory)),
});

const onProcessor = (set: InstructionSet) =>
  flavour(set, (memory, others) => nativeKernels(loadNative(set), memory, others));

const emulated = (set: InstructionSet) =>
  flavour(`${set}, emulated`, (memory, others) =>
    boundKernels(set, memory, others, emulatedBind(generateProgram(set), memory)),
  );

/** On the processor, and every call also emulated: both must leave the same bits. */
const compared = (set: InstructionSet) =>
  flavour(`${set}, beside its emulation`, (memory, others) => {
    const { address, entries } = loadNative(set);
    const onProcessor = (name: keyof typeof entries) => bindKernel(address + entries[name], memory);
    return boundKernels(set, memory, others, comparedBind(onProcessor, generateProgram(set), memory));
  });

const backend = ({ name, create }: Flavour, base: number) => ({
  name: base === HIGH_BASE ? `${name}, above 2 GiB` : name,
  kernels: create(KernelMemory.create(base + WORKSPACE_BYTES, true)),
  base,
});

const usable = usableSets();

/** Each instruction set that the processor has runs on it, and once more beside its emulation; one that it lacks is emulated. */
export const BACKENDS = (["avx2", "avx512"] as const).flatMap((set) =>
  usable.includes(set)
    ? [backend(onProcessor(set), HIGH_BASE), backend(compared(set), 64)]
    : [backend(emulated(set), 64), backend(emulated(set), HIGH_BASE)],
);

export const FLAVOURS = (["avx2", "avx512"] as const).map((set) =>
  usable.includes(set) ? onProcessor(set) : emulated(set),
);
