import { biome } from "./biome.mjs";

/** Formats, sorts imports and applies the linter's safe fixes; what cannot be fixed is printed and fails. */
export async function format(args) {
  return biome(["check", "--write", ...args], (line) => process.stdout.write(`${line}\n`));
}
