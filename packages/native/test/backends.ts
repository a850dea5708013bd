import { compileKernels, instantiateKernels, KernelMemory, type Kernels } from "@logq/kernels";
import { nativeBfloat16Matrix } from "../dist/bfloat16.js";
import { type Bind, bindKernel } from "../dist/bind.js";
import { type Bfloat16KernelName, generateBfloat16Program, generateProgram } from "../dist/generate/program.js";
import {
  allowTiles,
  type Bfloat16Unit,
  type InstructionSet,
  loadNative,
  nativeKernels,
  usableSets,
  usableUnits,
} from "../dist/index.js";
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
    const onProcessor: Bind = (name, words) => bindKernel(address + entries[name], memory, words);
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

/** Products in bfloat16 alone: `bind` says how their program for a unit runs. */
const products = (unit: Bfloat16Unit, how: string, bind: (memory: KernelMemory) => Bind<Bfloat16KernelName>) =>
  flavour(`bfloat16 by ${unit}${how}`, (memory, others) => ({
    ...others,
    bfloat16Matrix: nativeBfloat16Matrix(memory, bind(memory)),
  }));

const unitOnProcessor = (unit: Bfloat16Unit) => {
  const { address, entries } = loadNative("avx512", unit).bfloat16!;
  return (memory: KernelMemory) => (name: Bfloat16KernelName) => bindKernel(address + entries[name], memory);
};

const unitEmulated = (unit: Bfloat16Unit) => (memory: KernelMemory) =>
  emulatedBind(generateBfloat16Program(unit), memory);

const unitCompared = (unit: Bfloat16Unit) => (memory: KernelMemory) =>
  comparedBind(unitOnProcessor(unit)(memory), generateBfloat16Program(unit), memory);

const units = usableUnits().filter((unit) => unit !== "amx" || allowTiles());

/** The same for the units that multiply in bfloat16. */
export const BFLOAT16_BACKENDS = (["amx", "avx512_bf16"] as const).flatMap((unit) =>
  units.includes(unit)
    ? [
        backend(products(unit, "", unitOnProcessor(unit)), HIGH_BASE),
        backend(products(unit, ", beside its emulation", unitCompared(unit)), 64),
      ]
    : [backend(products(unit, ", emulated", unitEmulated(unit)), HIGH_BASE)],
);
