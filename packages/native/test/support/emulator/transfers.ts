import { setComparison } from "./arithmetic.js";
import type { Instruction } from "./instruction.js";
import { afterLoad, clearAbove, mergeResult, sourceAt, storeOperand, WORDS } from "./lanes.js";
import { type Machine, OPERAND, RESULT, SOURCE, type Step } from "./machine.js";
import { blendByMask, broadcastGeneral, compress } from "./masked-lanes.js";
import { setZeroAndCarry } from "./masks.js";

type Transfer = (m: Machine, i: Instruction) => Step;

/** vmovss and vmovsd: from memory the rest becomes 0; between registers it comes from the first source. */
const moveScalar: Transfer = (m, i) => {
  const { words, masks } = m;
  const size = i.elementBytes / 4;
  if (i.operands[0] === "M") return storeOperand(m, i, i.reg);
  const d = WORDS * i.reg;
  const s = sourceAt(i);
  const clear = clearAbove(m, i.reg, 4);
  const between = i.operands[1] === "H";
  return afterLoad(m, i, () => {
    const chosen = i.mask === 0 || (masks[i.mask]! & 1) === 1;
    for (let w = 0; w < size; w++) {
      if (chosen) words[d + w] = words[s + w]!;
      else if (i.zeroing) words[d + w] = 0;
    }
    for (let w = size; w < 4; w++) words[d + w] = between ? words[WORDS * i.vvvv + w]! : 0;
    clear();
  });
};

/** vmaskmovps and its like: lanes whose sign is set in the first source. */
const moveMasked: Transfer = (m, i) => {
  const { words, space } = m;
  const address = m.address(i);
  const step = i.elementBytes / 4;
  const [d, mask] = [WORDS * i.reg, WORDS * i.vvvv];
  const lanes = i.bytes / i.elementBytes;
  const chosen = (lane: number) => words[mask + step * lane + step - 1]! < 0;
  if (i.operands[0] === "M") {
    return () => {
      const at = address();
      for (let lane = 0; lane < lanes; lane++) {
        if (chosen(lane)) space.storeWords(at + lane * i.elementBytes, step, words, d + step * lane);
      }
    };
  }
  const result = WORDS * RESULT;
  const merge = mergeResult(m, i, i.reg, i.bytes / 4);
  const clear = clearAbove(m, i.reg, i.bytes / 4);
  return () => {
    const at = address();
    for (let lane = 0; lane < lanes; lane++) {
      if (chosen(lane)) space.loadWords(at + lane * i.elementBytes, step, words, result + step * lane);
      else words.fill(0, result + step * lane, result + step * (lane + 1));
    }
    merge();
    clear();
  };
};

/** vmovd, vmovq and vpextr: words of a vector to a general register or memory, or the other way. */
const moveWords: Transfer = (m, i) => {
  const { words, general: g } = m;
  const size = i.memoryBytes / 4;
  const [to, from] = i.operands;
  if (to === "E" || (to === "W" && i.memory !== undefined)) {
    const s = WORDS * i.reg + (i.immediate === undefined ? 0 : size * (i.immediate & (4 / size - 1)));
    if (i.memory !== undefined) {
      const address = m.address(i);
      return () => m.space.storeWords(address(), size, words, s);
    }
    return () => {
      g[2 * i.rm] = words[s]!;
      g[2 * i.rm + 1] = size === 2 ? words[s + 1]! : 0;
    };
  }
  const register = to === "W" ? i.rm : i.reg;
  const d = WORDS * register;
  const clear = clearAbove(m, register, size);
  if (from === "E" && i.memory === undefined) {
    return () => {
      words[d] = g[2 * i.rm]!;
      if (size === 2) words[d + 1] = g[2 * i.rm + 1]!;
      clear();
    };
  }
  const s = to === "W" ? WORDS * i.reg : sourceAt(i);
  return afterLoad(m, i, () => {
    for (let w = 0; w < size; w++) words[d + w] = words[s + w]!;
    clear();
  });
};

/** vpinsrd and vpinsrq */
const insertWords: Transfer = (m, i) => {
  const { words, general: g } = m;
  const size = i.memoryBytes / 4;
  const [d, a] = [WORDS * i.reg, WORDS * i.vvvv];
  const place = size * (i.immediate! & (4 / size - 1));
  const clear = clearAbove(m, i.reg, 4);
  return afterLoad(m, i, () => {
    for (let w = 0; w < 4; w++) words[d + w] = words[a + w]!;
    for (let w = 0; w < size; w++) {
      words[d + place + w] = i.memory === undefined ? g[2 * i.rm + w]! : words[WORDS * SOURCE + w]!;
    }
    clear();
  });
};

/** Signs of lanes, as bits of a general register. */
const signs: Transfer = (m, i) => {
  const { general: g, bytes } = m;
  const size = i.elementBytes;
  return () => {
    let bits = 0;
    for (let lane = 0; lane * size < i.bytes; lane++) {
      if (bytes[4 * WORDS * i.rm + size * lane + size - 1]! > 127) bits |= 1 << lane;
    }
    g[2 * i.reg] = bits;
    g[2 * i.reg + 1] = 0;
  };
};

/** vptest and vtestps: whether all bits (signs) of the second operand within the first, and outside it, are zero. */
const testBits: Transfer = (m, i) => {
  const { words } = m;
  const kept = i.name === "vtestps" ? -(2 ** 31) : -1;
  return afterLoad(m, i, () => {
    const [a, b] = [WORDS * i.reg, sourceAt(i)];
    let [inside, outside] = [0, 0];
    for (let w = 0; w < i.bytes / 4; w++) {
      inside |= words[a + w]! & words[b + w]! & kept;
      outside |= ~words[a + w]! & words[b + w]! & kept;
    }
    setZeroAndCarry(m, inside === 0, outside === 0);
  });
};

const compareScalars: Transfer = (m, i) => {
  const lanes = i.elementBytes === 4 ? m.floats : m.doubles;
  const scale = i.elementBytes === 4 ? WORDS : WORDS / 2;
  return afterLoad(m, i, () => {
    setComparison(m, lanes[scale * i.reg]!, lanes[scale * (i.memory === undefined ? i.rm : SOURCE)]!);
  });
};

/** vcvtsi2ss and vcvtsi2sd, from 32 or 64 bits with sign. */
const fromInteger: Transfer = (m, i) => {
  const { general: g, words } = m;
  const [d, a] = [WORDS * i.reg, WORDS * i.vvvv];
  const clear = clearAbove(m, i.reg, 4);
  const source = 2 * (i.memory === undefined ? i.rm : OPERAND);
  const wide = i.memoryBytes === 8;
  return afterLoad(m, i, () => {
    if (i.memory !== undefined) g.set(words.subarray(WORDS * SOURCE, WORDS * SOURCE + 2), source);
    const value = wide ? g[source + 1]! * 2 ** 32 + (g[source]! >>> 0) : g[source]!;
    if (wide && !Number.isSafeInteger(value)) throw new Error(`${i.name} of numbers beyond 2^53 is not emulated`);
    for (let w = 0; w < 4; w++) words[d + w] = words[a + w]!;
    if (i.elementBytes === 4) m.floats[d] = value;
    else m.doubles[d / 2] = value;
    clear();
  });
};

/** vzeroupper and vzeroall reach the first 16 registers only. */
const zeroUpper: Transfer = (m, i) => {
  const from = i.name === "vzeroall" ? 0 : 4;
  return () => {
    for (let register = 0; register < 16; register++) {
      m.words.fill(0, WORDS * register + from, WORDS * (register + 1));
    }
  };
};

export const TRANSFERS: Record<string, Transfer> = {
  vmovss: moveScalar,
  vmovsd: moveScalar,
  vmovd: moveWords,
  vmovq: moveWords,
  vpextrd: moveWords,
  vpextrq: moveWords,
  vextractps: moveWords,
  vpinsrd: insertWords,
  vpinsrq: insertWords,
  vmaskmovps: moveMasked,
  vmaskmovpd: moveMasked,
  vpmaskmovd: moveMasked,
  vmovmskps: signs,
  vmovmskpd: signs,
  vpmovmskb: signs,
  vptest: testBits,
  vtestps: testBits,
  vucomiss: compareScalars,
  vucomisd: compareScalars,
  vcomiss: compareScalars,
  vcomisd: compareScalars,
  vcvtsi2ss: fromInteger,
  vcvtsi2sd: fromInteger,
  vblendmps: blendByMask,
  vblendmpd: blendByMask,
  vpblendmd: blendByMask,
  vpblendmq: blendByMask,
  vcompressps: compress,
  vpcompressd: compress,
  vzeroupper: zeroUpper,
  vzeroall: zeroUpper,
};

/** What an instruction does that is neither lanes to lanes nor on masks alone; undefined if it is none of these. */
export function transferStep(m: Machine, i: Instruction): Step | undefined {
  if (i.name.startsWith("vpbroadcast") && i.operands[1] === "E") return broadcastGeneral(m, i);
  return TRANSFERS[i.name]?.(m, i);
}
