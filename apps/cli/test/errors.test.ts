import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cli, logq, names, remove, sampleAdjacency, sampleText, temporaryFolder, write } from "./support.js";

let folder: string;
let before: string[];

beforeAll(async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `word${i}`).join(" ");
  const files = { "text.txt": sampleText(20), "many.txt": many, "pairs.txt": sampleAdjacency(10), "bad.xmlc": "1 2" };
  const weights = {
    "few.json": "[1, 2]",
    "below.json": "[1, -1]",
    "names.json": '{"nobody": 2}',
    "bad.npy": "no array",
  };
  folder = await write(await temporaryFolder(), { ...files, ...weights });
  await write(folder, { other: "something else" });
  const made = [
    "prepare text --train text.txt --out text",
    "prepare text --train many.txt --out many",
    "prepare pairs --train pairs.txt --format adjacency --out pairs",
    "train text --max-steps 1 --workers 1 --out run",
    "train pairs --max-steps 1 --workers 1 --out pairs-run",
  ];
  for (const line of made) expect(await here(line), line).toMatchObject({ code: 0 });
  before = await names(folder);
}, 60_000);
afterAll(() => remove(folder));

/** Runs a line whose words that name something in the folder become absolute paths. */
function here(line: string) {
  const path = /^(text|many|pairs|run|pairs-run|out|missing|other)$|^(other|text)\/x$|\.(txt|xmlc|npy|gz|json)$/;
  const words = line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ""));
  const isKind = (i: number) => words[0] === "prepare" && i === 1;
  return cli(words.map((word, i) => (!isKind(i) && path.test(word) ? join(folder, word) : word)));
}

/** A wrong command line and what is said about it. */
const WRONG: readonly (readonly [string, RegExp])[] = [
  // the command line
  ["trian text --out out", /^unknown command 'trian' \(Did you mean train\?\)$/],
  ["train text --out out --dmi 8", /^unknown option '--dmi' \(Did you mean --dim\?\)$/],
  ["train text", /^required option '--out <directory>' not specified$/],
  ["train --out out", /^missing required argument 'dataset'$/],
  ["train text more --out out", /too many arguments/],
  // samplers and losses
  [
    "train text --out out --sampler midx --candidates shared",
    /^the sampler midx looks at a row's hidden vector: it draws for each row$/,
  ],
  [
    "train text --out out --sampler in-batch --candidates row",
    /^the sampler in-batch draws for the batch, not for each row$/,
  ],
  ["train text --out out --sampler midx --sampler-option codes=many", /codes/],
  ["train text --out out --sampler midx --sampler-option speed=9", /speed/],
  [
    "train text --out out --sampler random-features --sampler-option tableType=int8",
    /^tableType must be .*float32.*bfloat16.*int8/,
  ],
  ["train text --out out --sampler mixed --sampler-option frequency.kind=guess", /guess/],
  ["train text --out out --sampler unigram --sampler-option batches=2", /batches/],
  ["train text --out out --sampler-option batches", /^--sampler-option takes name=value, not batches$/],
  ["train text --out out --products int8", /float32, bfloat16/],
  ["train text --out out --products bfloat16 --backend wasm", /^products in bfloat16 need the back-end native/],
  ["train text --out out --products bfloat16 --candidates row", /dot products/],
  ["train text --out out --loss gbce --calibration 2", /calibration/],
  ["train text --out out --loss margin --class-bias zero", /cosines/],
  ["train text --out out --loss nce --margin 0.3", /margin/],
  ["train text --out out --temperature -1", /^--temperature must be a number above 0, not -1$/],
  ["train text --out out --temperature NaN", /"NaN" is not a number\.$/],
  ["train text --out out --soft-cap 0", /"0" is not above 0\.$/],
  ["train text --out out --soft-cap -2", /"-2" is not above 0\.$/],
  [
    "train text --out out --loss nce --soft-cap 30",
    /^--soft-cap is an option of full-softmax, sampled-softmax, not of nce$/,
  ],
  [
    "train text --out out --loss full-softmax --soft-cap 30 --label-smoothing 0.1",
    /^--soft-cap and --label-smoothing cannot be combined/,
  ],
  ["train text --out out --learn-temperature", /^--learn-temperature needs --normalize: /],
  ["train text --out out --loss margin --learn-temperature", /^--learn-temperature cannot be combined with margin: /],
  [
    "train text --out out --loss nce --class-weights inverse-frequency",
    /^nce is no softmax: it takes no --class-weights$/,
  ],
  ["train text --out out --class-weights inverse-frequency:x", /takes a number, not "x"$/],
  ["train text --out out --class-weights effective-number:1", /^beta of --class-weights must be a number in \[0, /],
  ["train text --out out --class-weights missing", /missing does not exist; --class-weights takes a file or inverse-/],
  [
    "train text --out out --class-weights text.txt",
    /text\.txt: the weight of class 0 is \S+, but must be a number from 0$/,
  ],
  ["train text --out out --class-weights few.json", /few\.json holds 2 class weights, but there are 21 classes$/],
  [
    "train text --out out --class-weights below.json",
    /below\.json: the weight of class 1 is -1, but must be a number from 0$/,
  ],
  ["train text --out out --class-weights names.json", /names\.json weighs "nobody", which is none of the 21 classes$/],
  ["train text --out out --class-weights bad.npy", /bad\.npy is no \.npy file$/],
  [
    "train text --out out --loss one-vs-all --propensity 0.5",
    /It takes two numbers A,B such as 0\.55,1\.5, not "0\.5"\.$/,
  ],
  ["train text --out out --loss one-vs-all --propensity 0,1", /^propensity A must be a number above 0, not 0$/],
  ["train text --out out --loss one-vs-all --propensity 0.5,-1", /^propensity B must be a number above 0, not -1$/],
  [
    "train text --out out --propensity 0.5,1",
    /^--propensity is an option of one-vs-all, sampled-one-vs-all, not of sampled-softmax$/,
  ],
  // inputs
  ["prepare text --train missing.txt --out out", /missing\.txt does not exist/],
  ["prepare text --train /dev/null --out out", /^\/dev\/null: no word to train on$/],
  ["prepare labels --train bad.xmlc --format xmlc --out out", /bad\.xmlc/],
  [
    "prepare pairs --train text.txt --format csv --user-column u --item-column i --out out",
    /text\.txt has no column "u"/,
  ],
  ["train missing --out out", /missing does not exist: there is no dataset in it$/],
  ["train run --out out", /run is not a prepared dataset: it is a trained run$/],
  ["evaluate text", /text is not a trained run: it is a dataset$/],
  ["evaluate run --split test", /^the dataset has no test part$/],
  ["evaluate run --split train --metrics recall@20,bleu", /^there is no metric "bleu"/],
  ["evaluate run --split train --metrics recall@999", /^recall@999 looks at more classes than the 21 there are$/],
  ["evaluate run --data pairs --split train", /^the run was trained on text data, not on pairs data$/],
  // options of prepare
  ["prepare text --train text.txt --format tsv --out out", /^--text-column is missing: the format tsv needs it$/],
  ["prepare text --train text.txt --split 0.9,0.2,0.1 --out out", /are not three numbers from 0 that add up to 1/],
  ["prepare text --train text.txt --split leave-one-out --out out", /^--split leave-one-out needs users/],
  ["prepare text --train text.txt --validation-ratio 1 --out out", /^--validation-ratio is 1: /],
  ["prepare text --train text.txt --min-count 0 --out out", /^--min-count is 0: /],
  [
    "prepare pairs --train pairs.txt --format pears --out out",
    /Allowed choices are adjacency, pairs, csv, tsv, parquet/,
  ],
  [
    "prepare pairs --train pairs.txt --format adjacency --user-column u --out out",
    /^--user-column is u, but the format/,
  ],
  // options of train
  ["train text --negatives 22 --replacement no --out out", /^22 distinct candidates cannot be drawn: 21 of 21 classes/],
  ["train many --dim 65536 --lanes 1 --out out", /^class table: a lane takes \d+(\.\d+)? GB/],
  ["train text --dim 0 --out out", /^--dim must be an integer in \[1, 65536\], not 0$/],
  ["train text --batch 0 --out out", /^--batch must be an integer in \[1, \d+\], not 0$/],
  ["train text --negatives 0 --out out", /^--negatives must be an integer in \[1, \d+\], not 0$/],
  ["train text --lr 0 --out out", /^--lr must be a number above 0, not 0$/],
  ["train text --lr NaN --out out", /'NaN' is invalid\. "NaN" is not a number\.$/],
  ["train text --temperature 0 --out out", /^--temperature must be a number above 0, not 0$/],
  ["train text --epochs 0 --out out", /"0" is not above 0\.$/],
  ["train text --dim 1.5 --out out", /"1\.5" is not a whole number\.$/],
  ["train text --lanes 3 --out out", /"3" is not a power of two\.$/],
  ["train text --workers 0 --out out", /"0" is not above 0\.$/],
  ["train text --replacement maybe --out out", /It is yes or no, not "maybe"\.$/],
  ["train text --loss full-softmax --negatives 5 --out out", /^full-softmax looks at every class: it takes neither/],
  ["train text --loss nce --label-smoothing 0.1 --out out", /^nce takes no --label-smoothing: /],
  ["train text --encoder user --out out", /^text data take the encoder window, not user$/],
  ["train text --validation-metrics mrr --out out", /^there is no metric "mrr"/],
  // places
  ["train text --out other", /other is not a directory that can be read \(ENOTDIR\)$/],
  ["train text --out other/x", /other\/x is not a directory that can be read \(ENOTDIR\)$/],
  ["train text --out pairs", /pairs holds other things than a run; it is left as it is$/],
  ["train text --out text/x", /and the input .* may not lie in one another$/],
  ["prepare text --train text.txt --out run", /run holds other things than a dataset; it is left as it is$/],
  ["export run --format npy --out text", /text is not a file; it is left as it is$/],
  ["export run --format npy --out other/x", /other is not a directory; nothing can be written in it$/],
  // questions
  ["recommend run --user 3", /^a model with the encoder window takes --words, not --user$/],
  ["recommend pairs-run", /^a model with the encoder user takes --user, not nothing$/],
  ["recommend pairs-run --user nobody", /^there is no user "nobody" among the 10 of this model$/],
  ["recommend pairs-run --user user1 --k 0", /"0" is not above 0\.$/],
  ["neighbours run --class nothing", /^there is no class "nothing" among the 21 of this model$/],
  ["neighbours run --class-id 21", /^21 is no id of the classes; they lie in \[0, 21\)$/],
  ["neighbours run", /^give one of --class NAME and --class-id ID$/],
  ["export run --format safetensors --table inputs --out out", /^--table chooses one table, but safetensors/],
  ["export run --format npy --binary --out out", /^--binary is a form of word2vec/],
];

describe("what is wrong is said in one line with the values, answered with 2, and nothing is written", () => {
  it.each(WRONG)("logq %s", async (line, message) => {
    const { code, stdout, stderr } = await here(line);
    const last = stderr.trimEnd().split("\n").at(-1)!;
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(last.startsWith("logq: ")).toBe(true);
    expect(last.slice("logq: ".length)).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(await names(folder)).toEqual(before);
  });

  it("also as a process: nothing on stdout, no stack trace, unless LOGQ_DEBUG is set", async () => {
    const { code, stdout, stderr } = await logq(folder, ["evaluate", "missing", "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`logq: ${join(folder, "missing")} does not exist: there is no run in it\n`);
    const debug = await logq(folder, ["evaluate", "missing"], undefined, { LOGQ_DEBUG: "1" });
    expect(debug.stderr).toMatch(/^logq: .*\nMissingFileError: .*\n +at /);
  });
}, 60_000);
