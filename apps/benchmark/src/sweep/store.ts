import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { FileFormatError, OptionError } from "@logq/core";
import { conclude } from "../analysis/conclusion.js";
import { type Machine, machineChanges } from "../machine.js";
import type { Cell, CellResult } from "../measure/types.js";
import { cellKey, compareCells } from "./cells.js";
import { type Results, resultsSchema } from "./results.js";
import { FORMAT, type Settings, settingsChanges } from "./settings.js";

/** The file of a sweep inside its folder. */
export const RESULTS_FILE = "results.json";

/**
 * The cells measured so far, on disk after every one of them: results.json is at any moment a complete, valid file, so a sweep that is
 * interrupted, killed or out of power resumes from it.
 */
export class ResultsStore {
  /** What happened to the results found in the folder, for people; empty if there were none. */
  readonly notes: readonly string[];
  readonly #file: string;
  readonly #settings: Settings;
  readonly #cells: Map<string, CellResult>;
  #machine: Machine;

  private constructor(
    file: string,
    machine: Machine,
    settings: Settings,
    cells: readonly CellResult[],
    notes: string[],
  ) {
    this.#file = file;
    this.#machine = machine;
    this.#settings = settings;
    this.#cells = new Map(cells.map((cell) => [cellKey(cell), cell]));
    this.notes = notes;
  }

  /**
   * Opens the results of `folder`, which is made if it is missing. Earlier cells are kept if they were measured on the same machine with the same
   * settings and `fresh` is false; otherwise the old file moves aside to results.previous.json, and the notes say why.
   * @throws OptionError if there can be no such folder, FileFormatError if a results.json is there that no sweep wrote: it is not overwritten unless `fresh`.
   */
  static async open(folder: string, machine: Machine, settings: Settings, fresh = false): Promise<ResultsStore> {
    await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      const { code } = cause;
      throw new OptionError(`--out ${folder} cannot be a folder for results (${code})`, { folder, code }, { cause });
    });
    const file = path.join(folder, RESULTS_FILE);
    const text = await readIfThere(file);
    if (text === undefined) return new ResultsStore(file, machine, settings, [], []);
    if (fresh) return ResultsStore.#aside(file, machine, settings, "--fresh was given");
    const value = parseJson(file, text);
    const format = formatOf(value);
    if (typeof format === "number" && format !== FORMAT) {
      return ResultsStore.#aside(file, machine, settings, `format ${format} -> ${FORMAT}`);
    }
    const before = validate(file, value);
    const changes = [...settingsChanges(before.settings, settings), ...machineChanges(before.machine, machine)];
    if (changes.length > 0) return ResultsStore.#aside(file, machine, settings, changes.join(", "));
    // Measured again only if a cell is; until then the rate belongs to the cells that are kept.
    const { gemmGigaflops, processorShare } = before.machine;
    return new ResultsStore(file, { ...machine, gemmGigaflops, processorShare }, settings, before.cells, []);
  }

  static async #aside(file: string, machine: Machine, settings: Settings, why: string): Promise<ResultsStore> {
    const kept = `${file.slice(0, -".json".length)}.previous.json`;
    await rename(file, kept);
    const note = `earlier results are not used (${why}); they are kept in ${path.basename(kept)}`;
    return new ResultsStore(file, machine, settings, [], [note]);
  }

  /** The finished measurement of `cell`; undefined if there is none or it failed. */
  finished(cell: Cell): CellResult | undefined {
    const found = this.#cells.get(cellKey(cell));
    return found?.failed === false ? found : undefined;
  }

  /** All that is known now. */
  get results(): Results {
    return { machine: this.#machine, settings: this.#settings, cells: [...this.#cells.values()].sort(compareCells) };
  }

  /** Records what the machine was found to be able to do. Not written until `save` or `add`. */
  setProbe({ gemmGigaflops, processorShare }: Pick<Machine, "gemmGigaflops" | "processorShare">): void {
    this.#machine = { ...this.#machine, gemmGigaflops, processorShare };
  }

  /** Adds a cell, or replaces it, and writes the file. */
  async add(result: CellResult): Promise<void> {
    this.#cells.set(cellKey(result), result);
    await this.save();
  }

  /** Writes results.json: to a file beside it first, which then takes its name, so that a reader never sees half of it. */
  async save(): Promise<void> {
    const beside = `${this.#file}.${process.pid}.tmp`;
    const handle = await open(beside, "w");
    try {
      await handle.writeFile(resultsText(this.results));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, this.#file);
  }
}

/** results.json as text: the results, and what follows from them. */
export function resultsText(results: Results): string {
  return `${JSON.stringify({ ...results, conclusion: conclude(results) }, null, 2)}\n`;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FileFormatError(`${file} is not JSON; move it away or pass --fresh`, { file }, { cause });
  }
}

/** The format number of what claims to be results; undefined if it has none. */
function formatOf(value: unknown): unknown {
  return (value as { settings?: { format?: unknown } } | null)?.settings?.format;
}

function validate(file: string, value: unknown): Results {
  const parsed = resultsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw new FileFormatError(
    `${file} is not a result of this benchmark (${where}: ${issue?.message}); move it away or pass --fresh`,
    {
      file,
      where,
    },
  );
}
