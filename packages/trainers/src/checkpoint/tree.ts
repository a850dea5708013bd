import { join } from "node:path";
import { FileFormatError, LogqError } from "@logq/core";
import { readArrayFile, writeArrayFile } from "@logq/datasets";
import type { ClassTree } from "@logq/losses";
import { treeOfChildren } from "../model/tree.js";

const TREE_FILE = "tree.i32";

/** Writes the tree of a hierarchical softmax, its children as in ClassTree; answers the file's name, or null: the model has none. */
export async function writeTree(tree: ClassTree | undefined, directory: string): Promise<string | null> {
  if (tree === undefined) return null;
  await writeArrayFile(join(directory, TREE_FILE), tree.children);
  return TREE_FILE;
}

/** @throws MissingFileError, FileFormatError */
export async function readTree(directory: string, name: string, classes: number): Promise<ClassTree> {
  const file = join(directory, name);
  const children = await readArrayFile(file, "int32", 2 * (classes - 1));
  try {
    return treeOfChildren(classes, children);
  } catch (cause) {
    if (!(cause instanceof LogqError)) throw cause;
    throw new FileFormatError(
      `${file} holds no tree of ${classes} classes: ${cause.message}`,
      { file, classes },
      { cause },
    );
  }
}
