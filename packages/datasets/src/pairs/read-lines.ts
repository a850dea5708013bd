import { readLines } from "../reading/lines.js";
import type { ProgressMeter } from "../reading/progress.js";
import type { Source } from "../reading/source.js";
import { forEachWord, lineError } from "../reading/span.js";
import type { Interactions } from "./interactions.js";

/** Reads `user item item …` lines. A user without items is known, with nothing chosen. Empty lines are passed over. */
export async function readAdjacency(source: Source, meter: ProgressMeter, into: Interactions): Promise<void> {
  await readLines(source, meter, (bytes, start, end) => {
    let user = -1;
    forEachWord({ bytes, start, end }, (word, from, to) => {
      if (user < 0) user = into.users.add(word, from, to);
      else into.add(user, into.items.add(word, from, to));
    });
  });
}

/** Reads `user item` lines. Empty lines are passed over. */
export async function readPairs(source: Source, meter: ProgressMeter, into: Interactions): Promise<void> {
  const words = new Int32Array(4);
  await readLines(source, meter, (bytes, start, end, line) => {
    let count = 0;
    forEachWord({ bytes, start, end }, (_, from, to) => {
      if (count < 2) {
        words[2 * count] = from;
        words[2 * count + 1] = to;
      }
      count++;
    });
    if (count === 0) return;
    if (count !== 2) {
      throw lineError(source.file, line, { bytes, start, end }, `${count} words instead of a user and an item`);
    }
    into.add(into.users.add(bytes, words[0], words[1]), into.items.add(bytes, words[2], words[3]));
  });
}
