import type { NameTable } from "../names/name-table.js";
import { type NameOrder, orderByCount } from "../names/order.js";
import type { ParsedTextOptions } from "./options.js";

/** Which class each word of the table became. */
export interface TextVocabulary extends Pick<NameOrder, "kept"> {
  /** (size of the table), the class of each word; `unknown` for those left out. */
  readonly classOf: Int32Array;
  /** (size of the table), occurrences in the training part; those left out count for `unknown`. */
  readonly counts: Float64Array;
  readonly eos: number;
  /** −1 if every word of every part has a class and none is called so. */
  readonly unknown: number;
}

/**
 * Chooses the classes: words of at least `minCount` training occurrences, the most frequent ones if `maxClasses` bounds them,
 * and the two with a meaning, which stand in the order of their counts like any other.
 * @param table all words of all parts; `unknown` is added if it is needed
 * @param counted (size of the table), occurrences in the training part
 */
export function chooseClasses(table: NameTable, counted: Float64Array, options: ParsedTextOptions): TextVocabulary {
  const eosWord = options.endOfLine === false ? -1 : table.find(options.endOfLine);
  const literal = table.find(options.unknown);
  const isPlain = (id: number) => id !== eosWord && id !== literal;
  const words = orderByCount(counted, (id) => isPlain(id) && counted[id] >= options.minCount);

  const plain = table.size - (eosWord >= 0 ? 1 : 0) - (literal >= 0 ? 1 : 0);
  const room = (options.maxClasses ?? Infinity) - (eosWord >= 0 ? 1 : 0);
  const needed = literal >= 0 || words.kept.length < plain || words.kept.length > room;
  const places = Math.min(words.kept.length, room - (needed ? 1 : 0));
  const unknownWord = needed && literal < 0 ? table.addString(options.unknown) : literal;

  const counts = new Float64Array(table.size);
  counts.set(counted);
  for (let id = 0; id < counted.length; id++) {
    const rank = words.newId[id];
    if (isPlain(id) && (rank < 0 || rank >= places)) counts[unknownWord] += counted[id];
  }
  const isClass = (id: number) =>
    id === eosWord || id === unknownWord || (words.newId[id] >= 0 && words.newId[id] < places);
  const order = orderByCount(counts, isClass);
  const classAt = (id: number) => (id < 0 ? -1 : order.newId[id]);
  const unknown = classAt(unknownWord);
  const classOf = order.newId.map((id) => (id < 0 ? unknown : id));
  return { kept: order.kept, classOf, counts, eos: classAt(eosWord), unknown };
}
