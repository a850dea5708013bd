import { MissingLogQError, SamplerError } from "@logq/core";
import type { GivenTables } from "../given-lists.js";
import { requireRoom } from "../requests.js";
import type { Draw, DrawRequest, Sampler } from "../types.js";

class GivenDraw implements Draw {
  readonly S: number;
  readonly tries = 0;
  readonly continued = false;
  readonly excludedMass = 0;
  readonly #classLogQ: Float64Array | null;

  constructor(tables: GivenTables) {
    this.S = tables.S;
    this.#classLogQ = tables.classLogQ;
  }

  logQ(id: number): number {
    if (this.#classLogQ === null) {
      throw new MissingLogQError(`the log Q of class ${id} is not known: classLogQ was not given`, { id });
    }
    return this.#classLogQ[id];
  }

  targetLogQ(id: number): number {
    return this.logQ(id);
  }
}

/**
 * Hands out the user's own lists: step k gets list k mod K, whatever the item. Where log Q was not given, NaN is written, so that a
 * loss that forgot to ask `hasLogQ` cannot train on a made-up number.
 */
export class GivenSampler implements Sampler {
  readonly name = "given";
  readonly n: number;
  readonly replacement = true;
  readonly contextual = false;
  readonly law = null;
  readonly hasLogQ: boolean;
  readonly hasTargetLogQ: boolean;
  readonly #tables: GivenTables;
  readonly #draw: GivenDraw;

  constructor(n: number, tables: GivenTables) {
    this.n = n;
    this.hasLogQ = tables.logQ !== null;
    this.hasTargetLogQ = tables.classLogQ !== null;
    this.#tables = tables;
    this.#draw = new GivenDraw(tables);
  }

  requireDrawable(S: number): void {
    if (S !== this.#tables.S) {
      throw new SamplerError(`the given lists hold ${this.#tables.S} candidates each, not ${S}`, {
        S,
        given: this.#tables.S,
      });
    }
  }

  draw(request: DrawRequest, ids: Int32Array, logQ: Float64Array, at = 0): Draw {
    this.requireDrawable(request.S);
    requireRoom(request.S, ids, logQ, at);
    const tables = this.#tables;
    const from = (request.step % tables.lists) * tables.S;
    for (let i = 0; i < tables.S; i++) {
      ids[at + i] = tables.ids[from + i];
      logQ[at + i] = tables.logQ === null ? Number.NaN : tables.logQ[from + i];
    }
    return this.#draw;
  }

  /** @throws SamplerError: candidates that stand already cannot be drawn anew; mask them (`HitFinder`). */
  drawExcluding(_request: DrawRequest, _excluded: Int32Array, start: number, end: number): Draw {
    throw new SamplerError("given candidates cannot be drawn again without the excluded classes; mask them instead", {
      excluded: end - start,
    });
  }
}
