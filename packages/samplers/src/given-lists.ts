import { ClassIdError, OptionError, requireInteger, requireLength, SamplerError } from "@logq/core";
import { shareFloats, shareInts } from "./shared.js";
import { MAX_CANDIDATES } from "./types.js";

/** A user's own candidates: K lists of S, used in turn (step k takes list k mod K), each with its log Q if that is known. */
export interface GivenLists {
  /** Candidates in a list, in [1, 2^24]. */
  readonly S: number;
  /** (K, S) class ids. */
  readonly ids: ArrayLike<number>;
  /** (K, S) natural log of the expected count of each candidate in its list. Without it, losses that correct refuse the candidates. */
  readonly logQ?: ArrayLike<number>;
  /** (n) natural log of the expected count of every class in a list, by which targets are corrected; −∞ for one that never comes. */
  readonly classLogQ?: ArrayLike<number>;
}

/** Checked lists in shared memory: 4 bytes an id, 8 a log Q. */
export interface GivenTables {
  readonly S: number;
  readonly lists: number;
  readonly ids: Int32Array;
  readonly logQ: Float64Array | null;
  readonly classLogQ: Float64Array | null;
}

/** @throws OptionError, ShapeError, ClassIdError, SamplerError (a log Q that no candidate can have) */
export function shareGivenLists(n: number, given: GivenLists): GivenTables {
  const S = requireInteger("S", given.S, 1, MAX_CANDIDATES);
  const lists = given.ids.length / S;
  if (!(lists >= 1 && Number.isInteger(lists))) {
    throw new OptionError(`given ids must be one or more lists of ${S}, not ${given.ids.length} ids`, {
      S,
      ids: given.ids.length,
    });
  }
  for (let i = 0; i < given.ids.length; i++) {
    const id = given.ids[i];
    if (!Number.isInteger(id) || id < 0 || id >= n) {
      throw new ClassIdError(`given id ${i} is ${id}; ids lie in [0, ${n})`, { index: i, id, n });
    }
  }
  const { logQ, classLogQ } = given;
  if (logQ !== undefined) {
    requireLength("given logQ", logQ.length, given.ids.length, "(K, S)");
    requireLogs("given logQ", logQ, false);
  }
  if (classLogQ !== undefined) {
    requireLength("given classLogQ", classLogQ.length, n, "(n)");
    requireLogs("given classLogQ", classLogQ, true);
  }
  return {
    S,
    lists,
    ids: shareInts(given.ids.length, given.ids),
    logQ: logQ === undefined ? null : shareFloats(logQ.length, logQ),
    classLogQ: classLogQ === undefined ? null : shareFloats(n, classLogQ),
  };
}

/** A candidate that was drawn has a finite log Q; a class that never comes has −∞. */
function requireLogs(name: string, values: ArrayLike<number>, allowNever: boolean): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) || (allowNever && values[i] === -Infinity)) continue;
    throw new SamplerError(`${name}[${i}] is ${values[i]}; it must be finite${allowNever ? " or −∞" : ""}`, {
      name,
      index: i,
      value: values[i],
    });
  }
}
