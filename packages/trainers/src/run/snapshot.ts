import type { EngineHost } from "../engine/host.js";

/** A copy of a model's parameters, to go back to. Costs as many bytes as the tables. */
export class Snapshot {
  readonly #host: EngineHost;
  readonly #copies: { address: number; values: Float32Array }[];

  constructor(host: EngineHost) {
    this.#host = host;
    const { table, encoder } = host.layout;
    const { rows, ld } = host.spec.table;
    const blocks = [
      { address: table.address, count: rows * ld },
      ...(table.bias === 0 ? [] : [{ address: table.bias, count: rows }]),
      ...encoder.tables.map((t) => ({ address: t.address, count: t.rows * t.ld })),
    ];
    this.#copies = blocks.map(({ address, count }) => ({ address, values: new Float32Array(count) }));
  }

  /** Copies the parameters as they are now; answers itself. */
  take(): this {
    for (const { address, values } of this.#copies) values.set(this.#host.memory.floats(address, values.length));
    return this;
  }

  /** Puts the copied parameters back. */
  restore(): void {
    for (const { address, values } of this.#copies) this.#host.memory.floats(address, values.length).set(values);
  }
}
