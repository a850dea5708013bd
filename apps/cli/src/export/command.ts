import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { type ExportFlags, exportRun } from "./export.js";

/** `logq export`. */
export function exportCommand(io: Io): Command {
  return new Command("export")
    .description("Write the tables of a saved run for other programs: float32, rows in id order.")
    .argument("<run>", "a directory made by `logq train`")
    .addOption(choice("--format <name>", "see below", ["npy", "word2vec", "safetensors"]).makeOptionMandatory())
    .requiredOption("--out <file>", "the file; it appears whole or not at all, and replaces an older one")
    .addOption(
      choice(
        "--table <which>",
        "npy, word2vec: class rows, or embeddings of inputs",
        ["classes", "inputs"],
        "classes; of a run by recipe inputs, its word vectors",
      ),
    )
    .option("--binary", "word2vec: the binary form instead of text")
    .option("--names <file>", "also write the names of the rows, one a line, in id order")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Formats:
  npy          one table for numpy.load, without names (--names writes them beside it)
  word2vec     one table with names, as gensim and others read it; white space in a name becomes _
  safetensors  all tables: classes (n, D), class-bias (n), encoder.embedding (unless tied) and the encoder's layers

Examples:
  logq export runs/vectors --format word2vec --out vectors.txt
  logq export runs/words --format word2vec --binary --out words.bin
  logq export runs/places --format npy --table inputs --out users.npy --names users.txt
${EXIT_CODES_HELP}`,
    )
    .action((run: string, flags: ExportFlags) => exportRun(io, run, flags));
}
