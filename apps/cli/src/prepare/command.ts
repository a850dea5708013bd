import { prepareLabels, preparePairs, prepareText } from "@logq/datasets";
import { Command } from "commander";
import { choice } from "../base/choice.js";
import { EXIT_CODES_HELP } from "../base/exit-codes.js";
import type { Io } from "../base/io.js";
import { collect, column, integer, number, seed } from "../base/values.js";
import { type LabelsFlags, type PairsFlags, type TextFlags, USUAL_SHARES } from "./flags.js";
import { labelsOptions, pairsOptions, textOptions } from "./options.js";
import { prepare } from "./prepare.js";
import { parseSplit } from "./split.js";

const PAIRS_FORMATS = ["adjacency", "pairs", "csv", "tsv", "parquet"];

/** `logq prepare text|pairs|labels`. */
export function prepareCommand(io: Io): Command {
  const command = new Command("prepare").description(
    "Turn files into a dataset: number the classes by frequency, cut the parts, keep it all as raw arrays.",
  );
  command.addCommand(textCommand(io));
  command.addCommand(pairsCommand(io));
  command.addCommand(labelsCommand(io));
  return command;
}

function textCommand(io: Io): Command {
  const command = new Command("text").description(
    "Running text: each word is a class, <eos> ends a line, words outside the vocabulary are <unk>.",
  );
  fileFlags(command)
    .optionsGroup("Format:")
    .addOption(choice("--format <name>", "the whole line is text, or one column is", ["lines", "tsv"], "lines"))
    .option("--text-column <N>", "column of a tsv, from 0", integer)
    .optionsGroup("Vocabulary:")
    .option("--min-count <N>", "words seen less often become <unk> (default: 1)", integer)
    .option("--max-classes <N>", "most classes; the rarest words give way", integer)
    .option("--lowercase", "fold to lower case")
    .option("--unknown <word>", "name of the class of unknown words (default: <unk>)")
    .option("--end-of-line <word>", "name of the class that ends a line (default: <eos>)")
    .option("--no-end-of-line", "lines run into one another");
  return partFlags(command, "text")
    .addHelpText(
      "after",
      `
Example:
  logq prepare text --train train.txt.gz --validation valid.txt --test test.txt --out data/wikitext2
${EXIT_CODES_HELP}`,
    )
    .action((flags: TextFlags) => prepare(io, flags, textOptions(flags), prepareText));
}

function pairsCommand(io: Io): Command {
  const command = new Command("pairs").description("Who chose what: items are classes, kept by user in order of time.");
  fileFlags(command)
    .optionsGroup("Format:")
    .addOption(choice("--format <name>", "see below", PAIRS_FORMATS).makeOptionMandatory())
    .option("--user-column <column>", "by name in the head line, or by position from 0 without one", column)
    .option("--item-column <column>", "the same for items", column)
    .option("--time-column <column>", "orders each user's items (default: the order of the file)", column)
    .optionsGroup("Vocabulary:")
    .option("--min-count <N>", "items seen less often in the training part are left out (default: 0)", integer);
  return partFlags(command, "pairs")
    .addHelpText(
      "after",
      `
Formats:
  adjacency  a line is \`user item item …\`
  pairs      a line is \`user item\`
  csv, tsv   a line is a record; --user-column and --item-column say where they stand
  parquet    the same, columns by name

Examples:
  logq prepare pairs --train train.txt --test test.txt --format adjacency --validation-ratio 0.1 --out data/gowalla
  logq prepare pairs --train ratings.csv --format csv --user-column user --item-column movie --time-column when \\
    --split leave-one-out --out data/movies
${EXIT_CODES_HELP}`,
    )
    .action((flags: PairsFlags) => prepare(io, flags, pairsOptions(flags), preparePairs));
}

function labelsCommand(io: Io): Command {
  const command = new Command("labels").description(
    "Rows of sparse features with labels: labels are classes, any number of them a row.",
  );
  fileFlags(command)
    .optionsGroup("Format:")
    .addOption(choice("--format <name>", "see below", ["xmlc", "tsv"]).makeOptionMandatory())
    .option("--text-column <N>", "tsv: column of the words, from 0", integer)
    .option("--label-column <N>", "tsv: column of the label, from 0", integer)
    .option("--lowercase", "tsv: fold words to lower case")
    .optionsGroup("Vocabulary:")
    .option("--min-count <N>", "labels of fewer training rows are left out (default: 0)", integer)
    .option("--min-feature-count <N>", "tsv: words seen less often are left out of the rows (default: 1)", integer);
  return partFlags(command, "labels")
    .addHelpText(
      "after",
      `
Formats:
  xmlc  a head line \`rows features labels\`, then a line is \`label,label feature:value feature:value …\`
  tsv   the words of one column are the features, another column is the label

Example:
  logq prepare labels --train titles.tsv.gz --format tsv --text-column 2 --label-column 1 --split 0.98,0.01,0.01 \\
    --min-count 2 --out data/titles
${EXIT_CODES_HELP}`,
    )
    .action((flags: LabelsFlags) => prepare(io, flags, labelsOptions(flags), prepareLabels));
}

function fileFlags(command: Command): Command {
  return command
    .optionsGroup("Files (.gz is unpacked; each may be given several times):")
    .requiredOption("--train <file>", "training part", collect)
    .option("--validation <file>", "validation part", collect)
    .option("--test <file>", "test part", collect);
}

function partFlags(command: Command, kind: keyof typeof USUAL_SHARES): Command {
  const { validation, test } = USUAL_SHARES[kind];
  const train = Number((1 - validation - test).toFixed(2));
  const leaveOneOut = kind === "pairs" ? "; leave-one-out: a user's last item is test, the one before validation" : "";
  return command
    .optionsGroup("Parts cut from the training files:")
    .option(
      "--split <how>",
      `shares of train, validation and test such as 0.98,0.01,0.01; ratio: ${train},${validation},${test} ` +
        `for the parts that have no file${leaveOneOut}`,
      parseSplit,
    )
    .option("--validation-ratio <x>", "share held out for validation, in [0, 1)", number)
    .option("--test-ratio <x>", "share held out for test, in [0, 1)", number)
    .option("--seed <seed>", "chooses what is held out (default: 0)", seed)
    .optionsGroup("Output:")
    .requiredOption("--out <directory>", "the dataset; an older dataset there is replaced")
    .option("--json", "print the summary as one JSON object");
}
