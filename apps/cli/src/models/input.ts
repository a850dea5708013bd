import { OptionError } from "@logq/core";
import type { Model, ModelInput, RunHead } from "@logq/trainers";
import { count } from "../base/format.js";
import { knownItems, openPairs } from "./data.js";

/** What a recommendation is for; exactly one of them is given. */
export interface InputFlags {
  readonly user?: string;
  readonly items?: string;
  readonly words?: string;
  readonly features?: string;
  readonly keepSeen?: boolean;
  readonly data?: string;
}

/** An input as a model takes it, the classes it has seen, and what a user should know about it. */
export interface ReadInput {
  readonly input: ModelInput;
  readonly exclude: readonly number[];
  readonly notes: readonly string[];
}

const FORMS = ["user", "items", "words", "features"] as const;

/** Which forms a model with an encoder takes. */
const TAKES: Readonly<Record<RunHead["options"]["encoder"], readonly (typeof FORMS)[number][]>> = {
  user: ["user"],
  history: ["items", "user"],
  window: ["words"],
  features: ["features", "words"],
  context: [],
};

/** Checks the flags against the model before it is loaded. @throws OptionError */
export function requireInputFlags(head: RunHead, flags: InputFlags): (typeof FORMS)[number] {
  const { encoder } = head.options;
  const given = FORMS.filter((form) => flags[form] !== undefined);
  const wanted = TAKES[encoder].map((form) => `--${form}`).join(" or ");
  if (given.length !== 1 || !TAKES[encoder].includes(given[0]!)) {
    const found = given.length === 0 ? "nothing" : given.map((form) => `--${form}`).join(" and ");
    throw new OptionError(`a model with the encoder ${encoder} takes ${wanted}, not ${found}`, { encoder, given });
  }
  return given[0]!;
}

/** Reads the one input that the flags name. @throws OptionError for unknown names */
export async function readInput(head: RunHead, model: Model, run: string, flags: InputFlags): Promise<ReadInput> {
  const form = requireInputFlags(head, flags);
  const text = flags[form]!;
  switch (form) {
    case "user":
      return readUser(head, model, run, text, flags);
    case "items":
      return readItems(model, text, flags.keepSeen === true);
    case "words":
      return head.options.encoder === "features" ? readBagOfWords(model, text) : readWords(head, model, text);
    case "features":
      return { input: { features: parseFeatures(text) }, exclude: [], notes: [] };
  }
}

async function readUser(head: RunHead, model: Model, run: string, name: string, flags: InputFlags): Promise<ReadInput> {
  const byRow = head.options.encoder === "user";
  if (byRow && model.inputs.id(name) === undefined) throw noUser(name, model.inputs.size);
  if (byRow && flags.keepSeen === true) return { input: { user: name }, exclude: [], notes: [] };
  const dataset = await openPairs(head, run, flags.data);
  const user = dataset.users.id(name);
  if (user === undefined) throw noUser(name, dataset.users.size);
  const items = knownItems(dataset, user);
  return {
    input: byRow ? { user: name } : { items },
    exclude: flags.keepSeen === true ? [] : [...new Set(items)],
    notes: [],
  };
}

function readItems(model: Model, text: string, keepSeen: boolean): ReadInput {
  const items = text.split(",").map((name) => {
    const id = model.classes.id(name.trim());
    if (id === undefined) {
      throw new OptionError(`there is no item "${name.trim()}" among the ${count(model.classes.size)} of this model`, {
        name,
      });
    }
    return id;
  });
  return { input: { items }, exclude: keepSeen ? [] : [...new Set(items)], notes: [] };
}

function readWords(head: RunHead, model: Model, text: string): ReadInput {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const unknown = words.filter((word) => model.inputs.id(word) === undefined);
  const notes = unknown.length > 0 && head.unknown >= 0 ? [`note: unknown words: ${unknown.join(", ")}`] : [];
  return { input: { words }, exclude: [], notes };
}

/** The words of a row as features, each with how often it stands there; unknown ones are left out as in training. */
function readBagOfWords(model: Model, text: string): ReadInput {
  const counts = new Map<string, number>();
  for (const word of text.split(/\s+/)) if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
  const known = [...counts].filter(([word]) => model.inputs.id(word) !== undefined);
  const unknown = [...counts.keys()].filter((word) => model.inputs.id(word) === undefined);
  if (known.length === 0) {
    throw new OptionError(`none of the words "${text}" is among the ${count(model.inputs.size)} known`, {
      words: text,
    });
  }
  const notes = unknown.length > 0 ? [`note: unknown words are left out: ${unknown.join(", ")}`] : [];
  return { input: { features: known }, exclude: [], notes };
}

/** Reads a:1,b:2; a feature without a weight has 1. */
export function parseFeatures(text: string): [string, number][] {
  return text.split(",").map((part) => {
    const at = part.lastIndexOf(":");
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    const weight = at < 0 ? 1 : Number(part.slice(at + 1));
    if (name === "" || !Number.isFinite(weight) || part.slice(at + 1).trim() === "") {
      throw new OptionError(`--features is a list such as a:1,b:2; "${part}" is no name and weight`, { part });
    }
    return [name, weight];
  });
}

function noUser(name: string, users: number): OptionError {
  return new OptionError(`there is no user "${name}" among the ${count(users)} of this model`, { name, users });
}
