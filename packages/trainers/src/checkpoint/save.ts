import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AnyDataset, encodeHead, type Names, writeArrayFile, writeDirectoryAtomically } from "@logq/datasets";
import type { EngineHost } from "../engine/host.js";
import type { TrainReport } from "../run/report.js";
import type { Trainer } from "../run/trainer.js";
import { readRows, readScalars } from "../table/export.js";
import { isRun, RUN_FORMAT, RUN_HEAD_FILE, type RunHead, type StoredTable } from "./format.js";
import { writeNames } from "./names.js";

/** One array to be stored: read when it is its turn, so that only one copy exists at a time. */
interface Part {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  read(): Float32Array;
}

/**
 * Writes a trained model to a directory: parameters, optimizer state, names and everything that made it. The directory appears whole or
 * not at all; what is there already is replaced only if it is a saved run.
 * @throws OptionError if something else stands there
 */
export async function saveModel(trainer: Trainer, directory: string, report: TrainReport): Promise<void> {
  const write = async (temporary: string): Promise<void> => {
    const tables = await writeParts(temporary, parameterParts(trainer.host));
    const states = await writeParts(temporary, stateParts(trainer.host));
    const { dataset } = trainer;
    await writeNames(join(temporary, "classes.names"), dataset.classes);
    const inputs = namesOfInputs(dataset, trainer.options.encoder);
    if (inputs !== undefined) await writeNames(join(temporary, "inputs.names"), inputs);
    const head: RunHead = {
      shape: trainer.shape,
      options: trainer.options,
      report,
      step: trainer.step,
      dataset: { kind: dataset.kind, directory: "directory" in dataset ? (dataset.directory ?? null) : null },
      eos: dataset.kind === "text" ? dataset.eos : -1,
      unknown: dataset.kind === "text" ? dataset.unknown : -1,
      tables,
      states,
      classNames: "classes.names",
      inputNames: inputs === undefined ? null : "inputs.names",
    };
    await writeFile(join(temporary, RUN_HEAD_FILE), encodeHead(RUN_FORMAT, head));
  };
  await writeDirectoryAtomically(directory, write, { what: "trained model", isOurs: isRun });
}

/** The names of an encoder's inputs; undefined: inputs are classes, or contexts without names. */
export function namesOfInputs(dataset: AnyDataset, encoder: string): Names | undefined {
  if (dataset.kind === "pairs" && encoder === "user") return dataset.users;
  return dataset.kind === "labels" ? dataset.features : undefined;
}

async function writeParts(directory: string, parts: readonly Part[]): Promise<StoredTable[]> {
  const stored: StoredTable[] = [];
  for (const { name, rows, columns, read } of parts) {
    const file = `${name}.f32`;
    await writeArrayFile(join(directory, file), read());
    stored.push({ name, file, rows, columns });
  }
  return stored;
}

/** The parameters: class rows and biases in id order, then the encoder's tables. */
export function parameterParts(host: EngineHost): Part[] {
  const { n, D } = host.spec.table;
  const { table, encoder } = host.layout;
  const parts: Part[] = [{ name: "classes", rows: n, columns: D, read: () => readRows(host, table.address) }];
  if (table.bias !== 0)
    parts.push({ name: "class-bias", rows: n, columns: 1, read: () => readScalars(host, table.bias) });
  for (const { name, address, rows, columns, ld } of encoder.tables) {
    parts.push({ name: `encoder.${name}`, rows, columns, read: () => readBlock(host, address, rows, columns, ld) });
  }
  return parts;
}

/** The optimizer's memory, laid out as what it belongs to. */
export function stateParts(host: EngineHost): Part[] {
  const { n, D } = host.spec.table;
  const { table, encoder, encoderStates } = host.layout;
  const rowwise = host.spec.training?.optimizer.name === "rowwise-adagrad";
  const parts: Part[] = [];
  const addClass = (name: string, address: number, columns: number) => {
    if (address === 0) return;
    const read = () => (columns === D && !rowwise ? readRows(host, address) : readScalars(host, address));
    parts.push({ name, rows: n, columns, read });
  };
  addClass("classes.state", table.state.state, rowwise ? 1 : D);
  addClass("classes.second-state", table.state.secondState, D);
  for (const [name, address] of [
    ["class-bias.state", table.biasState.state],
    ["class-bias.second-state", table.biasState.secondState],
  ] as const) {
    if (address !== 0) parts.push({ name, rows: n, columns: 1, read: () => readScalars(host, address) });
  }
  encoder.tables.forEach(({ name, rows, columns, ld }, index) => {
    const { state, secondState } = encoderStates[index]!;
    const width = rowwise ? 1 : columns;
    const stride = rowwise ? 1 : ld;
    if (state !== 0) {
      parts.push({
        name: `encoder.${name}.state`,
        rows,
        columns: width,
        read: () => readBlock(host, state, rows, width, stride),
      });
    }
    if (secondState !== 0) {
      const read = () => readBlock(host, secondState, rows, columns, ld);
      parts.push({ name: `encoder.${name}.second-state`, rows, columns, read });
    }
  });
  return parts;
}

/** A row-major copy without padding. */
export function readBlock(host: EngineHost, address: number, rows: number, columns: number, ld: number): Float32Array {
  const { f32 } = host.memory;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const at = (address >>> 2) + row * ld;
    out.set(f32.subarray(at, at + columns), row * columns);
  }
  return out;
}
