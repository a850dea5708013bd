import type { Instruction } from "./instruction.js";
import { afterLoad, clearAbove, mergeResult, sourceAt, WORDS } from "./lanes.js";
import { type Machine, RESULT, type Step } from "./machine.js";

/** What AVX-512 does with masks and general registers besides lanes to lanes. */

/** A general register in all lanes. */
export function broadcastGeneral(m: Machine, i: Instruction): Step {
  const { words, general: g } = m;
  const step = i.elementBytes / 4;
  const merge = mergeResult(m, i, i.reg, i.bytes / 4);
  const clear = clearAbove(m, i.reg, i.bytes / 4);
  return () => {
    for (let w = 0; w < i.bytes / 4; w++) words[WORDS * RESULT + w] = g[2 * i.rm + (w % step)]!;
    merge();
    clear();
  };
}

/** vblendmps: the second source where the mask says so, else the first, or zero. */
export function blendByMask(m: Machine, i: Instruction): Step {
  const { words, masks } = m;
  const shift = i.elementBytes === 8 ? 1 : 0;
  const [d, a, b] = [WORDS * i.reg, WORDS * i.vvvv, sourceAt(i)];
  const clear = clearAbove(m, i.reg, i.bytes / 4);
  return afterLoad(m, i, () => {
    const bits = i.mask === 0 ? -1 : masks[i.mask]!;
    for (let w = 0; w < i.bytes / 4; w++) {
      const chosen = ((bits >> (w >> shift)) & 1) === 1;
      words[d + w] = chosen ? words[b + w]! : i.zeroing ? 0 : words[a + w]!;
    }
    clear();
  });
}

/** vcompressps: lanes that the mask names, side by side; to memory no more than those. */
export function compress(m: Machine, i: Instruction): Step {
  const { words, masks } = m;
  const [s, r] = [WORDS * i.reg, WORDS * RESULT];
  const lanes = i.bytes / 4;
  const address = i.memory === undefined ? undefined : m.address(i);
  return () => {
    const bits = i.mask === 0 ? -1 : masks[i.mask]!;
    let count = 0;
    for (let w = 0; w < lanes; w++) if ((bits >> w) & 1) words[r + count++] = words[s + w]!;
    if (address !== undefined) {
      if (count > 0) m.space.storeWords(address(), count, words, r);
      return;
    }
    const d = WORDS * i.rm;
    for (let w = 0; w < WORDS; w++) {
      if (w < count) words[d + w] = words[r + w]!;
      else if (w >= lanes || i.zeroing) words[d + w] = 0;
    }
  };
}

/** vpmovm2d: lanes of ones and zeros from a mask. */
export function maskToLanes(m: Machine, i: Instruction): Step {
  const { words, masks } = m;
  const d = WORDS * i.reg;
  return () => {
    for (let w = 0; w < WORDS; w++) words[d + w] = w < i.bytes / 4 && (masks[i.rm]! >> w) & 1 ? -1 : 0;
  };
}
