import { resolve } from "node:path";
import { OptionError } from "@logq/core";
import { lossNameOf, type RunHead, readRun, type TableChoice, usualTable } from "@logq/trainers";
import { requireRun } from "../base/directories.js";
import { bytes, columns, counted } from "../base/format.js";
import { checkInterrupted, interruptible } from "../base/interrupt.js";
import { type Io, note, printResult } from "../base/io.js";
import { createProgress, RateText } from "../base/progress.js";
import { gathered } from "./chunks.js";
import { npyChunks } from "./npy.js";
import { safetensorsChunks } from "./safetensors.js";
import { allShapes, readAllTables, readTable, rowNames } from "./tables.js";
import { word2vecBinary, word2vecName, word2vecText } from "./word2vec.js";
import { requireFilePlace, writeFileAtomically } from "./write-file.js";

export interface ExportFlags {
  readonly format: "npy" | "word2vec" | "safetensors";
  readonly out: string;
  readonly table?: TableChoice;
  readonly binary?: boolean;
  readonly names?: string;
  readonly json?: boolean;
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
type Shapes = readonly { readonly name: string; readonly shape: readonly number[] }[];

/** What will be written, and about how long it is. */
interface Content {
  readonly chunks: Chunks;
  readonly tables: Shapes;
  readonly bytes: number;
}

/** `logq export`: tables of a saved run for other programs. */
export async function exportRun(io: Io, directory: string, flags: ExportFlags): Promise<void> {
  requireFlags(flags);
  const run = await requireRun(directory);
  const out = resolve(flags.out);
  const names = flags.names === undefined ? undefined : resolve(flags.names);
  for (const place of [out, ...(names === undefined ? [] : [names])]) await requireFilePlace(place);
  const head = await readRun(run);
  const answer = await interruptible(io, "stopping; nothing is kept", async (signal) => {
    const content = await contentOf(io, run, head, flags);
    const written = await writeContent(io, out, content, signal);
    if (names !== undefined)
      await writeFileAtomically(names, await nameLines(run, head, flags.table ?? usualTable(head)), () => {});
    return {
      run,
      format: flags.format,
      out,
      ...(names === undefined ? {} : { names }),
      bytes: written,
      tables: content.tables,
    };
  });
  printResult(io, flags.json, answer, () =>
    columns([
      ["file", `${out} (${flags.format}, ${bytes(answer.bytes)})`],
      ...(names === undefined ? [] : [["names", names] as const]),
      ...answer.tables.map(({ name, shape }) => [name, `(${shape.join(", ")}) float32`] as const),
    ]),
  );
}

function requireFlags({ format, binary, table, out, names }: ExportFlags): void {
  if (binary === true && format !== "word2vec") {
    throw new OptionError(`--binary is a form of word2vec; ${format} is always binary`, { format });
  }
  if (table !== undefined && format === "safetensors") {
    throw new OptionError("--table chooses one table, but safetensors holds all of them", { format, table });
  }
  if (names !== undefined && resolve(names) === resolve(out)) {
    throw new OptionError(`--names and --out are both ${resolve(out)}`, { names, out });
  }
}

async function writeContent(io: Io, out: string, content: Content, signal: AbortSignal): Promise<number> {
  const progress = createProgress(io.stderr, "writing");
  const rate = new RateText("bytes");
  try {
    return await writeFileAtomically(out, content.chunks, (done) => {
      checkInterrupted(signal);
      const total = Math.max(done, content.bytes);
      progress.update(done / total, rate.text(done, total));
    });
  } finally {
    progress.end();
  }
}

async function contentOf(io: Io, run: string, head: RunHead, flags: ExportFlags): Promise<Content> {
  if (flags.format === "safetensors") {
    const tables = allShapes(head);
    const metadata = { producer: "logq", loss: lossNameOf(head.options), encoder: head.options.encoder };
    return {
      chunks: safetensorsChunks(tables, readAllTables(run, head), metadata),
      tables,
      bytes: 4 * elements(tables),
    };
  }
  const which = flags.table ?? usualTable(head);
  const table = await readTable(run, head, which);
  const tables = [{ name: table.name, shape: table.shape }];
  const size = 4 * elements(tables);
  if (flags.format === "npy") return { chunks: npyChunks(table), tables, bytes: size };
  const name = await rowNames(run, head, which);
  noteAboutNames(io, name, table.shape[0]!);
  // A number is some 12 characters of text and 4 bytes in binary.
  if (flags.binary === true)
    return { chunks: word2vecBinary(table, (id) => word2vecName(name(id))), tables, bytes: size };
  return { chunks: word2vecText(table, (id) => word2vecName(name(id))), tables, bytes: 3 * size };
}

function elements(tables: Shapes): number {
  return tables.reduce((sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1), 0);
}

function noteAboutNames(io: Io, name: (id: number) => string, rows: number): void {
  let changed = 0;
  for (let id = 0; id < rows; id++) if (word2vecName(name(id)) !== name(id)) changed++;
  if (changed === 0) return;
  note(io, `note: word2vec ends names at white space: _ stands for it in ${counted(changed, "name")}`);
}

/** One name a line, in id order; a line break inside a name becomes a space. */
async function nameLines(run: string, head: RunHead, which: "classes" | "inputs"): Promise<Chunks> {
  const name = await rowNames(run, head, which);
  const rows = which === "classes" ? head.shape.classes : head.shape.encoder.vocabulary;
  return gathered(lines());

  function* lines(): Generator<string> {
    for (let id = 0; id < rows; id++) yield `${name(id).replaceAll(/[\r\n]+/g, " ")}\n`;
  }
}
