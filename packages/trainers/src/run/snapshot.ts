import type { EngineHost } from "../engine/host.js";
import { parameterArrays } from "../table/parameters.js";

/** A copy of a model's parameters, to go back to. Costs as many bytes as the tables. */
export class Snapshot {
  /** Views of the tables, piece after piece, and as many copies. */
  readonly #pieces: readonly (Float32Array | Uint16Array)[];
  readonly #copies: readonly (Float32Array | Uint16Array)[];

  constructor(host: EngineHost) {
    this.#pieces = parameterArrays(host).flatMap(({ array }) => array.pieces);
    this.#copies = this.#pieces.map((piece) =>
      piece instanceof Float32Array ? new Float32Array(piece.length) : new Uint16Array(piece.length),
    );
  }

  /** Copies the parameters as they are now; answers itself. */
  take(): this {
    this.#copies.forEach((copy, index) => {
      copy.set(this.#pieces[index]!);
    });
    return this;
  }

  /** Puts the copied parameters back. */
  restore(): void {
    this.#pieces.forEach((piece, index) => {
      piece.set(this.#copies[index]!);
    });
  }
}
