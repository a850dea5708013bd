import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Where an array lies on disk: what a peer needs to read it. Little-endian, row-major. */
export interface ArrayFile {
  readonly path: string;
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
}

export type ArrayFiles = Readonly<Record<string, ArrayFile>>;

/** A temporary folder with the inputs of one comparison, read by all sides. */
export class InputFolder {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  static async create(): Promise<InputFolder> {
    return new InputFolder(await mkdtemp(path.join(tmpdir(), "logq-peers-")));
  }

  async write(name: string, values: Float32Array | Int32Array, shape: readonly number[]): Promise<ArrayFile> {
    const file = path.join(this.path, `${name}.bin`);
    await writeFile(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return { path: file, dtype: values instanceof Float32Array ? "float32" : "int32", shape };
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
