import { Command, Option } from "commander";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { type ExportFlags, exportRun } from "./export.js";

/** `logq export`. */
export function exportCommand(io: Io): Command {
  return new Command("export")
    .description("Write the tables of a saved run for other programs: float32, rows in id order.")
    .argument("<run>", "a directory made by `logq train`")
    .addOption(
      new Option("--format <name>", "npy: one table; word2vec: one table with names; safetensors: all tables, by name")
        .choices(["npy", "word2vec", "safetensors"])
        .makeOptionMandatory(),
    )
    .requiredOption("--out <file>", "the file; it appears whole or not at all, and replaces an older one")
    .addOption(
      new Option(
        "--table <which>",
        "npy, word2vec: rows of the classes, or embeddings of the inputs (default: classes)",
      ).choices(["classes", "inputs"]),
    )
    .option("--binary", "word2vec: the binary form instead of text")
    .option("--names <file>", "also write the names of the rows, one a line, in id order")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
word2vec ends names at white space: it becomes _ there (names of the other formats stay as they are).

Examples:
  logq export runs/words --format word2vec --binary --out words.bin
  logq export runs/places --format npy --table inputs --out users.npy --names users.txt
${EXIT_CODES_HELP}`,
    )
    .action((run: string, flags: ExportFlags) => exportRun(io, run, flags));
}
