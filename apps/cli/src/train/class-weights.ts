import { readFile } from "node:fs/promises";
import { FileFormatError, MissingFileError, OptionError } from "@logq/core";
import type { Names } from "@logq/datasets";
import { CLASS_WEIGHT_RULES, type ClassWeights, type FrequencyRule } from "@logq/trainers";
import { readNpyVector } from "../base/npy.js";

/**
 * What `--class-weights` says: a rule, with its number after a colon, or a file with a number for each class in id order (`.npy`, a JSON array,
 * or text), or a JSON object of numbers by name, where other classes weigh 1.
 * @throws OptionError, MissingFileError, FileFormatError
 */
export async function readClassWeights(what: string, classes: Names): Promise<ClassWeights> {
  const rule = CLASS_WEIGHT_RULES.find((name) => what === name || what.startsWith(`${name}:`));
  return rule === undefined ? readWeights(what, classes) : readRule(rule, what);
}

function readRule(kind: FrequencyRule["kind"], what: string): FrequencyRule {
  if (what === kind) return { kind };
  const text = what.slice(kind.length + 1);
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) {
    throw new OptionError(`--class-weights ${kind}: takes a number, not "${text}"`, {
      name: "--class-weights",
      value: what,
    });
  }
  return kind === "effective-number" ? { kind, beta: value } : { kind, power: value };
}

async function readWeights(file: string, classes: Names): Promise<ArrayLike<number>> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const known = CLASS_WEIGHT_RULES.join(", ");
    if (cause.code !== "ENOENT") throw cause;
    throw new MissingFileError(`${file} does not exist; --class-weights takes a file or ${known}`, { file }, { cause });
  });
  const values = /\.npy$/i.test(file) ? readNpyVector(file, bytes) : readText(file, bytes.toString("utf8"), classes);
  if (values.length === classes.size) return values;
  throw new FileFormatError(`${file} holds ${values.length} class weights, but there are ${classes.size} classes`, {
    file,
    weights: values.length,
    classes: classes.size,
  });
}

function readText(file: string, text: string, classes: Names): ArrayLike<number> {
  if (/^\s*[[{]/.test(text)) return readJson(file, text, classes);
  return Float64Array.from(
    text.split(/[\s,]+/).filter((word) => word !== ""),
    (word, index) => requireNumber(file, index, word, Number(word)),
  );
}

function readJson(file: string, text: string, classes: Names): ArrayLike<number> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new FileFormatError(`${file} is no JSON: ${(cause as Error).message}`, { file }, { cause });
  }
  if (Array.isArray(parsed))
    return Float64Array.from(parsed, (value, index) => requireNumber(file, index, value, value));
  const weights = new Float64Array(classes.size).fill(1);
  for (const [name, value] of Object.entries(parsed as object)) {
    const id = classes.id(name);
    if (id === undefined) {
      throw new FileFormatError(`${file} weighs "${name}", which is none of the ${classes.size} classes`, {
        file,
        name,
      });
    }
    weights[id] = requireNumber(file, id, value, value);
  }
  return weights;
}

function requireNumber(file: string, index: number, shown: unknown, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new FileFormatError(`${file}: the weight of class ${index} is ${String(shown)}, but must be a number from 0`, {
    file,
    index,
    value: shown,
  });
}
