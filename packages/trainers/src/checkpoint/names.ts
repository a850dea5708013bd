import { writeFile } from "node:fs/promises";
import { ClassIdError, FileFormatError } from "@logq/core";
import { encodeHead, type HeadFormat, type Names, readHead } from "@logq/datasets";

const NAMES_FORMAT: HeadFormat = { magic: "LOGQNAME", version: 1 };

/** Names in a list; ids are found through an index that the first search builds. */
export class ListedNames implements Names {
  readonly #names: readonly string[];
  #index: Map<string, number> | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get size(): number {
    return this.#names.length;
  }

  name(id: number): string {
    const name = this.#names[id];
    if (name === undefined) throw new ClassIdError(`id ${id} lies outside [0, ${this.size})`, { id, n: this.size });
    return name;
  }

  id(name: string): number | undefined {
    this.#index ??= new Map(this.#names.map((known, id) => [known, id]));
    return this.#index.get(name);
  }
}

export async function writeNames(file: string, names: Names): Promise<void> {
  const list = Array.from({ length: names.size }, (_, id) => names.name(id));
  await writeFile(file, encodeHead(NAMES_FORMAT, list));
}

/** @throws MissingFileError, FileFormatError */
export async function readNames(file: string, size: number): Promise<ListedNames> {
  const list = await readHead(NAMES_FORMAT, file);
  if (!Array.isArray(list) || list.length !== size) {
    const length = Array.isArray(list) ? list.length : undefined;
    throw new FileFormatError(`${file} should hold ${size} names, but holds ${length}`, { file, size, length });
  }
  return new ListedNames(list as string[]);
}
