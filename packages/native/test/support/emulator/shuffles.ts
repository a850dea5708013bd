import type { Instruction } from "./instruction.js";
import type { VectorOperation } from "./lanes.js";
import type { Machine } from "./machine.js";

/**
 * Fills each word of the result from a word of a source: `from` says which, as the place of the first word of its source plus a number.
 * `fixed`: the same places at every call, so that they are computed once.
 */
function permute(
  from: (i: Instruction, w: number, a: number, b: number) => number,
  more: Partial<VectorOperation> = {},
) {
  return {
    crosses: true,
    ...more,
    make({ words }: Machine, n: number, i: Instruction) {
      const places = Array.from({ length: n }, (_, w) => from(i, w, 0, 1024));
      return (d: number, a: number, b: number) => {
        for (let w = 0; w < n; w++) words[d + w] = words[places[w]! >= 1024 ? b + places[w]! - 1024 : a + places[w]!]!;
      };
    },
  } satisfies VectorOperation;
}

/** The first word of the 128 bits that a word is in. */
const quarter = (w: number) => w & ~3;

/** A word of the 128 bits around `w`, chosen by two bits of the immediate for each word. */
const byTwoBits = (i: Instruction, w: number) => quarter(w) + ((i.immediate! >> (2 * (w & 3))) & 3);

/** Two words of the first source, then two of the second, in each 128 bits. */
const shufflePs = permute((i, w, a, b) => ((w & 2) === 0 ? a : b) + byTwoBits(i, w));

/** Words of doubles: bit `lane` of the immediate chooses the upper one. */
const upperDouble = (i: Instruction, w: number) => quarter(w) + 2 * ((i.immediate! >> (w >> 1)) & 1) + (w & 1);

/** The words in the upper or lower half of 128 bits, of both sources in turns; as wide as elements are. */
function interleave(upper: boolean): VectorOperation {
  return permute((i, w, a, b) => {
    const half = quarter(w) + (upper ? 2 : 0);
    if (i.elementBytes === 8) return ((w & 2) === 0 ? a : b) + half + (w & 1);
    return ((w & 1) === 0 ? a : b) + half + ((w & 3) >> 1);
  });
}

/** Whole 128 bits: the first half of the result from the first source, the second from the second. */
const shuffleQuarters = permute((i, w, a, b) => {
  const quarters = i.bytes / 16;
  const lane = w >> 2;
  const choice = quarters === 2 ? (i.immediate! >> lane) & 1 : (i.immediate! >> (2 * lane)) & 3;
  return (lane < quarters / 2 ? a : b) + 4 * choice + (w & 3);
});

/** vperm2f128: any two halves of both sources, or zeros. */
const twoHalves: VectorOperation = {
  crosses: true,
  make({ words }, n, { immediate }) {
    return (d, a, b) => {
      for (let w = 0; w < n; w++) {
        const control = immediate! >> (4 * (w >> 2));
        const from = ((control & 2) === 0 ? a : b) + 4 * (control & 1) + (w & 3);
        words[d + w] = (control & 8) !== 0 ? 0 : words[from]!;
      }
    };
  },
};

/** How many words an insert or extract moves, by its name: 128 or 256 bits. */
const partWords = (i: Instruction) => (/128|32x4|64x2/.test(i.name) ? 4 : 8);

/** The place of the part that the immediate names, among as many as the vector has. */
const partAt = (i: Instruction) => partWords(i) * (i.immediate! & (i.bytes / 4 / partWords(i) - 1));

const insert = permute((i, w, a, b) => {
  const at = partAt(i);
  return w >= at && w < at + partWords(i) ? b + w - at : a + w;
});

const extract = permute((i, w) => partAt(i) + w, { words: partWords });

/** Lanes of the second source by numbers that stand in the first. */
const byNumbers: VectorOperation = {
  crosses: true,
  make({ words }, n) {
    return (d, a, b) => {
      for (let w = 0; w < n; w++) words[d + w] = words[b + (words[a + w]! & (n - 1))]!;
    };
  },
};

/** vpermilps with a register: words of the first source, within 128 bits, by numbers in the second. */
const withinQuarter: VectorOperation = {
  crosses: true,
  make({ words }, n) {
    return (d, a, b) => {
      for (let w = 0; w < n; w++) words[d + w] = words[a + quarter(w) + (words[b + w]! & 3)]!;
    };
  },
};

/** Lanes of two registers by numbers that stand in a third: which of them is overwritten the name tells. */
function fromTwo(numbersInDestination: boolean): VectorOperation {
  return {
    crosses: true,
    fused: true,
    make({ words }, n, { elementBytes }) {
      const step = elementBytes / 4;
      const lanes = n / step;
      return (d, a, b) => {
        const old = words.slice(d, d + n);
        for (let w = 0; w < n; w++) {
          const number = numbersInDestination ? old[w - (w % step)]! : words[a + w - (w % step)]!;
          const from = (number & (lanes - 1)) * step + (w % step);
          const second = (number & lanes) !== 0;
          words[d + w] = second ? words[b + from]! : numbersInDestination ? words[a + from]! : old[from]!;
        }
      };
    },
  };
}

/** Bytes of the first source, within 128 bits, by numbers in the second; a negative one gives 0. */
const shuffleBytes: VectorOperation = {
  crosses: true,
  make({ bytes }, n) {
    return (d, a, b) => {
      for (let k = 0; k < 4 * n; k++) {
        const number = bytes[4 * b + k]!;
        bytes[4 * d + k] = number > 127 ? 0 : bytes[4 * a + (k & ~15) + (number & 15)]!;
      }
    };
  },
};

/** Both sources behind one another in each 128 bits, the second one below, moved down by bytes. */
const alignBytes: VectorOperation = {
  crosses: true,
  make({ bytes }, n, { immediate }) {
    return (d, a, b) => {
      for (let k = 0; k < 4 * n; k++) {
        const from = (k & 15) + immediate!;
        const base = 4 * (from < 16 ? b : a) + (k & ~15);
        bytes[4 * d + k] = from < 32 ? bytes[base + (from & 15)]! : 0;
      }
    };
  },
};

/** Both sources behind one another, the second one below, moved down by words. */
const alignWords = permute((i, w, a, b) => {
  const lanes = i.bytes / 4;
  const from = w + (i.immediate! & (lanes - 1));
  return from < lanes ? b + from : a + from - lanes;
});

/** Sums of neighbours within 128 bits: of the first source, then of the second. */
const addNeighbours: VectorOperation = {
  crosses: true,
  make({ floats }, n) {
    return (d, a, b) => {
      for (let w = 0; w < n; w++) {
        const from = ((w & 2) === 0 ? a : b) + quarter(w) + 2 * (w & 1);
        floats[d + w] = floats[from]! + floats[from + 1]!;
      }
    };
  },
};

/** Words to halves of them without sign, those that do not fit to the nearest that does; within 128 bits, first source first. */
const packUnsigned: VectorOperation = {
  crosses: true,
  make({ words, halves }, n) {
    return (d, a, b) => {
      for (let k = 0; k < 2 * n; k++) {
        const from = ((k & 4) === 0 ? a : b) + quarter(k >> 1) + (k & 3);
        halves[2 * d + k] = Math.max(0, Math.min(65535, words[from]!));
      }
    };
  },
};

export const SHUFFLES: Record<string, VectorOperation> = {
  vshufps: shufflePs,
  vshufpd: permute((i, w, a, b) => ((w & 2) === 0 ? a : b) + upperDouble(i, w)),
  vpshufd: permute(byTwoBits),
  vpermilps: {
    crosses: true,
    make: (m, n, i) => (i.operands.includes("I") ? permute(byTwoBits) : withinQuarter).make(m, n, i),
  },
  vpermilpd: permute(upperDouble),
  vpermq: permute((i, w) => (w & ~7) + 2 * ((i.immediate! >> (2 * ((w >> 1) & 3))) & 3) + (w & 1)),
  vpermpd: permute((i, w) => (w & ~7) + 2 * ((i.immediate! >> (2 * ((w >> 1) & 3))) & 3) + (w & 1)),
  vpermps: byNumbers,
  vpermd: byNumbers,
  vpermt2ps: fromTwo(false),
  vpermt2pd: fromTwo(false),
  vpermt2d: fromTwo(false),
  vpermi2ps: fromTwo(true),
  vunpcklps: interleave(false),
  vunpckhps: interleave(true),
  vunpcklpd: interleave(false),
  vunpckhpd: interleave(true),
  vpunpckldq: interleave(false),
  vpunpckhdq: interleave(true),
  vpunpcklqdq: interleave(false),
  vpunpckhqdq: interleave(true),
  vmovsldup: permute((_, w) => w & ~1),
  vmovshdup: permute((_, w) => w | 1),
  vmovhlps: permute((_, w, a, b) => (w < 2 ? b + w + 2 : a + w)),
  vmovlhps: permute((_, w, a, b) => (w < 2 ? a + w : b + w - 2)),
  vshuff32x4: shuffleQuarters,
  vshuff64x2: shuffleQuarters,
  vshufi32x4: shuffleQuarters,
  vshufi64x2: shuffleQuarters,
  vperm2f128: twoHalves,
  vperm2i128: twoHalves,
  valignd: alignWords,
  vpalignr: alignBytes,
  vpshufb: shuffleBytes,
  vhaddps: addNeighbours,
  vpackusdw: packUnsigned,
};

for (const name of ["f128", "i128", "f32x4", "f64x2", "f32x8", "f64x4", "i32x4", "i64x4"]) {
  SHUFFLES[`vinsert${name}`] = insert;
  SHUFFLES[`vextract${name}`] = extract;
}
for (const name of ["f128", "f32x4", "f64x4", "f32x8"]) {
  SHUFFLES[`vbroadcast${name}`] = permute((i, w) => w % (i.memoryBytes / 4));
}
