import { OptionError } from "@logq/core";
import type { SamplerOptions } from "@logq/trainers";

/**
 * A sampler's own options as they stand on the command line: name=value, and a.b=value for a part b of a. What looks like a number, yes, no or none
 * is one; all else is text. Which options there are is the sampler's to say.
 * @throws OptionError for what has no name, or names a part of a value
 */
export function readSamplerOptions(words: readonly string[]): SamplerOptions {
  const options: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    if (at < 1) {
      throw new OptionError(`--sampler-option takes name=value, not ${word}`, {
        name: "--sampler-option",
        value: word,
      });
    }
    const path = word.slice(0, at).split(".");
    put(options, path, readValue(word.slice(at + 1)), word);
  }
  return options;
}

function put(into: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown, word: string): void {
  if (first === undefined || first === "" || first === "__proto__") {
    throw new OptionError(`--sampler-option ${word}: an option has a name`, { name: "--sampler-option", value: word });
  }
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  into[first] ??= {};
  const inner = into[first];
  if (typeof inner !== "object" || inner === null) {
    throw new OptionError(`--sampler-option ${word}: ${first} has a value of its own`, {
      name: "--sampler-option",
      value: word,
    });
  }
  put(inner as Record<string, unknown>, rest, value, word);
}

function readValue(text: string): unknown {
  if (text === "yes" || text === "true") return true;
  if (text === "no" || text === "false") return false;
  if (text === "none") return null;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
