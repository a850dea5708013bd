import { BFLOAT16 } from "./bfloat16.js";
import { CHOICES, compareLanes } from "./choices.js";
import { CONVERSIONS } from "./conversions.js";
import { FLOAT32 } from "./float32.js";
import { FLOAT64 } from "./float64.js";
import type { Instruction } from "./instruction.js";
import { INTEGERS } from "./integers.js";
import { loadOperand, sourceRegisters, storeOperand, vectorStep, WORDS } from "./lanes.js";
import { type Machine, RESULT, SOURCE, type Step } from "./machine.js";
import { maskToLanes } from "./masked-lanes.js";
import { maskStep } from "./masks.js";
import { SHUFFLES } from "./shuffles.js";
import { tileStep } from "./tiles.js";
import { transferStep } from "./transfers.js";

const OPERATIONS = { ...INTEGERS, ...FLOAT32, ...FLOAT64, ...CHOICES, ...CONVERSIONS, ...SHUFFLES, ...BFLOAT16 };

/** Instructions that fault unless their operand in memory lies on a multiple of its size. */
const ALIGNED = /^vmov(ap[sd]|dqa|ntps)/;

/** What a VEX or EVEX instruction does. @throws Error if it is decoded, but not emulated */
export function vectorInstruction(m: Machine, i: Instruction): Step {
  const step = withoutAlignment(m, i);
  if (i.memory === undefined || !ALIGNED.test(i.name)) return step;
  const address = m.address(i);
  return () => {
    if (address() % i.memoryBytes !== 0)
      throw new Error(`${i.name} at an address that is no multiple of ${i.memoryBytes}`);
    step();
  };
}

function withoutAlignment(m: Machine, i: Instruction): Step {
  const tile = tileStep(m, i);
  if (tile !== undefined) return tile;
  if (i.name === "vpmovm2d") return maskToLanes(m, i);
  if (i.name.startsWith("k")) return maskStep(m, i);
  if (i.operands[0] === "K") return compareToMask(m, i);
  const transfer = transferStep(m, i);
  if (transfer !== undefined) return transfer;
  if (i.name === "vmovntps") return storeOperand(m, i, i.reg);
  const operation = OPERATIONS[i.name];
  if (operation === undefined) throw new Error(`${i.name} is not emulated`);
  const isMove = operation === OPERATIONS.vmovups;
  if (i.memory !== undefined && i.operands[0] === "W") {
    if (isMove) return storeOperand(m, i, i.reg);
    // What stands in memory is the result, as wide as it is there.
    const work = operation.make(m, operation.words?.(i) ?? i.bytes / 4, i);
    const store = storeOperand(m, i, RESULT);
    return () => {
      work(WORDS * RESULT, WORDS * i.reg, WORDS * i.reg);
      store();
    };
  }
  if (isMove && i.memory !== undefined && i.mask === 0 && i.bytes === 64) return loadOperand(m, i, i.reg);
  return vectorStep(m, i, operation);
}

/** A comparison that ends in a mask register; with a mask, lanes that it leaves out are 0. */
function compareToMask(m: Machine, i: Instruction): Step {
  const compare = compareLanes(m, i);
  const [first, second] = sourceRegisters(i);
  const load = i.memory === undefined ? undefined : loadOperand(m, i, SOURCE);
  const { masks } = m;
  return () => {
    load?.();
    const bits = compare(WORDS * first, WORDS * second);
    masks[i.reg] = i.mask === 0 ? bits : bits & masks[i.mask]!;
  };
}
