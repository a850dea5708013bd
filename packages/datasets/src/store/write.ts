import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AnyArray, type ArrayType, writeArrayFile } from "../files/array-file.js";
import { writeDirectoryAtomically } from "../files/directory.js";
import { encodeHead } from "../files/head.js";
import { DATASET_FORMAT, type DatasetHead, type DatasetSummary, HEAD_FILE, hasDataset, summaryOf } from "./format.js";

/** An array to store: its name in the table of contents, and its elements whole or in pieces. */
export interface NamedArray {
  readonly name: string;
  readonly type: ArrayType;
  readonly data: AnyArray | Iterable<AnyArray>;
}

/**
 * Writes a dataset directory, all of it or nothing.
 * @param arrays written and forgotten one by one
 * @throws OptionError if `directory` holds something other than a dataset
 */
export async function writeDataset(
  directory: string,
  head: Omit<DatasetHead, "arrays">,
  arrays: Iterable<NamedArray>,
): Promise<DatasetSummary> {
  return writeDirectoryAtomically(
    directory,
    async (temporary) => {
      const table: DatasetHead["arrays"] = [];
      for (const { name, type, data } of arrays) {
        const file = `${name}.${type}`;
        const length = await writeArrayFile(join(temporary, file), data);
        table.push({ name, type, length, file });
      }
      const whole = { ...head, arrays: table };
      await writeFile(join(temporary, HEAD_FILE), encodeHead(DATASET_FORMAT, whole), { flush: true });
      return summaryOf(whole);
    },
    { what: "dataset", isOurs: hasDataset },
  );
}
