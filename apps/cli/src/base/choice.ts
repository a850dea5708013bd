import { Option } from "commander";

/**
 * An option whose value is one of `names`.
 * @param usual what is taken if it is not given, in words; the option itself then has no value
 */
export function choice(flags: string, description: string, names: readonly string[], usual?: string): Option {
  const option = new Option(flags, description).choices(names);
  return usual === undefined ? option : option.default(undefined, usual);
}

/** What the help says of an option: its choices, then its default. */
export function describeOption(option: Option): string {
  const { argChoices, description, defaultValue, defaultValueDescription } = option;
  const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
  const usual =
    defaultValueDescription ?? (option.isBoolean() || defaultValue === undefined ? undefined : String(defaultValue));
  return `${description}${choices}${usual === undefined ? "" : ` (default: ${usual})`}`;
}
